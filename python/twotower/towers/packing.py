"""Packed order: all first terms of the texts, then all second terms, ..., longest text first.

T terms in all, B texts (each with a term), L terms of the longest.
"""

from itertools import pairwise
from typing import NamedTuple, Self

import torch
from torch.nn.utils.rnn import PackedSequence


class Packing(NamedTuple):
    """How texts that lie one after the other are read step by step.

    Attributes
    ----------
    positions : Tensor of int64, shape [T]
        Packed place to position in the flat ids.
    mirror : Tensor of int64, shape [T]
        Packed place of a term to that of the term as far from the other end of its text; its own inverse.
    sizes : Tensor of int64, shape [L]
        Texts that have an l-th term; never rising.
    last : Tensor of int64, shape [B]
        Packed place of each text's last term.
    order, rank : Tensor of int64, shape [B]
        The texts longest first, and each text's place in that order (the packed place of its first term).
    """

    positions: torch.Tensor
    mirror: torch.Tensor
    sizes: torch.Tensor
    last: torch.Tensor
    order: torch.Tensor
    rank: torch.Tensor

    @classmethod
    def of(cls, starts: torch.Tensor, lengths: torch.Tensor) -> Self:
        """Pack texts that begin at `starts` and have `lengths` terms, all int64 [B], none empty."""
        order = lengths.argsort(descending=True, stable=True)
        rank = order.argsort()
        falling = lengths[order]
        sizes = (falling > torch.arange(int(falling[0])).unsqueeze(1)).sum(dim=1)
        begins = sizes.cumsum(0) - sizes  # packed place where each step begins
        steps = torch.arange(len(sizes)).repeat_interleave(sizes)
        ranks = torch.arange(len(steps)) - begins[steps]
        mirror = begins[falling[ranks] - 1 - steps] + ranks
        return cls(starts[order][ranks] + steps, mirror, sizes, begins[lengths - 1] + rank, order, rank)

    def sequence(self, values: torch.Tensor) -> PackedSequence:
        """Return packed `values` [T, ...] as torch's own recurrent modules take them."""
        return PackedSequence(values, self.sizes, self.order, self.rank)

    def places(self) -> torch.Tensor:
        """Return the packed place of each position in the flat ids, int64 [T]: the inverse of `positions`."""
        return torch.empty_like(self.positions).index_copy_(0, self.positions, torch.arange(len(self.positions)))


def before_each(states: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Return the state that each packed place started from, [T, H]: zero at first, then that of the text one step earlier."""
    parts = [states.new_zeros(sizes[0], states.shape[1])]
    start = 0
    for size, following in pairwise(sizes):
        parts.append(states[start : start + following])
        start += size
    return torch.cat(parts)
