"""Towers: from the terms of a text to its vector.

`TwoTower` puts two towers (or one twice) beside an analyzer and a vocabulary; `twotower.towers.tower.Tower` says what a
tower is. Towers know no loss and no index.
"""

from importlib import import_module
from typing import Any

TOWERS = {
    "average": "twotower.towers.average:AverageTower",
    "rnn": "twotower.towers.recurrent:RecurrentTower",
}
"""Name to class."""

_HOMES = {
    "Terms": "twotower.towers.terms",
    "TermReader": "twotower.towers.terms",
    "TwoTower": "twotower.towers.two_tower",
}
__all__ = ["TOWERS", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'twotower.towers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
