"""Exact inner-product search over float32 vectors: the reference that every other dense index is compared with.

Legend: N documents, D dimensions, Q queries, K results, C candidates.
"""

from collections.abc import Iterable
from os import PathLike
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError
from twotower.index.arguments import (
    DocIds,
    Matrix,
    Vector,
    as_docs,
    as_queries,
    as_vectors,
    check_doc_ids,
    check_k,
    check_threads,
)
from twotower.index.native import core
from twotower.storage import read_container, write_container
from twotower.types import Hit, Hits

_KIND = "flat"


class FlatIndex:
    """All vectors, searched exactly. Make one with `build` or `load`.

    The score of a document is the sum over dimensions, from 0 up, of ``float64(query[d]) * float64(vector[d])``,
    rounded once to float32; the order is (score descending, DocId ascending). Every instruction set and number of
    threads gives the same answer, bit for bit. Immutable, and safe to search from many threads.

    Examples
    --------
    >>> import numpy as np
    >>> index = FlatIndex.build(np.array([[1.0, 0.0], [0.6, 0.8]], np.float32), ["east", "north-east"])
    >>> [(hit.doc_id, round(hit.score, 3)) for hit in index.search(np.array([0.0, 1.0], np.float32), k=2)]
    [('north-east', 0.8), ('east', 0.0)]
    """

    def __init__(self, vectors: npt.NDArray[np.float32], bounds: npt.NDArray[np.float32], doc_ids: DocIds) -> None:
        self._vectors = vectors
        self._bounds = bounds
        self._doc_ids = doc_ids

    @classmethod
    def build(cls, vectors: npt.ArrayLike, doc_ids: Iterable[str] | None = None) -> Self:
        """Make an index.

        Parameters
        ----------
        vectors : array_like of float, shape [N, D]
            Finite. N may be 0: ``np.empty((0, D))``. Copied once to C-contiguous float32, so that later changes of the
            argument do not reach the index; a read-only array that already is that is held as it is.
        doc_ids : iterable of str, optional
            One for each row, each once; "0", "1", ... if None.

        Raises
        ------
        InvalidInputError
            For a wrong shape, a value that is not finite (the message names row and column), a doc_id that comes twice.
        InputTypeError
            For vectors that are not floats or ids that are not strings.
        """
        array = as_vectors(vectors, own=True)
        ids = check_doc_ids(doc_ids, len(array))
        return cls(array, core.dense_norm_bounds(array, 0), ids)

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return f"FlatIndex({len(self)} documents, {self.dim} dimensions)"

    @property
    def dim(self) -> int:
        """D."""
        return int(self._vectors.shape[1])

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """The vectors, read-only, shape [N, D]."""
        return self._vectors

    @property
    def doc_ids(self) -> DocIds:
        """The user's ids by DocId: a sequence of str with a fast ``index(doc_id)``."""
        return self._doc_ids

    @overload
    def search(self, queries: Vector, k: int = 10, threads: int = 1) -> list[Hit]: ...
    @overload
    def search(self, queries: Matrix, k: int = 10, threads: int = 1) -> Hits: ...
    @overload
    def search(self, queries: npt.ArrayLike, k: int = 10, threads: int = 1) -> Hits | list[Hit]: ...
    def search(self, queries: npt.ArrayLike, k: int = 10, threads: int = 1) -> Hits | list[Hit]:
        """Find the k documents with the largest inner products.

        Parameters
        ----------
        queries : array_like of float, shape [Q, D] or [D]
            Finite. The zero vector scores 0 everywhere: its hits are in DocId order.
        k : int
            Hits for each query, 0 or more; rows are padded (DocId -1, score -inf) beyond N.
        threads : int
            0 is every core.

        Returns
        -------
        Hits, or list of Hit for a single query [D]

        Raises
        ------
        InvalidInputError
            For another number of dimensions, a value that is not finite, a `k` that is negative or no integer, or
            padding beyond `twotower.index.arguments.MAX_PADDED_CELLS`.
        InputTypeError
            For queries that are not floats.

        Notes
        -----
        Q * N * D float32 multiplications find candidates within a proven error bound (docs/math.md); those are scored
        by the definition. Memory: O(Q * k).
        """
        array, single = as_queries(queries, self.dim)
        k = check_k(k, len(array), len(self))
        scores, docs = core.dense_search(self._vectors, self._bounds, array, k, check_threads(threads))
        hits = Hits(scores, docs, self._doc_ids.__getitem__)
        return hits[0] if single else hits

    def score(self, queries: npt.ArrayLike, docs: npt.ArrayLike, threads: int = 1) -> npt.NDArray[np.float32]:
        """Return the exact scores of given documents.

        Parameters
        ----------
        queries : array_like of float, shape [Q, D]
        docs : array_like of int, shape [Q, C]
            DocIds; -1 is padding.
        threads : int
            0 is every core.

        Returns
        -------
        ndarray of float32, shape [Q, C]
            -inf at padding.

        Raises
        ------
        InvalidInputError, InputTypeError
            As `search`; also for a DocId that the index does not have.
        """
        array = as_vectors(queries, self.dim, "queries")
        wanted = as_docs(docs, len(array), len(self))
        scores: npt.NDArray[np.float32] = core.dense_scores(self._vectors, array, wanted, check_threads(threads))
        return scores

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder; a kill at any moment leaves the old index or the new one.

        Raises
        ------
        FileError
            If another process is saving there, or the system refuses.
        """
        write_container(folder, _KIND, {}, {"vectors": self._vectors, **self._doc_ids.to_arrays()})

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Open a saved index: mapped, and checked in full.

        Raises
        ------
        FileError
            If there is none.
        CorruptFileError
            If it is damaged or not a flat index.
        """
        return cls.from_arrays(read_container(folder, _KIND)[1], str(folder))

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]], where: str) -> Self:
        """Make an index of arrays that come from a file and are not believed.

        Raises
        ------
        CorruptFileError
            If vectors are missing, of another dtype or shape, or not finite; or the ids do not fit.
        """
        vectors = arrays.get("vectors")
        if vectors is None or vectors.dtype != np.float32 or vectors.ndim != 2 or vectors.shape[1] == 0:
            raise CorruptFileError(f"{where}: no vectors of float32 [N, D]; save the index again")
        doc_ids = DocIds.from_arrays(arrays, len(vectors))
        bounds = core.dense_norm_bounds(vectors, 0)
        if np.isnan(bounds).any():
            raise CorruptFileError(
                f"{where}: vector {int(np.isnan(bounds).argmax())} is not finite; save the index again"
            )
        return cls(vectors, bounds, doc_ids)
