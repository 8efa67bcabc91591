"""The recurrent tower: a GRU or LSTM reads word embeddings in order; its states are pooled and optionally projected.

B texts, L terms of the longest, H width of a state, T terms in all.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from twotower.errors import InputTypeError, InvalidInputError
from twotower.towers.shape import MAX_SIZE, check_size
from twotower.towers.tower import Tower

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}
POOLINGS = ("last", "max", "mean")
MAX_LAYERS = 16


class RecurrentTower(Tower):
    """GRU or LSTM over word embeddings.

    Parameters
    ----------
    n_terms : int
        Rows of the embedding table: the size of the vocabulary.
    cell : {"gru", "lstm"}
    dim : int
        Width of an embedding.
    hidden : int
        Width of a state in each direction.
    layers : int
        From 1 to 16.
    bidirectional : bool
        Read backwards too; both states side by side, 2 `hidden` wide.
    pooling : {"last", "max", "mean"}
        How the states of the top layer become one vector. "last": the forward state after the last term beside the
        backward state after the first.
    dropout : float
        Share of embeddings' and of states' components set to 0 in training; in [0, 1).
    out_dim : int, optional
        Width of the vector, through a linear map without bias. None: the width of the pooled states, no map.

    Notes
    -----
    Texts are packed by length, so no step is taken beyond a text's end, and a text's vector does not depend on the
    texts beside it. An empty text gives the zero vector. Source: Palangi et al. 2016 (LSTM-DSSM); Cho et al. 2014
    (GRU).
    """

    def __init__(
        self,
        n_terms: int,
        *,
        cell: str = "gru",
        dim: int = 128,
        hidden: int = 128,
        layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "mean",
        dropout: float = 0.0,
        out_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.options = {
            "cell": cell, "dim": dim, "hidden": hidden, "layers": layers, "bidirectional": bidirectional,
            "pooling": pooling, "dropout": dropout, "out_dim": out_dim,
        }  # fmt: skip
        _check_options(cell, pooling, dropout, bidirectional)
        for name, size, high in (("dim", dim, MAX_SIZE), ("hidden", hidden, MAX_SIZE), ("layers", layers, MAX_LAYERS)):
            check_size(name, size, high=high)
        width = hidden * (2 if bidirectional else 1)
        self.pooling = pooling
        self.out_dim = width if out_dim is None else check_size("out_dim", out_dim)
        self.embedding = nn.Embedding(n_terms, dim)
        self.dropout = nn.Dropout(dropout)
        self.cells = CELLS[cell](
            dim, hidden, layers, batch_first=True, bidirectional=bidirectional, dropout=dropout if layers > 1 else 0.0
        )
        self.projection = nn.Identity() if out_dim is None else nn.Linear(width, out_dim, bias=False)

    def forward(self, ids: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, out_dim] for ids int64 [T] cut at offsets int64 [B+1]."""
        lengths = offsets.diff()
        filled = lengths > 0
        vectors = torch.zeros(len(lengths), self.out_dim)
        if not bool(filled.any()):
            return vectors
        pooled = self._pooled(ids, offsets[:-1][filled], lengths[filled])
        return vectors.index_put((filled,), self.projection(self.dropout(pooled)))

    def _pooled(self, ids: torch.Tensor, starts: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Pool the top layer's states: [texts, width]. Every text has a term."""
        positions, batch_sizes, order = _packing(starts, lengths)
        embedded = self.dropout(self.embedding(ids[positions]))
        packed, last = self.cells(PackedSequence(embedded, batch_sizes, order, order.argsort()))
        if self.pooling == "last":
            state = (
                last[0] if isinstance(last, tuple) else last
            )  # LSTM: (h, c), each [layers * directions, texts, hidden]
            directions = 2 if self.cells.bidirectional else 1
            return torch.cat(list(state[-directions:]), dim=1)
        if self.pooling == "max":
            states, _ = pad_packed_sequence(packed, batch_first=True, padding_value=float("-inf"))
            return states.max(dim=1).values
        states, _ = pad_packed_sequence(packed, batch_first=True)
        return states.sum(dim=1) / lengths.unsqueeze(1)


def _packing(starts: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Lay out texts for a PackedSequence: all first terms, then all second terms, ..., longest text first.

    Returns
    -------
    positions : Tensor of int64, shape [T]
        Where in the flat ids each packed place reads.
    batch_sizes : Tensor of int64, shape [L]
        Texts that have an l-th term.
    order : Tensor of int64, shape [B]
        The texts, longest first.
    """
    order = lengths.argsort(descending=True, stable=True)
    steps = torch.arange(int(lengths.max())).unsqueeze(1)
    present = steps < lengths[order]
    return (starts[order] + steps)[present], present.sum(dim=1), order


def _check_options(cell: str, pooling: str, dropout: float, bidirectional: bool) -> None:
    if cell not in CELLS:
        raise InvalidInputError(f"unknown cell {cell!r}: choose one of {', '.join(sorted(CELLS))}")
    if pooling not in POOLINGS:
        raise InvalidInputError(f"unknown pooling {pooling!r}: choose one of {', '.join(POOLINGS)}")
    if isinstance(dropout, bool) or not isinstance(dropout, int | float):
        raise InputTypeError(f"dropout is {dropout!r}: it must be a number in [0, 1)")
    if not 0 <= dropout < 1:
        raise InvalidInputError(f"dropout is {dropout!r}: it must be in [0, 1)")
    if not isinstance(bidirectional, bool):
        raise InputTypeError(f"bidirectional is {bidirectional!r}: it must be True or False")
