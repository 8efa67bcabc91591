"""Approximate inner-product search on a navigable small-world graph (hnswlib), re-scored exactly.

Legend: N documents, D dimensions, Q queries, K results, C candidates.
"""

import os
import threading
from collections.abc import Iterable
from os import PathLike
from typing import Self, overload

import hnswlib
import numpy as np
import numpy.typing as npt

from twotower.index.arguments import Matrix, Vector, as_queries, check_integer, check_k, check_threads
from twotower.index.doc_ids import DocIds
from twotower.index.flat import FlatIndex
from twotower.index.hnsw_graph import (
    MAX_EF_CONSTRUCTION,
    MAX_M,
    Options,
    extract,
    new_index,
    read_graph,
    read_options,
    restore,
)
from twotower.storage import read_container, write_container
from twotower.types import Hit, Hits

_KIND = "hnsw"
_ROWS_AT_ONCE = 256  # between two looks for Ctrl-C


class HNSWIndex:
    """A graph of near neighbours, searched greedily. Make one with `build` or `load`.

    Finds most of the best documents and looks at few: a larger `ef` finds more and takes longer. What it finds has the
    exact scores and the order of `FlatIndex`. The same vectors, options and seed give the same graph.

    Notes
    -----
    Y. Malkov and D. Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
    Small World graphs", IEEE TPAMI 42(4), 2020. The vectors are in memory twice: here for exact scores (mapped after
    `load`), and in the graph. Searches from several threads take turns; use `threads` for one large batch instead.

    Examples
    --------
    >>> import numpy as np
    >>> index = HNSWIndex.build(np.eye(4, dtype=np.float32), ["a", "b", "c", "d"])
    >>> index.search(np.array([0.0, 0.0, 1.0, 0.5], np.float32), k=2)
    [Hit(doc_id='c', score=1.0, doc=2), Hit(doc_id='d', score=0.5, doc=3)]
    """

    def __init__(self, flat: FlatIndex, graph: hnswlib.Index, options: Options) -> None:
        self._flat = flat
        self._graph = graph
        self._options = options
        self._turn = threading.Lock()  # ef is a setting of the whole graph

    @classmethod
    def build(
        cls,
        vectors: npt.ArrayLike,
        doc_ids: Iterable[str] | None = None,
        m: int = 16,
        ef_construction: int = 200,
        seed: int = 0,
    ) -> Self:
        """Make an index.

        Parameters
        ----------
        vectors : array_like of float, shape [N, D]
            As for `FlatIndex.build`.
        doc_ids : iterable of str, optional
            One for each row, each once; "0", "1", ... if None.
        m : int
            Links of a node on the upper levels (twice as many on the lowest), 2 to 256.
        ef_construction : int
            Candidates looked at while a node is linked, 1 to 2**20. More: a better graph, built more slowly.
        seed : int
            Of the random levels, 0 to 2**63 - 1.

        Raises
        ------
        InvalidInputError, InputTypeError
            As `FlatIndex.build`; also for an option out of its range.
        """
        options = Options(
            m=check_integer(m, "m", 2, MAX_M),
            ef_construction=check_integer(ef_construction, "ef_construction", 1, MAX_EF_CONSTRUCTION),
            seed=check_integer(seed, "seed", 0, 2**63 - 1),
        )
        flat = FlatIndex.build(vectors, doc_ids)
        graph = new_index(flat.dim, len(flat), options)
        for start in range(0, len(flat), _ROWS_AT_ONCE):
            part = flat.vectors[start : start + _ROWS_AT_ONCE]
            graph.add_items(part, np.arange(start, start + len(part)), num_threads=1)
        return cls(flat, graph, options)

    def __len__(self) -> int:
        return len(self._flat)

    def __repr__(self) -> str:
        return f"HNSWIndex({len(self)} documents, {self.dim} dimensions, m={self._options.m})"

    @property
    def dim(self) -> int:
        """D."""
        return self._flat.dim

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """The vectors, read-only, shape [N, D]."""
        return self._flat.vectors

    @property
    def doc_ids(self) -> DocIds:
        """The user's ids by DocId: a sequence of str with a fast ``index(doc_id)``."""
        return self._flat.doc_ids

    @overload
    def search(self, queries: Vector, k: int = 10, threads: int = 1, *, ef: int = 64) -> list[Hit]: ...
    @overload
    def search(self, queries: Matrix, k: int = 10, threads: int = 1, *, ef: int = 64) -> Hits: ...
    @overload
    def search(self, queries: npt.ArrayLike, k: int = 10, threads: int = 1, *, ef: int = 64) -> Hits | list[Hit]: ...
    def search(self, queries: npt.ArrayLike, k: int = 10, threads: int = 1, *, ef: int = 64) -> Hits | list[Hit]:
        """Find documents with large inner products.

        Parameters
        ----------
        queries : array_like of float, shape [Q, D] or [D]
        k : int
            Hits for each query, 0 or more; rows are padded (DocId -1, score -inf) where fewer are found.
        threads : int
            0 is every core.
        ef : int
            Candidates kept while searching, 1 to 2**20; at least `k` are kept.

        Returns
        -------
        Hits, or list of Hit for a single query [D]

        Raises
        ------
        InvalidInputError, InputTypeError
            As `FlatIndex.search`; also for an `ef` out of its range.
        """
        array, single = as_queries(queries, self.dim)
        k = check_k(k, len(array), len(self))
        threads = check_threads(threads)
        ef = check_integer(ef, "ef", 1, MAX_EF_CONSTRUCTION)
        docs = np.full((len(array), k), -1, np.int64)
        most = min(k, len(self))
        if most and len(array):
            with self._turn:
                self._graph.set_ef(max(ef, most))
                docs[:, :most] = self._candidates(array, most, threads or os.cpu_count() or 1)
        scores = self._flat.score(array, docs, threads)
        order = np.lexsort((docs, -scores, docs < 0))
        hits = Hits(np.take_along_axis(scores, order, 1), np.take_along_axis(docs, order, 1), self.doc_ids.__getitem__)
        return hits[0] if single else hits

    def _candidates(self, queries: npt.NDArray[np.float32], most: int, threads: int) -> npt.NDArray[np.int64]:
        """DocIds [Q, most], -1 where the graph leads to fewer."""
        try:
            return self._knn(queries, most, threads)
        except RuntimeError:
            # hnswlib gives nothing at all when one query finds fewer than asked (parts of the graph are out of reach).
            found = np.full((len(queries), most), -1, np.int64)
            for row, query in zip(found, queries, strict=True):
                self._fill_with_reachable(row, query[np.newaxis])
            return found

    def _fill_with_reachable(self, row: npt.NDArray[np.int64], query: npt.NDArray[np.float32]) -> None:
        """Bisect for the largest number that hnswlib can return: ef stays, so what it finds stays too."""
        able, unable = 0, len(row) + 1
        while unable - able > 1:
            middle = (able + unable) // 2
            try:
                row[:middle] = self._knn(query, middle, 1)[0]
                able = middle
            except RuntimeError:
                unable = middle
        row[able:] = -1

    def _knn(self, queries: npt.NDArray[np.float32], k: int, threads: int) -> npt.NDArray[np.int64]:
        labels, _ = self._graph.knn_query(queries, k=k, num_threads=threads)
        return np.asarray(labels, np.int64)

    def score(self, queries: npt.ArrayLike, docs: npt.ArrayLike, threads: int = 1) -> npt.NDArray[np.float32]:
        """Return the exact scores of given documents: see `FlatIndex.score`."""
        return self._flat.score(queries, docs, threads)

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder; a kill at any moment leaves the old index or the new one.

        Raises
        ------
        FileError
            If another process is saving there, or the system refuses.
        """
        meta, arrays = self._options._asdict(), {"vectors": self.vectors, **self.doc_ids.to_arrays()}
        if len(self):
            graph = extract(self._graph)
            meta["entry_point"] = graph.entry_point
            arrays |= {"levels": graph.levels, "links0": graph.links0, "links": graph.links}
        write_container(folder, _KIND, meta, arrays)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Open a saved index: the file is checked in full, then the graph is copied into hnswlib.

        Raises
        ------
        FileError
            If there is none.
        CorruptFileError
            If it is damaged, not an HNSW index, or its graph is malformed.
        """
        meta, arrays = read_container(folder, _KIND)
        flat = FlatIndex.from_arrays(arrays, str(folder))
        options = read_options(meta, str(folder))
        if not len(flat):
            return cls(flat, new_index(flat.dim, 0, options), options)
        graph = read_graph(meta, arrays, options.m, len(flat), str(folder))
        return cls(flat, restore(graph, options, flat.vectors), options)
