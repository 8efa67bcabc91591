"""The time-delay tower: the same small network reads every few terms in a row; its answers are pooled.

B texts, T terms in all.
"""

from collections.abc import Sequence

import torch
from torch import nn

from twotower.errors import InvalidInputError
from twotower.towers.pooling import check_dropout, pool
from twotower.towers.shape import check_size
from twotower.towers.time_delay import Shape, TimeDelayNetwork, check_layers
from twotower.towers.tower import Tower

POOLINGS = ("max", "mean")


class TimeDelayTower(Tower):
    """Time-delay layers over word embeddings.

    Parameters
    ----------
    n_terms : int
        Rows of the embedding table: the size of the vocabulary.
    dim : int
        Width of an embedding.
    layers : sequence of (channels, width, stride)
        From the embeddings on: `channels` units see `width` terms in a row, every `stride` terms.
    pooling : {"max", "mean"}
        How the places of the top layer become one vector.
    dropout : float
        Share of embeddings' and of the pooled vector's components set to 0 in training; in [0, 1).
    out_dim : int, optional
        Width of the vector, through a linear map without bias. None: the channels of the top layer, no map.

    Notes
    -----
    Past both ends of a text the layers see zeros of their own, whatever stands beside the text. Source: Waibel et al.
    1989; Bromley et al. 1993; with word-like inputs, tanh and the maximum over places: Shen et al. 2014 (CLSM), section
    3.
    """

    def __init__(
        self,
        n_terms: int,
        *,
        dim: int = 128,
        layers: Sequence[Shape] = ((256, 3, 1),),
        pooling: str = "max",
        dropout: float = 0.0,
        out_dim: int | None = None,
    ) -> None:
        super().__init__()
        shapes = check_layers(layers)
        self.options = {"dim": dim, "layers": shapes, "pooling": pooling, "dropout": dropout, "out_dim": out_dim}
        if pooling not in POOLINGS:
            raise InvalidInputError(f"unknown pooling {pooling!r}: choose one of {', '.join(POOLINGS)}")
        self.pooling = pooling
        self.embedding = nn.Embedding(n_terms, check_size("dim", dim))
        self.dropout = nn.Dropout(check_dropout(dropout))
        self.network = TimeDelayNetwork(dim, shapes, padded=True)
        width = self.network.out_channels
        self.out_dim = width if out_dim is None else check_size("out_dim", out_dim)
        self.projection = nn.Identity() if out_dim is None else nn.Linear(width, out_dim, bias=False)

    def forward(self, ids: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, out_dim] for ids int64 [T] cut at offsets int64 [B+1]."""
        if not len(ids):
            return torch.zeros(len(offsets) - 1, self.out_dim)
        states, lengths = self.network(self.dropout(self.embedding(ids)), offsets.diff())
        vectors: torch.Tensor = self.projection(self.dropout(pool(states, lengths, self.pooling)))
        return vectors
