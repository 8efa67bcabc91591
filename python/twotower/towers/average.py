"""The average tower: the mean of a text's word embeddings, then an optional projection. Blind to word order.

T terms, B texts.
"""

import torch
from torch import nn

from twotower.errors import InvalidInputError
from twotower.towers.bag import Bag, saturated
from twotower.towers.shape import check_flag, check_positive, check_size
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
    weighted : bool
        The mean is weighted: ``weights`` [n_terms], such as idf, are saved with the model and not trained.
    frozen : bool
        The embeddings are not trained.
    start : {"random", "given"}
        Where the first embeddings come from. Given ones must be put into the tower by who builds it.
    saturation : float, optional
        k above 0: a term that comes f times in a text counts f / (f + k) times, as in BM25. None: f times.

    Notes
    -----
    v = W sum_i w_i E[t_i] / sum_i w_i over the n terms of the text, with w_i = 1 unless `weighted`, and divided by f_i + k
    with `saturation` k. Cost T dim + B dim out_dim. Source: Huang et al. 2013 (DSSM); Yih et al. 2011; weights: Arora et
    al. 2017 (SIF); saturation: Robertson and Zaragoza 2009, section 3.4.
    """

    def __init__(
        self, n_terms: int, *, dim: int = 256, out_dim: int | None = None, weighted: bool = False, frozen: bool = False,
        start: str = "random", saturation: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        check_size("dim", dim)
        check_flag("weighted", weighted)
        check_flag("frozen", frozen)
        self.options = {"dim": dim, "out_dim": out_dim}
        if start not in ("random", "given"):
            raise InvalidInputError(f'start is {start!r}: it must be "random" or "given"')
        if weighted or frozen or start != "random":  # models of earlier versions know none of these
            self.options |= {"weighted": weighted, "frozen": frozen, "start": start}
        self.saturation = None if saturation is None else check_positive("saturation", saturation)
        if saturation is not None:
            self.options["saturation"] = self.saturation
        self.out_dim = dim if out_dim is None else check_size("out_dim", out_dim)
        self.embedding = Bag(n_terms, dim, frozen=frozen)
        self.weights = nn.Parameter(torch.ones(n_terms), requires_grad=False) if weighted else None
        self.by_row = ("weights",) if weighted else ()
        self.projection = nn.Identity() if out_dim is None else nn.Linear(dim, out_dim, bias=False)

    def forward(self, ids: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, out_dim] for ids int64 [T] cut at offsets int64 [B+1]."""
        weights = None if self.weights is None else self.weights[ids]
        if self.saturation is not None:
            shares = saturated(ids, offsets, self.saturation)
            weights = shares if weights is None else weights * shares
        vectors: torch.Tensor = self.projection(self.embedding(ids, offsets, weights))
        return vectors
