"""Experiments that show whether something was learned, beside the twins that learned nothing."""

from twotower.experiments.learning import LearningResult, Recipe, learning_experiment
from twotower.experiments.recipes import RECIPES
from twotower.experiments.traps import TrapReport, trap_report

__all__ = ["RECIPES", "LearningResult", "Recipe", "TrapReport", "learning_experiment", "trap_report"]
