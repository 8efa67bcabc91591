"""A list of documents for every query, in two arrays: what is known of a query, and what was mined for it.

Q queries, T documents in all lists. The arrays may be mapped from a file: nothing here reads more than it is asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InvalidInputError
from twotower.storage import read_container, write_container

Rows = npt.NDArray[np.int64]
KIND = "negatives"


@dataclass(frozen=True)
class DocLists:
    """Documents by query.

    Attributes
    ----------
    offsets : ndarray of int64, shape [Q + 1]
        Query q has ``docs[offsets[q]:offsets[q + 1]]``.
    docs : ndarray of uint32, shape [T]
        DocIds.

    Examples
    --------
    >>> lists = DocLists.of([[3, 1], [], [2]])
    >>> lists[0], len(lists)
    (array([3, 1], dtype=uint32), 3)
    """

    offsets: npt.NDArray[np.int64]
    docs: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, lists: Iterable[Iterable[int]]) -> Self:
        """Make the arrays of Python lists."""
        rows = [np.fromiter(docs, np.uint32) for docs in lists]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls(offsets, np.concatenate([np.empty(0, np.uint32), *rows]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, query: int) -> npt.NDArray[np.uint32]:
        return self.docs[self.offsets[query] : self.offsets[query + 1]]

    def flat(self, queries: Rows) -> tuple[Rows, Rows]:
        """Return (place in `queries`, document) for every document of their lists, int64, in the order of the lists."""
        starts = self.offsets[queries]
        lengths = self.offsets[queries + 1] - starts
        places = np.repeat(np.arange(len(queries)), lengths)
        shift = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        return places, self.docs[np.arange(len(places)) + shift].astype(np.int64)

    def contains(self, queries: Rows, docs: Rows) -> npt.NDArray[np.bool_]:
        """Tell for each document of [R, K] whether it is in the list of its row's query; `queries` is [R]."""
        places, listed = self.flat(queries)
        width = np.int64(2**32)  # a DocId has 32 bits; -1 stays apart, for no list has it
        wanted = np.arange(len(queries))[:, None] * width + docs
        return np.isin(wanted, places * width + listed) & (docs >= 0)

    def draw(self, queries: Rows, n: int, generator: np.random.Generator) -> tuple[Rows, Rows]:
        """Return (place in `queries`, document): `n` different ones of each list by chance, or all where there are fewer."""
        places, listed = self.flat(queries)
        order = np.lexsort((generator.random(len(places)), places))
        first = np.searchsorted(places, np.arange(len(queries)))  # places ascend, and still do in `order`
        taken = order[np.arange(len(places)) - first[places] < n]
        return places[taken], listed[taken]

    def save(self, folder: str | PathLike[str], meta: dict[str, Any] | None = None, **more: npt.NDArray[Any]) -> None:
        """Save to a folder, atomically, with further metadata and arrays."""
        write_container(folder, KIND, meta or {}, {"offsets": self.offsets, "docs": self.docs, **more})

    @classmethod
    def load(
        cls, folder: str | PathLike[str], n_documents: int
    ) -> tuple[Self, dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Return saved lists (mapped), the metadata and the further arrays.

        Raises
        ------
        FileError
            If there is nothing saved.
        CorruptFileError
            If it is damaged, or a list names a document beyond `n_documents`.
        """
        meta, arrays = read_container(folder, KIND)
        offsets, docs = arrays.pop("offsets", None), arrays.pop("docs", None)
        if offsets is None or docs is None or offsets.dtype != np.int64 or docs.dtype != np.uint32:
            raise CorruptFileError(f"{folder}: no lists of negatives (offsets of int64, docs of uint32): mine again")
        ascending = (
            len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == len(docs) and bool((np.diff(offsets) >= 0).all())
        )
        if offsets.ndim != 1 or docs.ndim != 1 or not ascending:
            raise CorruptFileError(f"{folder}: the offsets do not cut {len(docs)} documents into lists: mine again")
        if len(docs) and int(docs.max()) >= n_documents:
            raise CorruptFileError(
                f"{folder}: names document {int(docs.max())} of {n_documents}: mine again over this corpus"
            )
        return cls(offsets, docs), meta, arrays


def overlap(old: DocLists, new: DocLists, queries: Rows) -> float:
    """Return the share of the documents of `new` that `old` has too, over the lists of `queries`; 1 where new is empty.

    Examples
    --------
    >>> overlap(DocLists.of([[1, 2], [3]]), DocLists.of([[2, 5], [3, 4]]), np.array([0, 1]))
    0.5
    """
    places, docs = new.flat(queries)
    return float(old.contains(queries[places], docs[:, None]).mean()) if len(docs) else 1.0


def check_same_length(lists: DocLists, n_queries: int, what: str) -> None:
    """Refuse lists of another number of queries.

    Raises
    ------
    InvalidInputError
        With both numbers.
    """
    if len(lists) != n_queries:
        raise InvalidInputError(
            f"{what} has lists of {len(lists)} queries, the task {n_queries}: mine for these queries"
        )
