"""Exact search on a CUDA device: the answers of `FlatIndex`, from vectors that lie on the device.

Knows which arrays come from where; kernels and bounds are in the core (docs/decisions/cuda.md).

Legend: N documents, D dimensions, Q queries, K results.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import BackendError, InputTypeError, InvalidInputError
from twotower.hardware import backend
from twotower.index.arguments import as_queries, check_k, check_name
from twotower.index.cuda_arrays import DeviceMatrix, as_device_matrix, is_device_array
from twotower.index.doc_ids import DocIds, check_doc_ids
from twotower.index.flat_storage import METRICS, Stored
from twotower.index.immutable import Immutable
from twotower.index.native import core
from twotower.index.where import Where, as_bitmap
from twotower.types import Hit, Hits

DEVICES = ("cpu", "auto", "cuda", "cuda:0")
"""What messages list."""
MAX_DIGITS = 9
"""Of the number of a device: the core takes 32 bits."""


class DeviceHits(NamedTuple):
    """Ranked lists of several queries that stay on the device.

    Attributes
    ----------
    scores : DeviceArray of float32, shape [Q, K]
        -inf where fewer than K documents match. ``torch.from_dlpack(hits.scores)`` copies nothing.
    docs : DeviceArray of int64, shape [Q, K]
        DocIds, -1 where fewer than K match.
    """

    scores: core.DeviceArray
    docs: core.DeviceArray


class CudaFlatIndex(Immutable):
    """All vectors on a CUDA device, searched exactly. `FlatIndex.to` makes one, or `build` of vectors on a device.

    Documents, scores and order are those of a `FlatIndex` of the same vectors, bit for bit but for the sign of a zero.
    Vectors of the host that do not fit are streamed through the device in each search. Immutable, and safe to search
    from many threads.
    """

    def __init__(self, searcher: core.CudaSearcher, what: tuple[int, int, str, str], device: int, ids: DocIds) -> None:
        self._searcher = searcher
        self._n_docs, self._dim, self._storage, self._metric = what
        self._device = device
        self._doc_ids = ids

    @classmethod
    def of_stored(cls, stored: Stored, metric: str, doc_ids: DocIds, device: str = "cuda") -> Self:
        """Copy the rows of a `FlatIndex` to a device, or leave them where they are if they do not fit.

        Raises
        ------
        BackendError
            Without CUDA code in this build, a driver, the device, or memory on it.
        """
        number = device_number(device)
        searcher = core.CudaSearcher.of_host_rows(stored.rows, stored.scales, stored.storage, metric, number)
        n_docs, dim = stored.rows.shape
        return cls(searcher, (n_docs, dim, stored.storage, metric), number, doc_ids)

    @classmethod
    def build(cls, vectors: Any, doc_ids: Iterable[str] | None = None, metric: str = "inner_product") -> Self:
        """Make an index of vectors that are on a device; nothing passes through the host.

        Parameters
        ----------
        vectors : array on a CUDA device, shape [N, D]
            Anything with ``__dlpack__`` or ``__cuda_array_interface__``, such as a torch tensor: float32, float16 or
            bfloat16, which is the index's storage. C-contiguous. Copied once, on the device.
        doc_ids : iterable of str, optional
            One for each row, each once; "0", "1", ... if None.
        metric : {"inner_product", "cosine", "l2"}

        Raises
        ------
        InvalidInputError
            For a wrong shape, strides, a value that is not finite (the message names the row), a doc_id that comes
            twice, an unknown metric.
        InputTypeError
            For an array that is not on a device, or other elements.
        BackendError
            Without CUDA code in this build, or memory on the device.
        """
        if check_name(metric, "metric", METRICS) not in METRICS:
            raise InvalidInputError(f"metric is {metric!r}: choose one of {', '.join(METRICS)}")
        if not is_device_array(vectors):
            raise InputTypeError("vectors are not on a CUDA device: use FlatIndex.build(vectors).to('cuda')")
        matrix = as_device_matrix(vectors, "vectors")
        if matrix.single:
            raise InvalidInputError(f"vectors has shape [{matrix.shape[1]}]: give [rows, dimensions]")
        number = matrix.device if matrix.device is not None else 0
        searcher = core.CudaSearcher.of_device_rows(
            matrix.pointer, *matrix.shape, matrix.storage, metric, number, matrix.stream
        )
        odd = searcher.odd_row()
        if odd >= 0:
            raise InvalidInputError(f"vectors[{odd}] has a value that is not finite: remove NaN and infinity")
        ids = check_doc_ids(doc_ids, matrix.shape[0])
        return cls(searcher, (*matrix.shape, matrix.storage, metric), number, ids)

    def __len__(self) -> int:
        return self._n_docs

    def __repr__(self) -> str:
        where = f"on cuda:{self._device}" if self.resident else f"streamed to cuda:{self._device}"
        return f"CudaFlatIndex({len(self)} documents, {self.dim} dimensions, {self.storage}, {self.metric}, {where})"

    @property
    def dim(self) -> int:
        """D."""
        return self._dim

    @property
    def storage(self) -> str:
        """What the vectors are rounded to: "float32", "bfloat16", "float16" or "int8"."""
        return self._storage

    @property
    def metric(self) -> str:
        """What a score is: "inner_product", "cosine" or "l2"."""
        return self._metric

    @property
    def device(self) -> str:
        """Where the vectors are: "cuda:0", ..."""
        return f"cuda:{self._device}"

    @property
    def resident(self) -> bool:
        """Whether all vectors are on the device; else each search streams them there."""
        return self._searcher.resident()

    @property
    def doc_ids(self) -> DocIds:
        """The user's ids by DocId."""
        return self._doc_ids

    def search(
        self, queries: Any, k: int = 10, *, where: Where = None, stream: int | None = None
    ) -> Hits | list[Hit] | DeviceHits:
        """Find the k documents with the best scores.

        Parameters
        ----------
        queries : array_like of float, shape [Q, D] or [D]
            As `FlatIndex.search` takes them. Or an array on the index's device, with ``__dlpack__`` or
            ``__cuda_array_interface__``: float32, float16 or bfloat16, C-contiguous.
        k : int
            Hits for each query, 0 or more; rows are padded (DocId -1, score -inf) beyond N.
        where : as for `FlatIndex.search`
        stream : int, optional
            A ``cudaStream_t`` that the work is put on, for queries on a device. None: the current stream of torch for
            tensors, else what the array names, else the default stream.

        Returns
        -------
        Hits, or list of Hit for a single query [D]; DeviceHits for queries on a device
            Finished when the call returns.

        Raises
        ------
        InvalidInputError, InputTypeError
            As `FlatIndex.search`.
        BackendError
            For queries on another device, too little memory, or a device that fails.
        """
        words = None if where is None else np.ascontiguousarray(as_bitmap(where, self.doc_ids).words)
        if is_device_array(queries):
            return self._search_on_device(as_device_matrix(queries, "queries", stream), k, words)
        array, single = as_queries(queries, self.dim)
        k = check_k(k, len(array), len(self))
        scores, docs = self._searcher.search(array, k, words)
        hits = Hits(scores, docs, self._doc_ids.__getitem__)
        return hits[0] if single else hits

    def _search_on_device(self, queries: DeviceMatrix, k: int, words: npt.NDArray[np.uint64] | None) -> DeviceHits:
        n_queries, dim = queries.shape
        if dim != self.dim:
            raise InvalidInputError(
                f"queries has {dim} dimensions, the index has {self.dim}: use the model of the index"
            )
        if queries.device not in (None, self._device):
            raise BackendError(f"queries are on cuda:{queries.device}, the index is on {self.device}: move them there")
        k = check_k(k, n_queries, len(self))
        return DeviceHits(
            *self._searcher.search_on_device(queries.pointer, n_queries, queries.storage, k, words, queries.stream)
        )


def device_number(device: Any) -> int:
    """Return n of "cuda:n"; 0 of "cuda".

    Raises
    ------
    InputTypeError
        For something else than a string.
    InvalidInputError
        For another name.

    Examples
    --------
    >>> device_number("cuda:1")
    1
    """
    name = check_name(device, "device", DEVICES)
    kind, colon, number = name.partition(":")
    if kind == "cuda" and ((number.isdecimal() and len(number) <= MAX_DIGITS) or not colon):
        return int(number or 0)
    raise InvalidInputError(f"device is {name!r}: choose one of cpu, auto, cuda, cuda:0, cuda:1, ...")


def usable_device(device: str, make: Callable[[str], CudaFlatIndex]) -> CudaFlatIndex | None:
    """Return what `make` makes of `device`; None for "cpu", and for "auto" where no device can be used."""
    if device == "cpu" or (device == "auto" and not backend().cuda_devices):
        return None
    try:
        return make("cuda" if device == "auto" else device)
    except BackendError:
        if device != "auto":
            raise
        return None
