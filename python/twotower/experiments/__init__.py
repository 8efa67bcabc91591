"""Experiments that show whether something was learned, beside the twins that learned nothing."""

from twotower.experiments.learning import LearningResult, Recipe, learning_experiment
from twotower.experiments.recipes import RECIPES

__all__ = ["RECIPES", "LearningResult", "Recipe", "learning_experiment"]
