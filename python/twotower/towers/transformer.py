"""The transformer tower: every term looks at all terms of its text, several times; the last states are pooled.

T terms in all, B texts, D width, H heads, L terms of a text. No padding: all that treats terms one by one runs on [T, D],
and texts of one length share a call of the attention.
"""

import math
from collections import Counter

import torch
from torch import nn

from twotower.errors import InvalidInputError
from twotower.towers.pooling import check_dropout, pool
from twotower.towers.shape import MAX_SIZE, check_size
from twotower.towers.tower import Tower

NORMS = ("post", "pre")
POSITIONS = ("learned", "none", "sinusoidal")
POOLINGS = ("cls", "max", "mean")
MAX_LAYERS = 64


class TransformerTower(Tower):
    """An encoder with multi-head self-attention over word embeddings.

    Parameters
    ----------
    n_terms : int
        Rows of the embedding table: the size of the vocabulary.
    dim : int
        Width of embeddings and states; a multiple of `heads`.
    heads, layers : int
    hidden : int, optional
        Width of the two-layer network behind each attention. None: 4 `dim`.
    norm : {"pre", "post"}
        Layer normalisation of what goes into attention and network, and once at the end; or of the sums behind them.
    positions : {"sinusoidal", "learned", "none"}
        What is added to an embedding for its place. "none": the order of terms has no effect.
    max_positions : int
        Places that have a vector, where these are learned.
    pooling : {"mean", "max", "cls"}
        How the last states become one vector. "cls": the state of one more, learned, vector before the first term.
    dropout : float
        Share of components set to 0 in training: of the sums of embedding and place, of what attention and network add;
        in [0, 1).
    out_dim : int, optional
        Width of the vector, through a linear map without bias. None: `dim`, no map.

    Notes
    -----
    A text's vector does not depend on the texts beside it; an empty text gives the zero vector. Source: Vaswani et al.
    2017, section 3; "pre": Xiong et al. 2020, section 3; GELU: Hendrycks and Gimpel 2016. Cost per layer
    T D (4 D + 2 hidden) and the sum of L^2 D over texts.
    """

    def __init__(
        self,
        n_terms: int,
        *,
        dim: int = 128,
        heads: int = 4,
        layers: int = 2,
        hidden: int | None = None,
        norm: str = "pre",
        positions: str = "sinusoidal",
        max_positions: int = 512,
        pooling: str = "mean",
        dropout: float = 0.0,
        out_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.options = {
            "dim": dim, "heads": heads, "layers": layers, "hidden": hidden, "norm": norm, "positions": positions,
            "max_positions": max_positions, "pooling": pooling, "dropout": dropout, "out_dim": out_dim,
        }  # fmt: skip
        _check_options(dim, heads, layers, norm, positions, pooling)
        self.dim, self.pooling, self.positions = dim, pooling, positions
        self.out_dim = dim if out_dim is None else check_size("out_dim", out_dim)
        self.embedding = nn.Embedding(n_terms, dim)
        self.dropout = nn.Dropout(check_dropout(dropout))
        if positions == "learned":
            self.places = nn.Parameter(torch.randn(check_size("max_positions", max_positions), dim))
        if pooling == "cls":
            self.cls = nn.Parameter(torch.randn(dim))
        inner = 4 * dim if hidden is None else check_size("hidden", hidden)
        self.layers = nn.ModuleList(_Layer(dim, heads, inner, norm, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim) if norm == "pre" else nn.Identity()
        self.first_norm = nn.LayerNorm(dim) if norm == "post" else nn.Identity()
        self.projection = nn.Identity() if out_dim is None else nn.Linear(dim, out_dim, bias=False)

    def forward(self, ids: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, out_dim] for ids int64 [T] cut at offsets int64 [B+1].

        Raises
        ------
        InvalidInputError
            If positions are learned and a text has more terms than there are.
        """
        lengths = offsets.diff()
        vectors = torch.zeros(len(lengths), self.out_dim)
        filled = lengths.nonzero().squeeze(1)
        if not len(filled):
            return vectors
        order = filled[lengths[filled].argsort(stable=True)]  # by length: equal ones side by side
        lengths = lengths[order]
        owners = torch.arange(len(order)).repeat_interleave(lengths)
        steps = torch.arange(len(owners)) - (lengths.cumsum(0) - lengths)[owners]
        states = self.embedding(ids[offsets[:-1][order][owners] + steps]) + self._places(steps)
        if self.pooling == "cls":
            states, lengths = self._with_cls(states, lengths, owners, steps)
        groups = sorted(Counter(lengths.tolist()).items())
        states = self.dropout(self.first_norm(states))
        for layer in self.layers:
            states = layer(states, groups)
        pooled = self._pooled(self.norm(states), lengths)
        return vectors.to(pooled.dtype).index_copy(0, order, self.projection(pooled))

    def _places(self, steps: torch.Tensor) -> torch.Tensor:
        """Return what is added to the embedding of the term at each step, [T, D]."""
        n_places = int(steps.max()) + 1
        if self.positions == "learned":
            if n_places > len(self.places):
                raise InvalidInputError(
                    f"a text has {n_places} terms, max_positions is {len(self.places)}: raise it, or read fewer "
                    "(max_terms)"
                )
            return self.places[steps]
        return torch.zeros(1, self.dim) if self.positions == "none" else sinusoids(n_places, self.dim)[steps]

    def _with_cls(
        self, states: torch.Tensor, lengths: torch.Tensor, owners: torch.Tensor, steps: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put the vector `cls` before each text's states."""
        starts = lengths.cumsum(0) - lengths + torch.arange(len(lengths))
        longer = states.new_empty(len(states) + len(lengths), states.shape[1])
        longer = longer.index_copy(0, starts[owners] + 1 + steps, states)
        return longer.index_copy(0, starts, self.cls.expand(len(lengths), -1)), lengths + 1

    def _pooled(self, states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        if self.pooling == "cls":
            return states[lengths.cumsum(0) - lengths]
        return pool(states, lengths, self.pooling)


class _Layer(nn.Module):
    """Self-attention, then a network on each term; both are added to what came in."""

    def __init__(self, dim: int, heads: int, hidden: int, norm: str, dropout: float) -> None:
        super().__init__()
        self.heads, self.is_pre = heads, norm == "pre"
        self.attention_norm, self.network_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.to_heads, self.from_heads = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.network = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: torch.Tensor, groups: list[tuple[int, int]]) -> torch.Tensor:
        """Return the new states [T, D]; `groups` holds (length, texts of this length), in the order of the states."""
        if self.is_pre:
            states = states + self.dropout(self._attend(self.attention_norm(states), groups))
            states = states + self.dropout(self.network(self.network_norm(states)))
        else:
            states = self.attention_norm(states + self.dropout(self._attend(states, groups)))
            states = self.network_norm(states + self.dropout(self.network(states)))
        return states

    def _attend(self, states: torch.Tensor, groups: list[tuple[int, int]]) -> torch.Tensor:
        dim = states.shape[1]
        parts = self.to_heads(states).split([length * count for length, count in groups])
        found = []
        for part, (length, count) in zip(parts, groups, strict=True):
            heads = part.view(count, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
            mixed = nn.functional.scaled_dot_product_attention(heads[0], heads[1], heads[2])
            found.append(mixed.transpose(1, 2).reshape(count * length, dim))
        answer: torch.Tensor = self.from_heads(torch.cat(found))
        return answer


def sinusoids(n_places: int, dim: int) -> torch.Tensor:
    """Return the fixed vectors of places 0 to `n_places` - 1, float32 [n_places, dim].

    Notes
    -----
    Components 2i and 2i + 1 of place p are the sine and cosine of p / 10000^(2i / dim). Source: Vaswani et al. 2017,
    section 3.5.
    """
    rates = torch.exp(torch.arange(0, dim, 2) * (-math.log(10_000) / dim))
    angles = torch.arange(n_places).unsqueeze(1) * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :dim]


def _check_options(dim: int, heads: int, layers: int, norm: str, positions: str, pooling: str) -> None:
    for name, size, high in (("dim", dim, MAX_SIZE), ("heads", heads, MAX_SIZE), ("layers", layers, MAX_LAYERS)):
        check_size(name, size, high=high)
    if dim % heads:
        raise InvalidInputError(f"dim is {dim}, heads is {heads}: dim must be a multiple of heads")
    for name, value, allowed in (
        ("norm", norm, NORMS), ("positions", positions, POSITIONS), ("pooling", pooling, POOLINGS),
    ):  # fmt: skip
        if value not in allowed:
            raise InvalidInputError(f"unknown {name} {value!r}: choose one of {', '.join(allowed)}")
