"""Which documents a search may return: `where` of a search, as one bit a document. Knows no index and no scores.

Legend: N documents.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.arguments import DocIds


@dataclass(frozen=True)
class DocBitmap:
    """A set of documents of one index, made once and used for many searches.

    Attributes
    ----------
    words : ndarray of uint64, shape [ceil(N / 64)]
        Bit ``doc % 64`` of word ``doc // 64`` is set for each document of the set; the bits beyond N are 0.
    n_docs : int
        N.

    Examples
    --------
    >>> DocBitmap.of_mask(np.array([True, False, True])).words
    array([5], dtype=uint64)
    """

    words: npt.NDArray[np.uint64]
    n_docs: int

    def __len__(self) -> int:
        """Return how many documents are in the set."""
        return int(np.bitwise_count(self.words).sum())

    @classmethod
    def of_mask(cls, mask: npt.NDArray[np.bool_]) -> "DocBitmap":
        """Return the set of the documents whose element is true; `mask` is bool [N]."""
        padded = np.zeros(-(-len(mask) // 64) * 8, np.uint8)
        packed = np.packbits(mask, bitorder="little")
        padded[: len(packed)] = packed
        return cls(padded.view("<u8").astype(np.uint64, copy=False), len(mask))


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
        If a mask or bitmap is of another length, or names a document that is not in the index.
    """
    n = len(doc_ids)
    if isinstance(where, DocBitmap):
        if where.n_docs != n:
            raise InvalidInputError(f"where is a bitmap of {where.n_docs} documents, the index has {n}: make it anew")
        return where
    if isinstance(where, str | bytes) or not isinstance(where, Iterable):
        raise InputTypeError(
            f"where is {type(where).__name__}: give a bool array with one element a document, DocIds, doc_ids, or a DocBitmap"
        )
    array = where if isinstance(where, np.ndarray) else _as_array(where, doc_ids)
    if array.ndim != 1 or array.dtype.kind not in "biu":
        raise InputTypeError(
            f"where is {array.dtype} of shape {list(array.shape)}: give one dimension of bool or integers"
        )
    if array.dtype.kind == "b":
        if len(array) != n:
            raise InvalidInputError(f"where has {len(array)} truth values, the index has {n} documents: give one each")
        return DocBitmap.of_mask(array)
    wrong = (array < 0) | (array >= n) if array.dtype.kind == "i" else array >= n
    if wrong.any():
        raise InvalidInputError(f"where names document {array[wrong][0]}: the index has {n}, numbered from 0")
    mask = np.zeros(n, bool)
    mask[array] = True
    return DocBitmap.of_mask(mask)


def _as_array(where: Iterable[Any], doc_ids: DocIds) -> npt.NDArray[Any]:
    values = list(where)
    if all(isinstance(value, str) for value in values):
        return np.array([doc_ids.index(value) for value in values], np.int64)
    if all(isinstance(value, bool | np.bool_) for value in values):
        return np.array(values, np.bool_)
    if all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values):
        return np.array(values, np.int64)
    raise InputTypeError("where mixes types: give only doc_ids (str), only DocIds (int), or only truth values (bool)")
