"""Towers with the training settings that suit them: what `twotower demo` and `twotower train` use.

The settings were chosen on the valid split of python-docs (docs/decisions/training.md); test splits took no part.
"""

from twotower.experiments.learning import Recipe

_AVERAGE = {"epochs": 8, "batch_size": 1024, "lr": 0.2}
_GRU = {"dim": 128, "hidden": 256, "pooling": "max", "max_terms": 32}
_GRU_TRAINING = {"epochs": 3, "batch_size": 512, "lr": 0.1}
_TDNN = {"dim": 128, "layers": [[256, 3, 1]], "max_terms": 32}
_TRANSFORMER = {"dim": 128, "heads": 4, "layers": 2, "max_terms": 32}

RECIPES: dict[str, Recipe] = {
    "average": Recipe("average", "average", {"tied": True, "dim": 256}, _AVERAGE),
    "average-untied": Recipe("average untied", "average", {"tied": False, "dim": 256}, {**_AVERAGE, "lr": 0.1}),
    "average-subwords": Recipe(
        "average, subwords",
        "average",
        {"tied": True, "dim": 256, "max_terms": 256},
        {**_AVERAGE, "lr": 0.4},
        n_tokens=2000,
    ),
    "gru": Recipe("GRU", "rnn", {"tied": True, **_GRU}, _GRU_TRAINING),
    "gru-untied": Recipe("GRU untied", "rnn", {"tied": False, **_GRU}, _GRU_TRAINING),
    "tdnn": Recipe("TDNN", "tdnn", {"tied": True, **_TDNN}, {"epochs": 3, "batch_size": 512, "lr": 0.1}),
    "transformer": Recipe(
        "transformer", "transformer", {"tied": True, **_TRANSFORMER}, {"epochs": 3, "batch_size": 512, "lr": 0.02}
    ),
}
