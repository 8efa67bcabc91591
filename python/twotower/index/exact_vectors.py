"""What indexes of vectors that score exactly have in common: ids, sets of documents, and the scores of given documents.

Legend: N documents, D dimensions, Q queries, C candidates.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError
from twotower.index.arguments import as_docs, as_vectors, check_threads
from twotower.index.doc_ids import DocIds
from twotower.index.immutable import Immutable
from twotower.index.native import core
from twotower.index.where import DocBitmap, Where, as_bitmap


class ExactVectors(Immutable, ABC):
    """Base of `FlatIndex` and `FlatCodesIndex`."""

    def __init__(self, searcher: core.DenseIndex, doc_ids: DocIds) -> None:
        self._searcher = searcher
        self._doc_ids = doc_ids

    @abstractmethod
    def __len__(self) -> int:
        """Return N."""

    @property
    @abstractmethod
    def dim(self) -> int:
        """D."""

    @property
    def doc_ids(self) -> DocIds:
        """The user's ids by DocId: a sequence of str with a fast ``index(doc_id)``."""
        return self._doc_ids

    def bitmap(self, where: Where) -> DocBitmap:
        """Return the documents that `where` names as a set of this index, for searches to come.

        Parameters and errors are those of ``search(where=...)``.

        Examples
        --------
        >>> import numpy as np
        >>> from twotower import FlatIndex
        >>> index = FlatIndex.build(np.eye(3), ["a", "b", "c"])
        >>> some = index.bitmap(["b", "c"])
        >>> [hit.doc_id for hit in index.search(np.ones(3), where=some)]
        ['b', 'c']
        """
        return as_bitmap(where, self.doc_ids)

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
        scores: npt.NDArray[np.float32] = self._searcher.score(array, wanted, check_threads(threads))
        return scores

    def scores(
        self, queries: npt.ArrayLike, doc_ids: Sequence[Sequence[str | None]], threads: int = 1
    ) -> npt.NDArray[np.float32]:
        """Return the exact scores of documents by the user's ids: what a fusion asks of candidates.

        Parameters
        ----------
        queries : array_like of float, shape [Q, D]
        doc_ids : Q sequences of str or None
            The documents to score for each query, as ``Hits.doc_ids`` has them; None is padding.
        threads : int
            0 is every core.

        Returns
        -------
        ndarray of float32, shape [Q, C]
            C is the greatest number of ids; -inf at padding and behind shorter sequences.

        Raises
        ------
        InvalidInputError, InputTypeError
            As `score`; also for an id that the index does not have.

        Examples
        --------
        >>> import numpy as np
        >>> from twotower import FlatIndex
        >>> index = FlatIndex.build(np.eye(3), ["a", "b", "c"])
        >>> index.scores(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), [["c", "a"], ["b"]])
        array([[  3.,   1.],
               [  5., -inf]], dtype=float32)
        """
        if not _is_sequence(doc_ids) or not all(_is_sequence(ids) for ids in doc_ids):
            raise InputTypeError("doc_ids must be one sequence of ids a query, such as [['a', 'b'], ['c']]")
        docs = np.full((len(doc_ids), max(map(len, doc_ids), default=0)), -1, np.int64)
        for row, ids in zip(docs, doc_ids, strict=True):
            row[: len(ids)] = [-1 if doc_id is None else self.doc_ids.index(doc_id) for doc_id in ids]
        return self.score(queries, docs, threads)


def _is_sequence(values: Any) -> bool:
    return isinstance(values, np.ndarray | Sequence) and not isinstance(values, str | bytes)
