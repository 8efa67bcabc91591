"""Experiments that show whether something was learned or gained, beside the twins that learned nothing."""

from twotower.experiments.fusion import FusionCase, fusion_experiment
from twotower.experiments.fusion_result import FusionResult
from twotower.experiments.learning import LearningResult, Recipe, learning_experiment
from twotower.experiments.recipes import RECIPES

__all__ = [
    "RECIPES",
    "FusionCase",
    "FusionResult",
    "LearningResult",
    "Recipe",
    "fusion_experiment",
    "learning_experiment",
]
