"""Dense search: a model that makes vectors of texts, and an index of vectors.

Knows neither how the model works nor how the index finds. Legend: Q queries, C candidates, D dimensions.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.index import FlatIndex
from twotower.index.arguments import check_integer
from twotower.search.searcher import as_texts
from twotower.types import Hit, Hits

_ROWS = 4096


class Dense:
    """Ranks documents by the inner product of their vectors with the query's.

    Parameters
    ----------
    model : TwoTower
        Or anything with ``encode_queries(texts) -> float32 [Q, D]``.
    index : FlatIndex or HNSWIndex
        Of the vectors that the same model gave to the documents.
    name : str
        Tell two dense searchers of one hybrid apart by it.
    dim : int, optional
        Search by so many leading components of the model's vectors, which the index holds: for a model trained with
        ``tt.losses.matryoshka`` and ``encode_queries(texts, dim=...)``. None: whole vectors.

    Raises
    ------
    InvalidInputError
        If the index has another number of dimensions than the model's vectors, or than `dim`; if `dim` is not
        an integer from 1 to D.

    Notes
    -----
    A text without a known term has the zero vector: it scores 0 everywhere, and its hits are in DocId order.
    """

    def __init__(self, model: Any, index: Any, name: str = "dense", dim: int | None = None) -> None:
        width, held = getattr(model, "out_dim", None), getattr(index, "dim", None)
        if dim is not None:
            width = check_integer(dim, "dim", 1, 2**31 if width is None else width)
        if width is not None and held is not None and width != held:
            raise InvalidInputError(
                f"the model makes vectors of {width} dimensions, the index holds {held}: index this model's vectors, or "
                "give the dim that they were cut to"
            )
        self.model = model
        self.index = index
        self.name = name
        self.dim = dim
        self._cut = {} if dim is None else {"dim": dim}

    @property
    def doc_ids(self) -> Any:
        """The user's ids by DocId."""
        return self.index.doc_ids

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        return f"Dense({type(self.model).__name__}, {self.index!r})"

    def encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return the vectors of queries, float32 [Q, D]."""
        vectors: npt.NDArray[np.float32] = self.model.encode_queries(texts, **self._cut)
        return vectors

    def encode_documents(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return the vectors of documents as the index holds them, float32 [N, D]."""
        vectors: npt.NDArray[np.float32] = self.model.encode_documents(texts, **self._cut)
        return vectors

    @overload  # a str is an iterable of str too: the order of the overloads decides
    def search(self, texts: str, k: int = 10, threads: int = 1) -> list[Hit]: ...  # type: ignore[overload-overlap]
    @overload
    def search(self, texts: Iterable[str], k: int = 10, threads: int = 1) -> Hits: ...
    def search(self, texts: str | Iterable[str], k: int = 10, threads: int = 1) -> list[Hit] | Hits:
        """Return the `k` best documents of each text, as the index finds them.

        Parameters
        ----------
        texts : str or iterable of str
        k : int
            Results for each query, 0 or more; rows are padded beyond N.
        threads : int
            Of the index; 0 is every core.

        Returns
        -------
        Hits, or list of Hit for a single str

        Raises
        ------
        InputTypeError
            If `texts` holds other things than strings.
        InvalidInputError
            If `k` or `threads` is negative or not an integer.
        """
        batch, single = as_texts(texts)
        on = (
            {"device": "auto"} if isinstance(self.index, FlatIndex) else {}
        )  # a CUDA device gives the same answer sooner
        hits: Hits = self.index.search(self.encode(batch), k, threads, **on)
        return hits[0] if single else hits

    def score(self, texts: Iterable[str], docs: npt.ArrayLike, threads: int = 1) -> npt.NDArray[np.float32]:
        """Return the exact scores, float32 [Q, C], of the DocIds `docs` [Q, C]; -inf where the DocId is -1.

        Raises
        ------
        InputTypeError, InvalidInputError
            As `search`; also for a DocId that the index does not have.
        """
        scores: npt.NDArray[np.float32] = self.index.score(self.encode(as_texts(texts)[0]), docs, threads)
        return scores

    def least_scores(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return ``-|q| max |d|``, float64 [Q], for query vectors [Q, D]: no inner product is below it (Cauchy-Schwarz).

        -1 where all vectors have length 1. The lengths of the documents are taken once, on the first call.
        """
        return -_lengths(vectors) * self._greatest_length

    @cached_property
    def _greatest_length(self) -> float:
        vectors = self.index.vectors
        blocks = (vectors[start : start + _ROWS] for start in range(0, len(vectors), _ROWS))
        return max((float(_lengths(block).max()) for block in blocks), default=0.0)


def _lengths(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the Euclidean lengths of rows; squares are added in order, so that every machine agrees."""
    squares = np.square(vectors, dtype=np.float64)
    lengths: npt.NDArray[np.float64] = np.sqrt(np.cumsum(squares, axis=1)[:, -1])
    return lengths
