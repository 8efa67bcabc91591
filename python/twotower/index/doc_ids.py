"""The user's ids of documents by DocId: checked when an index is built, found again, saved with it. Knows no index."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index.arguments import refuse_set
from twotower.storage import StringTable
from twotower.text import Vocabulary
from twotower.text.term_ids import batches


class DocIds(Sequence[str]):
    """The user's ids by DocId: strings that were given, or "0", "1", ... where none were.

    Parameters
    ----------
    n : int
        Number of documents.
    table : StringTable, optional
        The given ids.
    """

    def __init__(self, n: int, table: StringTable | None = None) -> None:
        self._n = n
        self._table = table

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, doc: int) -> str: ...
    @overload
    def __getitem__(self, doc: slice) -> list[str]: ...
    def __getitem__(self, doc: int | slice) -> str | list[str]:
        if self._table is not None:
            return self._table[doc]
        return [str(i) for i in range(self._n)[doc]] if isinstance(doc, slice) else str(range(self._n)[doc])

    def index(self, doc_id: str, start: int = 0, stop: int | None = None) -> int:
        """Return the DocId of a user's id, in O(1) after a first call of O(N).

        Raises
        ------
        InvalidInputError
            If there is no such document.
        """
        if not isinstance(doc_id, str):
            raise InputTypeError(f"doc_id is {doc_id!r} ({type(doc_id).__name__}): give a string")
        doc = self._find(doc_id)
        if doc is None or not start <= doc < (self._n if stop is None else stop):
            raise InvalidInputError(f"no document has the doc_id {doc_id!r}: the index holds {self._n}")
        return doc

    def __contains__(self, doc_id: object) -> bool:
        return isinstance(doc_id, str) and self._find(doc_id) is not None

    def _find(self, doc_id: str) -> int | None:
        if self._table is not None:
            return self._table.index(doc_id) if doc_id in self._table else None
        # Only canonical decimals: "007" and "٧" are nobody's id.
        if not (doc_id.isascii() and doc_id.isdecimal()) or len(doc_id) > len(str(self._n)):
            return None
        return int(doc_id) if str(int(doc_id)) == doc_id and int(doc_id) < self._n else None

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays to save; none where no ids were given."""
        return {} if self._table is None else {"doc_ids": self._table.blob, "doc_id_offsets": self._table.offsets}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], n: int) -> "DocIds":
        """Read what `to_arrays` returned, for an index of `n` documents.

        Raises
        ------
        CorruptFileError
            If the arrays are malformed or hold another number of ids.
        """
        if "doc_ids" not in arrays and "doc_id_offsets" not in arrays:
            return cls(n)
        if "doc_ids" not in arrays or "doc_id_offsets" not in arrays:
            raise CorruptFileError("the index has half of its table of doc_ids: save it again")
        table = StringTable(arrays["doc_ids"], arrays["doc_id_offsets"])
        if len(table) != n:
            raise CorruptFileError(f"the index has {n} documents and {len(table)} doc_ids: save it again")
        return cls(n, table)


def check_doc_ids(doc_ids: Iterable[str] | None, n: int) -> DocIds:
    """Return the ids of a build.

    Parameters
    ----------
    doc_ids : iterable of str, optional
        One for each document, each once. None: "0", "1", ...
    n : int
        Number of documents.

    Raises
    ------
    InputTypeError
        If it is a single string or a set, or one id is not a string.
    InvalidInputError
        If their number is not `n`, one comes twice (it is named), or one cannot be written as UTF-8.
    """
    if doc_ids is None:
        return DocIds(n)
    if isinstance(doc_ids, str | bytes):
        raise InputTypeError(f"doc_ids is one {type(doc_ids).__name__}: give an iterable with one string a document")
    if not isinstance(doc_ids, Iterable):
        raise InputTypeError(f"doc_ids is {type(doc_ids).__name__}: give an iterable of strings")
    refuse_set(doc_ids, "doc_ids")
    table = Vocabulary()  # numbers distinct strings in their order: an id that is new gets its own DocId
    for first, chunk in batches(islice(doc_ids, n + 1)):
        _check_strings(chunk, first)
        numbers = table.ids([chunk], grow=True).ids
        again = np.flatnonzero(numbers != np.arange(first, first + len(chunk)))
        if len(again):
            i = int(again[0])
            raise InvalidInputError(
                f"doc_id {chunk[i]!r} comes twice, at {numbers[i]} and {first + i}: make ids unique"
            )
    if len(table) != n:
        came = f"at least {len(table)}" if len(table) > n else str(len(table))
        raise InvalidInputError(f"{came} doc_ids for {n} documents: give one a document")
    return DocIds(n, StringTable(*table.to_arrays()))


def _check_strings(doc_ids: tuple[Any, ...], first: int) -> None:
    for i, doc_id in enumerate(doc_ids, first):
        if not isinstance(doc_id, str):
            raise InputTypeError(f"doc_ids[{i}] is {doc_id!r} ({type(doc_id).__name__}): ids are strings")
        try:
            if not doc_id.isascii():
                doc_id.encode()
        except UnicodeEncodeError as error:
            raise InvalidInputError(f"doc_ids[{i}] ({doc_id!r}) cannot be saved as UTF-8: {error.reason}") from error
