"""Exact search over stored vectors: the reference that every other dense index is compared with.

Knows storages and metrics by name (flat_storage.py); products and bounds are in the core.

Legend: N documents, D dimensions, Q queries, K results, C candidates.
"""

from collections.abc import Iterable, Mapping
from os import PathLike
from threading import Lock
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import BackendError, CorruptFileError, InvalidInputError
from twotower.index.arguments import Matrix, Vector, as_queries, as_vectors, check_k, check_name, check_threads
from twotower.index.cuda_arrays import is_device_array
from twotower.index.cuda_flat import DEVICES, CudaFlatIndex, usable_device
from twotower.index.doc_ids import DocIds, check_doc_ids
from twotower.index.exact_vectors import ExactVectors
from twotower.index.flat_storage import METRICS, STORAGES, Stored, make_searcher, read_stored, store
from twotower.index.where import Where
from twotower.storage import read_container, write_container
from twotower.types import Hit, Hits

_KIND = "flat"


class FlatIndex(ExactVectors):
    """All vectors, searched exactly. Make one with `build` or `load`.

    A stored element stands for a float32 number (`vectors`), and a score is that of these numbers with the query as it is
    given: a sum over dimensions, from 0 up, in float64, each operation rounded; at last rounded once to float32.

    ===============  ==================================================================================
    metric           score
    ===============  ==================================================================================
    "inner_product"  the sum of ``q[d] * x[d]``
    "cosine"         the same divided by ``sqrt(sum q[d]**2) * sqrt(sum x[d]**2)``; 0 if one of these is 0
    "l2"             minus the sum of ``(q[d] - x[d])**2``: the nearest documents score best
    ===============  ==================================================================================

    The order is (score descending, DocId ascending). Every instruction set and number of threads gives the same answer,
    bit for bit. Immutable, and safe to search from many threads.

    Examples
    --------
    >>> import numpy as np
    >>> index = FlatIndex.build(np.array([[1.0, 0.0], [0.6, 0.8]], np.float32), ["east", "north-east"])
    >>> [(hit.doc_id, round(hit.score, 3)) for hit in index.search(np.array([0.0, 1.0], np.float32), k=2)]
    [('north-east', 0.8), ('east', 0.0)]
    """

    def __init__(self, stored: Stored, metric: str, doc_ids: DocIds) -> None:
        self._stored = stored
        self._metric = metric
        self._copies: dict[str, CudaFlatIndex] = {}
        self._copying = Lock()
        super().__init__(make_searcher(stored, metric), doc_ids)

    @classmethod
    def build(
        cls,
        vectors: npt.ArrayLike,
        doc_ids: Iterable[str] | None = None,
        storage: str = "float32",
        metric: str = "inner_product",
    ) -> Self:
        """Make an index.

        Parameters
        ----------
        vectors : array_like of float, shape [N, D]
            Finite. N may be 0: ``np.empty((0, D))``. float16, float32 or float64. Copied once to C-contiguous float32, so
            that later changes of the argument do not reach the index; a read-only array that already is that is held as
            it is.
        doc_ids : iterable of str, optional
            One for each row, each once; "0", "1", ... if None.
        storage : {"float32", "bfloat16", "float16", "int8"}
            What a vector is rounded to, to the nearest, ties to even: 4, 2, 2 or 1 bytes a dimension. "int8" has a scale
            for each vector: its largest magnitude becomes 127. The answers are exact for the rounded vectors.
        metric : {"inner_product", "cosine", "l2"}
            What a score is.

        Raises
        ------
        InvalidInputError
            For a wrong shape, a value that is not finite or beyond the range of the storage (the message names row and
            column), a doc_id that comes twice, an unknown storage or metric.
        InputTypeError
            For vectors that are not floats or ids that are not strings.
        """
        check_name(storage, "storage", STORAGES)
        if check_name(metric, "metric", METRICS) not in METRICS:
            raise InvalidInputError(f"metric is {metric!r}: choose one of {', '.join(METRICS)}")
        array = as_vectors(vectors, own=True)
        return cls(store(array, storage), metric, check_doc_ids(doc_ids, len(array)))

    def __len__(self) -> int:
        return len(self._stored.rows)

    def __repr__(self) -> str:
        return f"FlatIndex({len(self)} documents, {self.dim} dimensions, {self.storage}, {self.metric})"

    @property
    def dim(self) -> int:
        """D."""
        return int(self._stored.rows.shape[1])

    @property
    def storage(self) -> str:
        """What the vectors are rounded to: "float32", "bfloat16", "float16" or "int8"."""
        return self._stored.storage

    @property
    def metric(self) -> str:
        """What a score is: "inner_product", "cosine" or "l2"."""
        return self._metric

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """The float32 numbers that are scored, read-only, shape [N, D].

        The stored array itself for "float32"; for other storages, made at each access from the rounded elements. A
        "float32" index of these vectors gives the same answers.
        """
        return self._stored.values()

    def to(self, device: str = "cuda") -> "FlatIndex | CudaFlatIndex":
        """Return this index on a device: the same answers from vectors that lie there.

        Made on the first call for a device, and kept as long as this index.

        Parameters
        ----------
        device : str
            "cuda", "cuda:1", ...; "cpu": this index; "auto": a CUDA device where one can be used, else this index.

        Raises
        ------
        InputTypeError
            For something else than a string.
        InvalidInputError
            For another name.
        BackendError
            For a CUDA device without CUDA code in this build, a driver, the device, or memory on it.
        """
        check_name(device, "device", DEVICES)
        with self._copying:
            if device not in self._copies:
                made = usable_device(
                    device, lambda name: CudaFlatIndex.of_stored(self._stored, self._metric, self._doc_ids, name)
                )
                if made is None:
                    return self
                self._copies[device] = made
            return self._copies[device]

    @overload
    def search(
        self, queries: Vector, k: int = 10, threads: int = 1, *, where: Where = None, device: str = "cpu"
    ) -> list[Hit]: ...
    @overload
    def search(
        self, queries: Matrix, k: int = 10, threads: int = 1, *, where: Where = None, device: str = "cpu"
    ) -> Hits: ...
    @overload
    def search(
        self, queries: npt.ArrayLike, k: int = 10, threads: int = 1, *, where: Where = None, device: str = "cpu"
    ) -> Hits | list[Hit]: ...
    def search(
        self, queries: npt.ArrayLike, k: int = 10, threads: int = 1, *, where: Where = None, device: str = "cpu"
    ) -> Any:
        """Find the k documents with the best scores.

        Parameters
        ----------
        queries : array_like of float, shape [Q, D] or [D]
            Finite; float16, float32 or float64, scored as float32. The zero vector's inner products and cosines are 0
            everywhere: its hits are in DocId order.
        k : int
            Hits for each query, 0 or more; rows are padded (DocId -1, score -inf) beyond N.
        threads : int
            0 is every core.
        where : DocBitmap, array_like of bool, array_like of int, or iterable of str, optional
            Only these documents can be hits, and the others cost nothing: what `bitmap` returned, N truth values,
            DocIds, or the user's ids.
        device : str
            "cpu"; "cuda", "cuda:1", ...: there, from vectors that stay there (`to`); "auto": on a CUDA device where one
            can be used, and here if a search fails there. The answer is the same. Queries may be arrays of that device,
            see `CudaFlatIndex.search`.

        Returns
        -------
        Hits, or list of Hit for a single query [D]; DeviceHits for queries on a CUDA device

        Raises
        ------
        InvalidInputError
            For another number of dimensions, a value that is not finite, a `k` that is negative or no integer, padding
            beyond `twotower.index.arguments.MAX_PADDED_CELLS`, or a `where` that names documents the index does not have.
        InputTypeError
            For queries that are not floats, or a `where` or `device` of another type.
        BackendError
            If `device` names a CUDA device that is not there or has too little memory.

        Notes
        -----
        Q * N * D fast products find candidates within a proven error bound (docs/math.md, section 1); those are scored
        by the definition. Memory: O(Q * k * threads).
        """
        if device != "cpu" and isinstance(there := self.to(device), CudaFlatIndex):
            check_threads(threads)
            try:
                return there.search(queries, k, where=where)
            except BackendError:  # memory that others took since, or a forked process
                if device != "auto" or is_device_array(queries):
                    raise
        array, single = as_queries(queries, self.dim)
        k = check_k(k, len(array), len(self))
        words = None if where is None else np.ascontiguousarray(self.bitmap(where).words)
        scores, docs = self._searcher.search(array, k, check_threads(threads), words)
        hits = Hits(scores, docs, self._doc_ids.__getitem__)
        return hits[0] if single else hits

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder; a kill at any moment leaves the old index or the new one.

        Raises
        ------
        FileError
            If another process is saving there, or the system refuses.
        """
        meta = {"storage": self.storage, "metric": self.metric}
        write_container(folder, _KIND, meta, {**self._stored.to_arrays(), **self._doc_ids.to_arrays()})

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
        meta, arrays = read_container(folder, _KIND)
        return cls.from_arrays(arrays, str(folder), meta)

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, npt.NDArray[Any]], where: str, meta: Mapping[str, Any] | None = None
    ) -> Self:
        """Make an index of arrays that come from a file and are not believed.

        `meta` has "storage" and "metric"; a file without them has float32 and inner products.

        Raises
        ------
        CorruptFileError
            If vectors are missing, of another dtype or shape, or not finite; or the ids do not fit.
        """
        meta = meta or {}
        metric = meta.get("metric", "inner_product")
        if not isinstance(metric, str) or metric not in METRICS:
            raise CorruptFileError(f"{where}: the metric {metric!r} is unknown; save the index again")
        stored = read_stored(meta, arrays, where)
        index = cls(stored, metric, DocIds.from_arrays(arrays, len(stored.rows)))
        odd = index._searcher.odd_row()
        if odd >= 0:
            raise CorruptFileError(f"{where}: vector {odd} is not finite; save the index again")
        return index
