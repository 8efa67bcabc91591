"""Towers: from the terms of a text to its vector.

`TwoTower` puts two towers (or one twice) beside a reader, which makes terms of texts; `twotower.towers.tower.Tower` says
what a tower is. Towers know no loss and no index.
"""

from importlib import import_module
from typing import Any

TOWERS = {
    "average": "twotower.towers.average:AverageTower",
    "rnn": "twotower.towers.recurrent:RecurrentTower",
    "tdnn": "twotower.towers.tdnn:TimeDelayTower",
    "transformer": "twotower.towers.transformer:TransformerTower",
}
"""Name to class."""

READERS = {
    "terms": "twotower.towers.terms:TermReader",
    "tokens": "twotower.towers.tokens:TokenReader",
}
"""What texts are read with: name to class."""

_HOMES = {
    "Reader": "twotower.towers.reader",
    "SequenceEncoder": "twotower.towers.sequences",
    "TermReader": "twotower.towers.terms",
    "Terms": "twotower.towers.reader",
    "TokenReader": "twotower.towers.tokens",
    "TwoTower": "twotower.towers.two_tower",
}
__all__ = ["READERS", "TOWERS", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'twotower.towers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
