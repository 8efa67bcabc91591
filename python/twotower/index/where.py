"""Which documents a search may return: `where` of a search, as one bit a document. Knows no index and no scores.

Legend: N documents.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.arguments import refuse_masked
from twotower.index.doc_ids import DocIds
from twotower.index.immutable import cannot_change, freeze


@dataclass(frozen=True, eq=False)
class DocBitmap:
    """A set of documents of one index, made once and used for many searches.

    Attributes
    ----------
    words : ndarray of uint64, shape [ceil(N / 64)]
        Bit ``doc % 64`` of word ``doc // 64`` is set for each document of the set; the bits beyond N are 0. Read-only: a
        copy, unless nobody can write to the array that came.
    n_docs : int
        N.
    doc_ids : DocIds, optional
        The ids of the index that made the set, which is then refused by every other index. None: a set made by hand,
        for any index of N documents.

    Raises
    ------
    InputTypeError
        If `words` is no array of uint64 or `n_docs` no integer.
    InvalidInputError
        If `words` has another shape, or a bit beyond N is set.

    Examples
    --------
    >>> DocBitmap.of_mask(np.array([True, False, True])).words
    array([5], dtype=uint64)
    """

    words: npt.NDArray[np.uint64]
    n_docs: int
    doc_ids: DocIds | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        words: Any = self.words
        if not isinstance(words, np.ndarray) or words.dtype != np.uint64:
            came = f"{words.dtype} array" if isinstance(words, np.ndarray) else type(words).__name__
            raise InputTypeError(
                f"words of a DocBitmap is {came}: give an array of uint64, or use bitmap() of the index"
            )
        if isinstance(self.n_docs, bool) or not isinstance(self.n_docs, int | np.integer):
            raise InputTypeError(f"n_docs of a DocBitmap is {self.n_docs!r}: give an integer")
        if self.n_docs < 0 or words.shape != (-(-self.n_docs // 64),):
            raise InvalidInputError(
                f"words of a DocBitmap of {self.n_docs} documents has shape {list(words.shape)}: "
                "give one dimension, one word for each 64 documents"
            )
        if self.n_docs % 64 and words[-1] >> np.uint64(self.n_docs % 64):
            raise InvalidInputError(
                f"words of a DocBitmap of {self.n_docs} documents has bits beyond the last document: they must be 0"
            )
        if not cannot_change(words):
            object.__setattr__(self, "words", freeze(words.copy()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DocBitmap):
            return NotImplemented
        return self.n_docs == other.n_docs and np.array_equal(self.words, other.words)

    def __hash__(self) -> int:
        return hash((self.n_docs, self.words.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        return DocBitmap, (self.words, self.n_docs)  # another process has another index

    def __len__(self) -> int:
        """Return how many documents are in the set."""
        return int(np.bitwise_count(self.words).sum())

    @classmethod
    def of_mask(cls, mask: npt.NDArray[np.bool_], doc_ids: DocIds | None = None) -> "DocBitmap":
        """Return the set of the documents whose element is true; `mask` is bool [N]."""
        padded = np.zeros(-(-len(mask) // 64) * 8, np.uint8)
        packed = np.packbits(mask, bitorder="little")
        padded[: len(packed)] = packed
        return cls(padded.view("<u8").astype(np.uint64, copy=False), len(mask), doc_ids)


Where = DocBitmap | npt.NDArray[Any] | Iterable[bool] | Iterable[int] | Iterable[str] | None
"""Documents that may be returned; None: all."""


def as_bitmap(where: Any, doc_ids: DocIds) -> DocBitmap:
    """Return the documents that `where` names, for an index with these ids.

    Parameters
    ----------
    where : DocBitmap, array_like of bool, array_like of int, or iterable of str
        A set made before; N truth values; DocIds; or the user's ids. Repeated ones count once.

    Raises
    ------
    InputTypeError
        If it is none of these.
    InvalidInputError
        If a bitmap is of another index, or a mask of another length, or one names a document that is not in the index.
    """
    n = len(doc_ids)
    if isinstance(where, DocBitmap):
        if where.n_docs != n:
            raise InvalidInputError(f"where is a bitmap of {where.n_docs} documents, the index has {n}: make it anew")
        if where.doc_ids is not None and where.doc_ids is not doc_ids:
            raise InvalidInputError(
                "where is a bitmap that another index made: make it anew with this index's bitmap()"
            )
        return where
    if isinstance(where, str | bytes) or not isinstance(where, Iterable):
        raise InputTypeError(
            f"where is {type(where).__name__}: give a bool array with one element a document, DocIds, doc_ids, or a DocBitmap"
        )
    refuse_masked(where, "where")
    array = _of_numbers(where) if isinstance(where, np.ndarray) else None
    if array is None:
        array = _as_array(where, doc_ids)
    if array.ndim != 1 or array.dtype.kind not in "biu":
        raise InputTypeError(
            f"where is {array.dtype} of shape {list(array.shape)}: give one dimension of bool or integers"
        )
    if array.dtype.kind == "b":
        if len(array) != n:
            raise InvalidInputError(f"where has {len(array)} truth values, the index has {n} documents: give one each")
        return DocBitmap.of_mask(array, doc_ids)
    wrong = (array < 0) | (array >= n) if array.dtype.kind == "i" else array >= n
    if wrong.any():
        raise InvalidInputError(f"where names document {array[wrong][0]}: the index has {n}, numbered from 0")
    mask = np.zeros(n, bool)
    mask[array] = True
    return DocBitmap.of_mask(mask, doc_ids)


def _of_numbers(where: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Return an array as it is, unless it is to be read element by element: of strings, or of nothing."""
    return None if where.ndim == 1 and (where.dtype.kind in "OUT" or where.size == 0) else where


def _as_array(where: Iterable[Any], doc_ids: DocIds) -> npt.NDArray[Any]:
    values = list(where)
    if all(isinstance(value, str) for value in values):
        return np.array([doc_ids.index(value) for value in values], np.int64)
    if all(isinstance(value, bool | np.bool_) for value in values):
        return np.array(values, np.bool_)
    if all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values):
        for value in values:
            if not 0 <= value < len(doc_ids):
                raise InvalidInputError(f"where names document {value}: the index has {len(doc_ids)}, numbered from 0")
        return np.array(values, np.int64)
    raise InputTypeError("where mixes types: give only doc_ids (str), only DocIds (int), or only truth values (bool)")
