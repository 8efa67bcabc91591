"""Towers: from the terms of a text to its vector.

A tower is an ``nn.Module`` that is built as ``Tower(n_terms, **options)`` and has

- ``forward(ids, offsets) -> float32 [B, out_dim]``: ids int64 [T] are the terms of B texts one after the other, offsets int64 [B+1]
  says where each begins. There is no padding in the input, so none can count. A text without terms gives the zero vector;
- ``embedding``: a module whose ``weight`` [n_terms, dim] has one row a term (training updates the rows of a batch alone);
- ``out_dim``: int, and ``options``: the JSON-able keyword arguments that build it again.

`TwoTower` puts two of them (or one twice) beside an analyzer and a vocabulary. Towers know no loss and no index.
"""

from importlib import import_module
from typing import Any

TOWERS = {
    "average": "twotower.towers.average:AverageTower",
    "rnn": "twotower.towers.recurrent:RecurrentTower",
}
"""Name to class."""

_HOMES = {"Terms": "twotower.towers.terms", "TermReader": "twotower.towers.terms", "TwoTower": "twotower.towers.two_tower"}
__all__ = ["TOWERS", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'twotower.towers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
