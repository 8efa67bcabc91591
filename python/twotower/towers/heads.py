"""Projection heads: a small network between a tower and its vectors. Knows no text.

B texts, W width of the tower, D of the vectors.
"""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from twotower.errors import InputTypeError, InvalidInputError
from twotower.towers.shape import check_size
from twotower.towers.tower import Tower

HEADS = ("linear", "mlp")


class HeadedTower(Tower):
    """A tower whose vectors go through a head.

    Parameters
    ----------
    body : Tower
    head : mapping
        As of `check_head`.

    Notes
    -----
    No part of a head has a bias, and GELU(0) = 0, so that a text without terms stays the zero vector.
    """

    def __init__(self, body: Tower, head: Mapping[str, Any]) -> None:
        super().__init__()
        self.body = body
        self.by_row = tuple(f"body.{name}" for name in body.by_row)
        self.take_table(body.embedding)
        self.options = body.options
        self.out_dim = head["dim"]
        self.head = _network(body.out_dim, head)

    def take_table(self, embedding: nn.Module) -> None:
        """Read with this table. It is registered here alone: a module under two names is not put back by functional_call."""
        self.embedding = embedding
        self.body._modules.pop("embedding", None)
        self.body.__dict__["embedding"] = embedding

    def beside(self) -> "HeadedTower":
        """Return a tower over the same body, with a head of its own that starts equal."""
        other = copy.copy(self)
        other._modules = {**self._modules, "head": copy.deepcopy(self.head)}
        return other

    def forward(self, ids: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, D] for ids int64 [T] cut at offsets int64 [B+1]."""
        vectors: torch.Tensor = self.head(self.body(ids, offsets))
        return vectors


def check_head(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return a head with all that it has.

    Parameters
    ----------
    head : mapping
        ``{"kind": "linear", "dim": D}``: one linear map. ``{"kind": "mlp", "dim": D, "hidden": W'}``: two with a GELU
        between them; without `hidden`, the width of the tower.

    Raises
    ------
    InputTypeError
        If it is no mapping, or a size is no int.
    InvalidInputError
        If its kind is unknown, a key is, "dim" is missing, or a size is out of range.
    """
    if not isinstance(head, Mapping):
        raise InputTypeError(f'head is {head!r}: give a mapping such as {{"kind": "linear", "dim": 64}}')
    kind = head.get("kind")
    if kind not in HEADS:
        raise InvalidInputError(f"unknown kind of head {kind!r}: choose one of {', '.join(HEADS)}")
    known = {"kind", "dim", "hidden"} if kind == "mlp" else {"kind", "dim"}
    if "dim" not in head or not head.keys() <= known:
        raise InvalidInputError(
            f"a {kind} head has {', '.join(sorted(map(str, head)))}: it needs dim, and may have {sorted(known)}"
        )
    for name in head.keys() - {"kind"}:
        if head[name] is not None or name == "dim":
            check_size(name, head[name])
    return dict(head)


def _network(width: int, head: Mapping[str, Any]) -> nn.Module:
    if head["kind"] == "linear":
        return nn.Linear(width, head["dim"], bias=False)
    hidden = head.get("hidden") or width
    return nn.Sequential(nn.Linear(width, hidden, bias=False), nn.GELU(), nn.Linear(hidden, head["dim"], bias=False))
