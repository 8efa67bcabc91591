"""A table of embeddings and the means of its rows: torch's EmbeddingBag by kernels of the C++ core.

V rows, D dimensions, T terms, B bags. Knows no text.
"""

from typing import Any

import torch
from torch import nn

from twotower.towers.native import bag_gradient, bag_means


class Bag(nn.Module):
    """Weighted means of rows.

    Parameters
    ----------
    n_rows, dim : int
    frozen : bool
        The table has no gradient and is not trained.

    Notes
    -----
    A bag's mean is sum(w_t E[t]) / sum(w_t), zero where the weights of a bag sum to zero; a row that comes twice counts
    twice. The gradient of row v is the sum of w_t / sum(w) times the gradient of the mean over the places t of v. Both
    are the same for every instruction set and number of threads. Weights have no gradient: under the cosine a weight of
    a term is the length of its row, which is learned anyway.
    """

    def __init__(self, n_rows: int, dim: int, *, frozen: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.normal_(torch.empty(n_rows, dim)), requires_grad=not frozen)

    def forward(self, ids: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Return [B, D] in the table's dtype.

        Parameters
        ----------
        ids : Tensor of int64, shape [T]
        offsets : Tensor of int64, shape [B+1]
            Bag b has ``ids[offsets[b]:offsets[b + 1]]``.
        weights : Tensor of float32, shape [T], optional
            At least 0; None: 1 each.

        Raises
        ------
        InvalidInputError
            If an id names no row, offsets do not rise from 0 to T, or a weight is negative or not finite.
        """
        return bag_mean(self.weight, ids, offsets, weights)


def bag_mean(
    table: torch.Tensor, ids: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the weighted means [B, D] of rows of `table` [V, D], float32 or bfloat16 on the CPU; as `Bag.forward`."""
    means: torch.Tensor = _BagMean.apply(table, ids, offsets, weights)  # type: ignore[no-untyped-call]
    return means


def saturated(ids: torch.Tensor, offsets: torch.Tensor, k: float) -> torch.Tensor:
    """Return 1 / (f + k) for each term, float32 [T], f being how often it comes in its bag: its f places sum to f / (f + k)."""
    bag_of = torch.repeat_interleave(torch.arange(len(offsets) - 1), offsets.diff())
    keys = bag_of * (int(ids.max()) + 1 if len(ids) else 1) + ids
    _, places, counts = torch.unique(keys, return_inverse=True, return_counts=True)
    shares: torch.Tensor = 1 / (counts[places] + k)
    return shares


class _BagMean(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, table: torch.Tensor, ids: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor | None
    ) -> torch.Tensor:
        places = ids.contiguous(), offsets.contiguous(), None if weights is None else weights.contiguous()
        ctx.places, ctx.n_rows, ctx.dtype = places, len(table), table.dtype
        return bag_means(table.detach().contiguous(), *places)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor | None, None, None, None]:
        if not ctx.needs_input_grad[0]:
            return None, None, None, None
        ids, offsets, weights = ctx.places
        gradient = bag_gradient(outer[0].float().contiguous(), ids, offsets, weights, ctx.n_rows)
        return gradient.to(ctx.dtype), None, None, None
