"""The average tower: the mean of a text's word embeddings, then an optional projection. Blind to word order.

T terms, B texts.
"""

import torch
from torch import nn

from twotower.towers.shape import check_size
from twotower.towers.tower import Tower


class AverageTower(Tower):
    """Mean of embeddings, projected when `out_dim` is given.

    Parameters
    ----------
    n_terms : int
        Rows of the embedding table: the size of the vocabulary.
    dim : int
        Width of an embedding; at least 1.
    out_dim : int, optional
        Width of the vector, through a linear map without bias (so that an empty text stays the zero vector). None:
        `dim`, no map.

    Notes
    -----
    v = W (1/n) sum_i E[t_i] over the n terms of the text; a term that comes twice counts twice. Cost T dim + B dim
    out_dim. Source: Huang et al. 2013 (DSSM); Yih et al. 2011.
    """

    def __init__(self, n_terms: int, *, dim: int = 256, out_dim: int | None = None) -> None:
        super().__init__()
        check_size("dim", dim)
        self.options = {"dim": dim, "out_dim": out_dim}
        self.out_dim = dim if out_dim is None else check_size("out_dim", out_dim)
        self.embedding = nn.EmbeddingBag(n_terms, dim, mode="mean", include_last_offset=True)
        self.projection = nn.Identity() if out_dim is None else nn.Linear(dim, out_dim, bias=False)

    def forward(self, ids: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, out_dim] for ids int64 [T] cut at offsets int64 [B+1]."""
        vectors: torch.Tensor = self.projection(self.embedding(ids, offsets))
        return vectors
