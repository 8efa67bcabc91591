"""Small models for the tests of towers and training: one line of MAKES for each kind worth a test."""

from twotower.text import Vocabulary
from twotower.towers import TOWERS, TwoTower

WORDS = [f"word{i}" for i in range(20)]
MAKES = [
    ("average", {"dim": 8}),
    ("average", {"dim": 8, "out_dim": 5}),
    ("average", {"dim": 8, "weighted": True}),
    ("average", {"dim": 8, "saturation": 1.5}),
    ("rnn", {"dim": 6, "hidden": 5}),
    ("rnn", {"dim": 6, "hidden": 5, "cell": "lstm", "bidirectional": True, "pooling": "last", "layers": 2}),
    ("rnn", {"dim": 6, "hidden": 5, "pooling": "max", "dropout": 0.3, "out_dim": 4}),
    ("tdnn", {"dim": 6, "layers": [[5, 3, 1]]}),
    ("tdnn", {"dim": 6, "layers": [[7, 4, 2], [5, 3, 1]], "pooling": "mean", "dropout": 0.3, "out_dim": 4}),
    ("transformer", {"dim": 8, "heads": 2}),
    ("transformer", {"dim": 8, "heads": 2, "layers": 1, "norm": "post", "positions": "learned", "pooling": "cls"}),
    ("transformer", {"dim": 6, "heads": 3, "hidden": 10, "pooling": "max", "dropout": 0.3, "out_dim": 4}),
]
assert {name for name, _ in MAKES} == set(TOWERS), "a new tower needs a line in MAKES"


def build(make, **shared):
    """Return an untrained model over WORDS, made as a line of MAKES says."""
    name, options = make
    return TwoTower.build(name, Vocabulary(WORDS), "plain", **options, **shared)
