"""Sparse vectors as users bring them: matrices in CSR form, dicts, lists of pairs. Knows no index and no score.

Legend: N vectors, T weights in all of them, V terms.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.arguments import refuse_masked, refuse_set
from twotower.index.native import core
from twotower.text import Vocabulary
from twotower.text.term_ids import batches

MOST_IDS = 2**24
"""Term ids of documents are below it: an index has a table entry for every id up to the largest."""

_UNKNOWN = -1


class SparseVectors(NamedTuple):
    """N vectors as T terms and weights, one behind the other.

    Attributes
    ----------
    ids : ndarray of int32, shape [T]
        -1 stands for a term that no document has.
    offsets : ndarray of int64, shape [N + 1]
        The terms of vector n are ``ids[offsets[n]:offsets[n + 1]]``.
    weights : ndarray of float32, shape [T]
    """

    ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]


def read_documents(vectors: Any) -> tuple[SparseVectors, Vocabulary | None, int]:
    """Return documents, the vocabulary of their terms (None: the terms are ids), and V.

    Raises
    ------
    InputTypeError
        If `vectors` or one of them is of no form that `SparseIndex.build` takes.
    InvalidInputError
        If a weight is not finite or beyond 2^50, an id is negative or not below `MOST_IDS`, a matrix is malformed, or a
        list has a term twice.
    """
    arrays = _csr_arrays(vectors, "vectors")
    if arrays is None:
        vocabulary = Vocabulary()
        read, words = _read_rows(vectors, "vectors", None, lambda terms: vocabulary.ids([terms], grow=True).ids)
        if words:
            return read, vocabulary, len(vocabulary)
    else:
        read = _read_csr(arrays, "vectors", MOST_IDS)
    n_terms = int(read.ids.max(initial=-1)) + 1
    if n_terms > MOST_IDS:
        _refuse_id(n_terms - 1)
    return read, None, n_terms


def read_queries(vectors: Any, vocabulary: Vocabulary | None, n_terms: int) -> SparseVectors:
    """Return queries to an index of `n_terms` terms; those that it does not have are -1.

    Raises
    ------
    InputTypeError, InvalidInputError
        As `read_documents`; also if the terms are strings where those of the index are ids, or the other way round.
    """
    arrays = _csr_arrays(vectors, "queries")
    if arrays is None:
        words = None if n_terms == 0 else vocabulary is not None  # an index without a term takes either
        known = vocabulary or Vocabulary()
        read, _ = _read_rows(vectors, "queries", words, lambda terms: known.ids([terms]).ids)
    elif vocabulary is not None:
        raise InputTypeError("queries are a matrix, the index has strings as terms: give dicts from string to weight")
    else:
        read = _read_csr(arrays, "queries", n_terms, unknown=True)
    return read._replace(ids=np.where(read.ids < n_terms, read.ids, np.int32(_UNKNOWN)))


def _csr_arrays(vectors: Any, name: str) -> tuple[Any, Any, Any, int | None] | None:
    """Return (indptr, indices, data, columns if known) of a matrix or of three arrays; None for anything else."""
    if hasattr(vectors, "tocsr") and getattr(vectors, "format", "csr") != "csr":
        vectors = vectors.tocsr()
    if all(hasattr(vectors, part) for part in ("indptr", "indices", "data")):
        if getattr(vectors, "format", "csr") != "csr":
            raise InputTypeError(f"{name} is a {vectors.format!r} matrix: give CSR, which has one row a vector")
        shape = getattr(vectors, "shape", None)
        if shape is not None and len(shape) != 2:
            raise InvalidInputError(f"{name} has shape {list(shape)}: give two dimensions, a row for each vector")
        return vectors.indptr, vectors.indices, vectors.data, None if shape is None else int(shape[1])
    if isinstance(vectors, tuple) and len(vectors) == 3 and all(isinstance(part, np.ndarray) for part in vectors):
        return *vectors, None
    return None


def _read_csr(
    arrays: tuple[Any, Any, Any, int | None], name: str, n_terms: int, unknown: bool = False
) -> SparseVectors:
    """Return a matrix as vectors. Ids from `n_terms` on become -1 if they may be `unknown`; else they are refused."""
    for part in arrays[:3]:
        refuse_masked(part, name)
    indptr, indices, data = (np.asarray(part) for part in arrays[:3])
    for part, array in (("indptr", indptr), ("indices", indices)):
        if array.dtype.kind not in "iu" or array.ndim != 1:
            raise InputTypeError(
                f"{part} of {name} is {array.dtype} of shape {list(array.shape)}: give one dimension of integers"
            )
    if data.dtype.kind != "f" or data.ndim != 1:
        raise InputTypeError(
            f"data of {name} is {data.dtype} of shape {list(data.shape)}: give one dimension of floats (float32 is not copied)"
        )
    if len(indices) != len(data):
        raise InvalidInputError(f"{name} has {len(indices)} indices and {len(data)} weights: give one each")
    if len(indptr) == 0 or indptr[0] != 0 or indptr[-1] != len(indices) or (indptr[1:] < indptr[:-1]).any():
        raise InvalidInputError(f"indptr of {name} does not rise from 0 to the number of indices, {len(indices)}")
    least, most = (int(indices.min()), int(indices.max())) if len(indices) else (0, -1)
    if least < 0 or (arrays[3] is not None and most >= arrays[3]):
        limit = "" if arrays[3] is None else f" to below {arrays[3]}"
        raise InvalidInputError(f"{name} has the term id {least if least < 0 else most}: ids go from 0{limit}")
    if most >= n_terms and not unknown:
        _refuse_id(most)
    offsets = np.ascontiguousarray(indptr, np.int64)
    weights = _as_weights(data, offsets, name, indices.__getitem__)
    beyond = np.flatnonzero(indices >= n_terms)
    if len(beyond):
        _check_distinct(indices, beyond, offsets, name)
        indices = np.where(indices < n_terms, indices, 0).astype(np.int32)
        indices[beyond] = _UNKNOWN
    return SparseVectors(np.ascontiguousarray(indices, np.int32), offsets, weights)


def _refuse_id(term: int) -> NoReturn:
    raise InvalidInputError(
        f"vectors have the term id {term}: ids of documents are below {MOST_IDS}; number the terms densely, or give them "
        "as strings"
    )


def _check_distinct(
    indices: npt.NDArray[Any], places: npt.NDArray[np.intp], offsets: npt.NDArray[np.int64], name: str
) -> None:
    """Raise InvalidInputError if a vector has an id twice among those at `places`. The core looks at known ids only."""
    rows = np.searchsorted(offsets, places, "right") - 1
    order = np.lexsort((indices[places], rows))
    ids, rows = indices[places][order], rows[order]
    twice = np.flatnonzero((ids[1:] == ids[:-1]) & (rows[1:] == rows[:-1]))
    if len(twice):
        raise InvalidInputError(f"{name}[{rows[twice[0]]}] has term {ids[twice[0]]} twice: add its weights up first")


def _read_rows(
    vectors: Any, name: str, words: bool | None, numbers_of: Callable[[list[str]], npt.NDArray[np.int32]]
) -> tuple[SparseVectors, bool | None]:
    """Return dicts or lists of pairs as vectors, and whether their terms are strings (None: there is no term).

    `words` says what the terms must be; None: the first one tells.
    """
    if isinstance(vectors, str | bytes | Mapping) or not isinstance(vectors, Iterable):
        raise InputTypeError(
            f"{name} is one {type(vectors).__name__}: give a matrix in CSR form, or a list of dicts from term to weight"
        )
    refuse_set(vectors, name)
    parts = [SparseVectors(np.zeros(0, np.int32), np.zeros(1, np.int64), np.zeros(0, np.float32))]
    for first, batch in batches(vectors):
        rows = [_row(vector, f"{name}[{i}]") for i, vector in enumerate(batch, first)]
        terms = list(chain.from_iterable(row[0] for row in rows))
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row[0]) for row in rows], out=offsets[1:])
        if terms and words is None:
            words = isinstance(terms[0], str)
        ids = _as_ids(terms, words, name, numbers_of)
        given = list(chain.from_iterable(row[1] for row in rows))
        weights = _as_weights(_numbers(given, terms, name), offsets, name, terms.__getitem__, first)
        parts.append(SparseVectors(ids, offsets[1:] + parts[-1].offsets[-1], weights))
    return SparseVectors(*(np.concatenate(column) for column in zip(*parts, strict=True))), words


def _row(vector: Any, name: str) -> tuple[list[Any], list[Any]]:
    """Return the terms and the weights of a dict or of pairs."""
    if isinstance(vector, Mapping):
        return list(vector), list(vector.values())
    if isinstance(vector, str | bytes) or not isinstance(vector, Sequence):
        raise InputTypeError(
            f"{name} is of type {type(vector).__name__}: give a dict from term to weight, or a list of pairs"
        )
    for pair in vector:
        if not isinstance(pair, Sequence) or isinstance(pair, str | bytes) or len(pair) != 2:
            raise InputTypeError(f"{name} has {pair!r}: give pairs of a term and its weight")
    terms = [term for term, _ in vector]
    seen: set[Any] = set()
    for term in terms:
        if not isinstance(term, str | int | np.integer):
            raise InputTypeError(f"{name} has the term {term!r} ({type(term).__name__}): give strings, or integer ids")
        if term in seen:
            raise InvalidInputError(f"{name} has the term {_shown(term)} twice: add its weights up first")
        seen.add(term)
    return terms, [weight for _, weight in vector]


def _as_ids(
    terms: list[Any], words: bool | None, name: str, numbers_of: Callable[[list[str]], npt.NDArray[np.int32]]
) -> npt.NDArray[np.int32]:
    wanted: Any = str if words else int | np.integer
    for term in terms:
        if not isinstance(term, wanted) or isinstance(term, bool):
            what = "a string" if words else "an integer id"
            raise InputTypeError(f"{name} have the term {_shown(term)} ({type(term).__name__}), where {what} is wanted")
    if words:
        return numbers_of(terms)
    for term in terms:
        if not 0 <= term < 2**31 - 1:
            raise InvalidInputError(f"{name} have the term id {term}: ids go from 0 to below {2**31 - 1}")
    return np.array(terms, np.int32)


def _shown(term: Any) -> str:
    """Return a term for a message: strings in quotes, ids of any type as numbers."""
    return repr(term.item() if isinstance(term, np.generic) else term)


def _numbers(weights: list[Any], terms: list[Any], name: str) -> npt.NDArray[np.float64]:
    for term, weight in zip(terms, weights, strict=True):
        if not isinstance(weight, float | int | np.floating | np.integer) or isinstance(weight, bool):
            raise InputTypeError(
                f"{name} give term {_shown(term)} the weight {weight!r} ({type(weight).__name__}): give a number"
            )
    try:
        return np.array(weights, np.float64)
    except OverflowError:
        raise InvalidInputError(f"{name} hold a weight beyond the range of float64: give one within 2^50") from None


def _as_weights(
    data: npt.NDArray[Any], offsets: npt.NDArray[np.int64], name: str, term_of: Callable[[int], Any], first: int = 0
) -> npt.NDArray[np.float32]:
    """Return weights as float32; the error names the vector, counted from `first`, and the term."""
    if data.dtype.itemsize < 4:
        data = data.astype(np.float32)  # 2^50 is beyond float16
    fine = np.abs(data) <= core.most_weight
    if not fine.all():
        place = int(np.argmin(fine))
        row = first + int(np.searchsorted(offsets, place, "right")) - 1
        raise InvalidInputError(
            f"{name}[{row}] gives term {_shown(term_of(place))} the weight {data[place]}: give finite weights between -2^50 and 2^50"
        )
    return np.ascontiguousarray(data, np.float32)
