"""Exact inner-product search from one byte a dimension: the answers of FlatIndex, at a fraction of the memory it reads.

Knows no arithmetic of its own: codes, intervals and search are in the core (docs/math.md, section 3).
Legend: N documents, D dimensions, Q queries, K results, C candidates.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InvalidInputError
from twotower.index.arguments import (
    DocIds,
    Matrix,
    Vector,
    as_queries,
    as_vectors,
    check_doc_ids,
    check_k,
    check_threads,
)
from twotower.index.exact_vectors import ExactVectors
from twotower.index.flat_storage import Stored, make_searcher
from twotower.index.native import core
from twotower.index.where import Where
from twotower.storage import read_container, write_container
from twotower.types import Hit, Hits

__all__ = ["CodesProfile", "FlatCodesIndex"]

_KIND = "flat_codes"
_MEAN_ROWS = 16_384  # a sample that decides whether, and around what, vectors are centred
_WORTH_CENTRING = 0.9  # of the mean distance, below which it is
_PARTS = {"high": np.uint8, "low": np.uint8, "scales": np.float32, "coarse_radii": np.float32, "fine_radii": np.float32}


@dataclass(frozen=True, slots=True)
class CodesProfile:
    """How many rows each stage of a search saw, summed over its queries.

    Attributes
    ----------
    scanned : int
        Rows whose codes were multiplied: Q * N.
    refined : int
        Rows that the upper halves of the codes did not decide. 0 in batches, which read whole codes at once.
    rescored : int
        Rows scored by the definition, from their float32 vectors.
    """

    scanned: int
    refined: int
    rescored: int

    @property
    def share_refined(self) -> float:
        """`refined` / `scanned`; 0 where nothing was scanned."""
        return self.refined / max(self.scanned, 1)

    @property
    def share_rescored(self) -> float:
        """`rescored` / `scanned`; 0 where nothing was scanned."""
        return self.rescored / max(self.scanned, 1)


class FlatCodesIndex(ExactVectors):
    """All vectors and their codes, searched exactly. Make one with `build` or `load`.

    Scores, order and promises are those of `FlatIndex`, bit for bit: a code only says which interval surely contains
    the score, and every document whose interval reaches the k-th best is scored from its float32 vector. A single query
    reads half a byte a dimension, so that it costs about a seventh of the memory traffic. A loaded index maps its
    float32 vectors: they stay on disk but for the few rows that are read. Immutable, and safe to search from many
    threads.

    Examples
    --------
    >>> import numpy as np
    >>> index = FlatCodesIndex.build(np.array([[1.0, 0.0], [0.6, 0.8]], np.float32), ["east", "north-east"])
    >>> [(hit.doc_id, round(hit.score, 3)) for hit in index.search(np.array([0.0, 1.0], np.float32), k=2)]
    [('north-east', 0.8), ('east', 0.0)]
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.float32],
        parts: dict[str, npt.NDArray[Any]],
        mean: npt.NDArray[np.float32],
        doc_ids: DocIds,
    ) -> None:
        self._vectors = vectors
        self._parts = parts
        self._mean = mean
        self._codes = core.DenseCodes(vectors=vectors, mean=mean, **parts)
        super().__init__(make_searcher(Stored("float32", vectors), "inner_product"), doc_ids)

    @classmethod
    def build(cls, vectors: npt.ArrayLike, doc_ids: Iterable[str] | None = None, threads: int = 0) -> Self:
        """Make an index.

        Parameters
        ----------
        vectors : array_like of float, shape [N, D]
            Finite; D up to 65,536. N may be 0. Copied as `FlatIndex.build` says.
        doc_ids : iterable of str, optional
            One for each row, each once; "0", "1", ... if None.
        threads : int
            0 is every core.

        Raises
        ------
        InvalidInputError, InputTypeError
            As `FlatIndex.build`; also for more dimensions.
        """
        array = as_vectors(vectors, own=True)
        ids = check_doc_ids(doc_ids, len(array))
        mean = _centre(array)
        made = core.dense_codes_make(array, mean, check_threads(threads))
        return cls(array, dict(zip(_PARTS, made, strict=True)), mean, ids)

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return f"FlatCodesIndex({len(self)} documents, {self.dim} dimensions)"

    @property
    def dim(self) -> int:
        """D."""
        return int(self._vectors.shape[1])

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """The vectors, read-only, shape [N, D]; mapped from disk in a loaded index."""
        return self._vectors

    def memory(self) -> dict[str, int]:
        """Bytes by part: "codes" (what a search reads whole) and "vectors" (what it reads a few rows of)."""
        codes = sum(part.nbytes for part in self._parts.values()) + self._mean.nbytes
        return {"codes": codes, "vectors": self._vectors.nbytes}

    @overload
    def search(self, queries: Vector, k: int = 10, threads: int = 1, *, where: Where = None) -> list[Hit]: ...
    @overload
    def search(self, queries: Matrix, k: int = 10, threads: int = 1, *, where: Where = None) -> Hits: ...
    @overload
    def search(
        self, queries: npt.ArrayLike, k: int = 10, threads: int = 1, *, where: Where = None
    ) -> Hits | list[Hit]: ...
    def search(self, queries: npt.ArrayLike, k: int = 10, threads: int = 1, *, where: Where = None) -> Hits | list[Hit]:
        """Find the k documents with the largest inner products.

        Parameters
        ----------
        queries : array_like of float, shape [Q, D] or [D]
            Finite. The zero vector scores 0 everywhere: its hits are in DocId order.
        k : int
            Hits for each query, 0 or more; rows are padded (DocId -1, score -inf) beyond the documents there are.
        threads : int
            0 is every core.
        where : DocBitmap, array_like of bool, array_like of int, or iterable of str, optional
            The documents to search among: a set made by `bitmap`, N truth values, DocIds or doc_ids; all if None.

        Returns
        -------
        Hits, or list of Hit for a single query [D]

        Raises
        ------
        InvalidInputError
            As `FlatIndex.search`; also if `where` names a document that the index does not have.
        InputTypeError
            For queries that are not floats, or a `where` of another kind.

        Notes
        -----
        Up to three queries each read half a byte a dimension of every row, and the other halves of the few blocks of
        rows that this does not decide. More queries are multiplied together, with whole bytes. `profile` counts.
        """
        array, single = as_queries(queries, self.dim)
        scores, docs, _ = self._search(array, k, threads, where)
        hits = Hits(scores, docs, self._doc_ids.__getitem__)
        return hits[0] if single else hits

    def profile(self, queries: npt.ArrayLike, k: int = 10, threads: int = 1, *, where: Where = None) -> CodesProfile:
        """Search as `search` does and count the rows that each stage saw.

        Raises
        ------
        InvalidInputError, InputTypeError
            As `search`.
        """
        array, _ = as_queries(queries, self.dim)
        return CodesProfile(*self._search(array, k, threads, where)[2])

    def _search(self, queries: Matrix, k: int, threads: int, where: Where) -> tuple[Any, Any, Any]:
        k = check_k(k, len(queries), len(self))
        allowed = None if where is None else np.ascontiguousarray(self.bitmap(where).words)
        found: tuple[Any, Any, Any] = self._codes.search(queries, k, check_threads(threads), allowed)
        return found

    def save(self, folder: str | PathLike[str]) -> None:
        """Save codes and vectors to a folder; a kill at any moment leaves the old index or the new one.

        Raises
        ------
        FileError
            If another process is saving there, or the system refuses.
        """
        arrays = {"vectors": self._vectors, "mean": self._mean, **self._parts, **self._doc_ids.to_arrays()}
        write_container(folder, _KIND, {}, arrays)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Open a saved index: mapped, and checked in full.

        Raises
        ------
        FileError
            If there is none.
        CorruptFileError
            If it is damaged or not such an index.

        Notes
        -----
        That the codes are those of the vectors is believed, as is a BM25 index's count of a term; nothing that a file
        says can make a search read where it must not.
        """
        return cls.from_arrays(read_container(folder, _KIND)[1], str(folder))

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]], source: str) -> Self:
        """Make an index of arrays that come from a file and are not believed.

        Raises
        ------
        CorruptFileError
            If an array is missing, of another dtype or size, or not finite; or the ids do not fit.
        """
        vectors = arrays.get("vectors")
        if vectors is None or vectors.dtype != np.float32 or vectors.ndim != 2 or vectors.shape[1] == 0:
            raise CorruptFileError(f"{source}: no vectors of float32 [N, D]; save the index again")
        doc_ids = DocIds.from_arrays(arrays, len(vectors))
        parts = {name: _checked_part(arrays, name, dtype, source) for name, dtype in _PARTS.items()}
        mean = _checked_part(arrays, "mean", np.float32, source)
        if not (np.isfinite(mean).all() and np.isfinite(parts["scales"]).all() and (parts["scales"] >= 0).all()):
            raise CorruptFileError(f"{source}: the mean or a scale is not finite; save the index again")
        if not ((parts["coarse_radii"] >= 0).all() and (parts["fine_radii"] >= 0).all()):  # infinity is allowed
            raise CorruptFileError(f"{source}: a radius is negative or no number; save the index again")
        try:
            index = cls(vectors, parts, mean, doc_ids)
        except InvalidInputError as error:
            raise CorruptFileError(f"{source}: {error}; save the index again") from error
        odd = index._searcher.odd_row()
        if odd >= 0:
            raise CorruptFileError(f"{source}: vector {odd} is not finite; save the index again")
        return index


def _centre(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the mean of a sample of rows, or zeros where subtracting it would not bring the rows much closer."""
    sample = vectors[:: max(1, len(vectors) // _MEAN_ROWS)].astype(np.float64)
    zeros = np.zeros(vectors.shape[1], np.float32)
    if len(sample) == 0:
        return zeros
    mean = sample.mean(0).astype(np.float32)
    before = np.linalg.norm(sample, axis=1).mean()
    after = np.linalg.norm(sample - mean, axis=1).mean()
    return mean if after < _WORTH_CENTRING * before else zeros


def _checked_part(arrays: dict[str, npt.NDArray[Any]], name: str, dtype: Any, source: str) -> npt.NDArray[Any]:
    part = arrays.get(name)
    if part is None or part.dtype != dtype or part.ndim != 1:
        raise CorruptFileError(f"{source}: no {name} of {np.dtype(dtype)}, one-dimensional; save the index again")
    return part
