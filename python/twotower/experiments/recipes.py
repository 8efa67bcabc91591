"""Towers with the training settings that suit them: what `twotower demo` and `twotower train` use.

The settings were chosen on the valid split of python-docs (docs/decisions/training-defaults.md); test splits took no part.
"""

from twotower.experiments.learning import Recipe

RECIPES: dict[str, Recipe] = {
    "average": Recipe(name="average", tower="average", options={"tied": True}),
    "average-untied": Recipe(name="average untied", tower="average", options={"tied": False}),
    "gru": Recipe(name="GRU", tower="rnn", options={"tied": True}),
    "gru-untied": Recipe(name="GRU untied", tower="rnn", options={"tied": False}),
}
