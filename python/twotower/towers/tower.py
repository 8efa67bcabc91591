"""What a tower is."""

from typing import Any

from torch import nn


class Tower(nn.Module):
    """From the terms of texts to their vectors; built as ``SomeTower(n_terms, **options)``.

    ``forward(ids, offsets)`` takes the terms of B texts one after the other, ids int64 [T], and where each text begins,
    offsets int64 [B+1]; it returns float32 [B, out_dim]. There is no padding in the input, so none can count. A text
    without terms gives the zero vector, whatever the weights.

    Attributes
    ----------
    embedding : nn.Module
        Its ``weight`` [n_terms, dim] has one row a term. Training puts a small table of a batch's rows in its place, so
        a tower uses it for nothing but the rows of its terms.
    by_row : tuple of str
        Names of further parameters with one entry a term; training cuts them to the rows of a batch, too.
    out_dim : int
        Width of the vectors.
    options : dict
        The keyword arguments that build it again; JSON gives them back unchanged.
    """

    embedding: nn.Module
    by_row: tuple[str, ...] = ()
    out_dim: int
    options: dict[str, Any]
