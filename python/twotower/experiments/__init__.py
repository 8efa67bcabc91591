"""Experiments that show whether something was learned, beside the twins that learned nothing, and audits of such claims."""

from twotower.experiments.audit import Audit, audit
from twotower.experiments.checks import CHECKS
from twotower.experiments.finding import Finding
from twotower.experiments.learning import LearningResult, Recipe, learning_experiment
from twotower.experiments.recipes import RECIPES

__all__ = [
    "CHECKS",
    "RECIPES",
    "Audit",
    "Finding",
    "LearningResult",
    "Recipe",
    "audit",
    "learning_experiment",
]
