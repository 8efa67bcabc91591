"""Experiments that show whether something was learned or gained, beside the twins that learned nothing, and audits of such claims."""

from twotower.experiments.audit import Audit, audit
from twotower.experiments.checks import CHECKS
from twotower.experiments.finding import Finding
from twotower.experiments.fusion import FusionCase, fusion_experiment
from twotower.experiments.fusion_result import FusionResult
from twotower.experiments.learning import LearningResult, Recipe, learning_experiment
from twotower.experiments.recipes import RECIPES
from twotower.experiments.traps import TrapReport, trap_report

__all__ = [
    "CHECKS",
    "RECIPES",
    "Audit",
    "Finding",
    "FusionCase",
    "FusionResult",
    "LearningResult",
    "Recipe",
    "TrapReport",
    "audit",
    "fusion_experiment",
    "learning_experiment",
    "trap_report",
]
