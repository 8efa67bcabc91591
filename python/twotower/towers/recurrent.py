"""The recurrent tower: a GRU or LSTM reads word embeddings in order; its states are pooled and optionally projected.

B texts, T terms in all.
"""

import torch
from torch import nn

from twotower.errors import InvalidInputError
from twotower.towers.gru import gru_states
from twotower.towers.lstm import lstm_states
from twotower.towers.packing import Packing
from twotower.towers.pooling import check_dropout
from twotower.towers.shape import MAX_SIZE, check_flag, check_size
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
        hidden: int = 256,
        layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "max",
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
        filled = lengths.nonzero().squeeze(1)
        vectors = torch.zeros(len(lengths), self.out_dim)
        if not len(filled):
            return vectors
        packing = Packing.of(offsets[filled], lengths[filled])
        states = self._states(self.dropout(self.embedding(ids[packing.positions])), packing)
        pooled = self._pooled(states, packing, offsets[filled])
        return vectors.index_copy(0, filled, self.projection(self.dropout(pooled)))

    def _states(self, inputs: torch.Tensor, packing: Packing) -> torch.Tensor:
        """Return the top layer's states, packed: [T, width]."""
        sizes = packing.sizes.tolist()
        for layer in range(self.cells.num_layers):
            inputs = self.dropout(inputs) if layer else inputs
            states = self._read(inputs, sizes, layer)
            if self.cells.bidirectional:
                mirrored = self._read(inputs[packing.mirror], sizes, layer, backward=True)
                states = torch.cat([states, mirrored[packing.mirror]], dim=1)
            inputs = states
        return inputs

    def _read(self, inputs: torch.Tensor, sizes: list[int], layer: int, backward: bool = False) -> torch.Tensor:
        if isinstance(self.cells, nn.GRU):
            return gru_states(self.cells, inputs, sizes, layer, backward)
        return lstm_states(self.cells, inputs, sizes, layer, backward)

    def _pooled(self, states: torch.Tensor, packing: Packing, starts: torch.Tensor) -> torch.Tensor:
        """Return one vector a text, [texts, width]."""
        if self.pooling == "last":
            forward = states[packing.last, : self.cells.hidden_size]
            return torch.cat([forward, states[packing.rank, self.cells.hidden_size :]], dim=1)
        return nn.functional.embedding_bag(packing.places(), states, starts, mode=self.pooling)


def _check_options(cell: str, pooling: str, dropout: float, bidirectional: bool) -> None:
    if cell not in CELLS:
        raise InvalidInputError(f"unknown cell {cell!r}: choose one of {', '.join(sorted(CELLS))}")
    if pooling not in POOLINGS:
        raise InvalidInputError(f"unknown pooling {pooling!r}: choose one of {', '.join(POOLINGS)}")
    check_dropout(dropout)
    check_flag("bidirectional", bidirectional)
