"""What every index checks of its arguments, once, at the public boundary. Knows no index.

Legend: N documents, D dimensions, Q queries, K results.
"""

import operator
from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.aligned import aligned_empty
from twotower.index.immutable import cannot_change, freeze

MAX_PADDED_CELLS = 2**28
"""Largest Q x K when K is above N: beyond it (3 GiB of padding) `check_k` refuses."""

Parameters = ParamSpec("Parameters")
Built = TypeVar("Built")

Vector = np.ndarray[tuple[int], np.dtype[np.floating[Any]]]
"""A single query, for type checkers: a search of it returns one list of hits."""

Matrix = np.ndarray[tuple[int, int], np.dtype[np.floating[Any]]]
"""Queries [Q, D], for type checkers: a search of them returns `Hits`."""

_ROWS_AT_ONCE = 4096


def with_known_options(build: Callable[Parameters, Built]) -> Callable[Parameters, Built]:
    """Let a function refuse keywords that it does not have with an InputTypeError that lists those that it has."""
    known = [each.name for each in signature(build).parameters.values()][1:]

    @wraps(build)
    def checked(*values: Parameters.args, **options: Parameters.kwargs) -> Built:
        for name in options:
            if name not in known:
                raise InputTypeError(f"{build.__qualname__} has no option {name!r}: it takes {', '.join(known)}")
        return build(*values, **options)

    return checked


def check_k(k: Any, n_queries: int = 1, n_docs: int | None = None) -> int:
    """Return `k` as an int.

    Parameters
    ----------
    k : int
        Results asked for each query, 0 or more.
    n_queries, n_docs : int
        Sizes of this search. Rows are padded to `k`, so a `k` above `n_docs` is refused when ``n_queries * k`` exceeds
        `MAX_PADDED_CELLS`: nobody can want that much padding.

    Raises
    ------
    InvalidInputError
        If `k` is negative, not an integer (a bool is none), or asks for too much padding.

    Examples
    --------
    >>> check_k(10)
    10
    """
    number = _integer(k, "k")
    if number < 0:
        raise InvalidInputError(f"k is {number}: give 0 or more")
    cells = number * max(n_queries, 1)
    if n_docs is not None and number > n_docs and cells > MAX_PADDED_CELLS:
        raise InvalidInputError(
            f"k={number} for {n_queries} queries over {n_docs} documents would be {cells} padded cells, "
            f"above {MAX_PADDED_CELLS}: k={n_docs} already returns every document"
        )
    return number


def check_threads(threads: Any) -> int:
    """Return `threads` as an int from 0 (every core of the machine) to 1024.

    Raises
    ------
    InvalidInputError
        If it is out of that range or not an integer.
    """
    number = _integer(threads, "threads")
    if not 0 <= number <= 1024:
        raise InvalidInputError(f"threads is {number}: give 0 (every core) to 1024")
    return number


def check_integer(value: Any, name: str, least: int, most: int) -> int:
    """Return `value` as an int in [`least`, `most`].

    Raises
    ------
    InvalidInputError
        If it is out of range or not an integer.
    """
    number = _integer(value, name)
    if not least <= number <= most:
        raise InvalidInputError(f"{name} is {number}: give {least} to {most}")
    return number


def check_name(value: Any, name: str, known: Iterable[str]) -> str:
    """Return `value` as it is: a string that the core can read. `known` are those that messages list.

    Raises
    ------
    InputTypeError
        If it is no string.
    InvalidInputError
        If it has lone surrogates or null characters, which would cut the core's messages short.
    """
    if not isinstance(value, str):
        raise InputTypeError(f"{name} is {value!r} ({type(value).__name__}): give a string")
    if not _is_plain(value):
        raise InvalidInputError(f"{name} is {value!r}: choose one of {', '.join(known)}")
    return value


def _is_plain(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def refuse_masked(values: Any, name: str) -> None:
    """Raise InputTypeError for a masked array: indexes have no missing values, and reading it would drop the mask."""
    if isinstance(values, np.ma.MaskedArray):
        raise InputTypeError(f"{name} is a masked array: give a plain one, such as values.filled(0)")


def refuse_set(values: Any, name: str) -> None:
    """Raise InputTypeError for a set where the order counts: that of a set of strings changes from run to run."""
    if isinstance(values, set | frozenset):
        raise InputTypeError(
            f"{name} is a {type(values).__name__}, which has no order: give a list, such as sorted(...)"
        )


def _integer(value: Any, name: str) -> int:
    if isinstance(value, bool | np.bool_):
        raise InvalidInputError(f"{name} is {value!r}: give an integer")
    try:
        return operator.index(value)
    except TypeError:
        raise InvalidInputError(f"{name} is {value!r} ({type(value).__name__}): give an integer") from None


def as_vectors(
    values: Any, dim: int | None = None, name: str = "vectors", own: bool = False
) -> npt.NDArray[np.float32]:
    """Return `values` as C-contiguous native float32 [N, D], every element finite.

    An array that already is one is returned as it is. Other floats (float16, float64, big-endian), Fortran order and
    strides are converted, once, here.

    Parameters
    ----------
    values : array_like of float, shape [N, D]
        N may be 0; D may not.
    dim : int, optional
        The D it must have.
    name : str
        What messages call it.
    own : bool
        Return read-only memory that later changes of `values` do not reach, aligned to cache lines; an array that needs
        no conversion and that nobody can write to (itself, and what it is a view of) is returned as it is.

    Raises
    ------
    InputTypeError
        If the elements are not floats (integers, bool, objects, complex, strings).
    InvalidInputError
        If the shape is not [N, D] or D is not `dim`; or at the first row and column that is NaN, infinite, or beyond
        float32.

    Examples
    --------
    >>> as_vectors([[0.5, 1.0]]).dtype
    dtype('float32')
    """
    array = _as_float_array(values, name)
    if array.ndim != 2:
        raise InvalidInputError(f"{name} has shape {list(array.shape)}: give [rows, dimensions]")
    if array.shape[1] == 0:
        raise InvalidInputError(f"{name} has shape {list(array.shape)}: give at least one dimension")
    if dim is not None and array.shape[1] != dim:
        raise InvalidInputError(
            f"{name} has {array.shape[1]} dimensions, the index has {dim}: use the model of the index"
        )
    ready = array.dtype == np.float32 and array.flags.c_contiguous and cannot_change(array)
    with np.errstate(over="ignore"):
        if own and not ready:
            converted = aligned_empty(array.shape, np.float32)
            converted[...] = array
            freeze(converted)
        else:
            converted = np.ascontiguousarray(array, np.float32)
    _check_finite(array, converted, name)
    return converted


def as_queries(values: Any, dim: int) -> tuple[npt.NDArray[np.float32], bool]:
    """Return queries as float32 [Q, `dim`], and whether a single vector [`dim`] came.

    Raises
    ------
    InputTypeError, InvalidInputError
        As `as_vectors`.
    """
    array = _as_float_array(values, "queries")
    single = array.ndim == 1
    return as_vectors(array[np.newaxis] if single else array, dim, "queries"), single


def as_docs(docs: Any, n_queries: int, n_docs: int) -> npt.NDArray[np.int64]:
    """Return DocIds to score as C-contiguous int64 [Q, C].

    Raises
    ------
    InputTypeError
        If they are not integers.
    InvalidInputError
        If the shape is not [Q, C], or a value is neither a DocId of the index nor -1 (padding).
    """
    refuse_masked(docs, "docs")
    try:
        array = np.asarray(docs)
    except ValueError as error:
        raise InvalidInputError(f"docs is not a rectangular array: {error}; fill short rows with -1") from error
    if array.dtype.kind not in "iu":
        raise InputTypeError(f"docs are {array.dtype}: give integers")
    if array.ndim != 2 or array.shape[0] != n_queries:
        raise InvalidInputError(f"docs has shape {list(array.shape)}: give [{n_queries}, candidates], one row a query")
    wrong = (array < -1) | (array >= n_docs) if array.dtype.kind == "i" else array >= n_docs
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise InvalidInputError(
            f"docs[{row}, {column}] is {array[row, column]}: the index has {n_docs} documents, numbered from 0 "
            "(-1 is padding)"
        )
    return np.ascontiguousarray(array, np.int64)


def _as_float_array(values: Any, name: str) -> npt.NDArray[np.floating[Any]]:
    refuse_masked(values, name)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidInputError(f"{name} is not a rectangular array: {error}") from error
    except (TypeError, RuntimeError) as error:
        raise InputTypeError(f"{name} ({type(values).__name__}) cannot be read as an array: {error}") from error
    if array.dtype.kind != "f":
        raise InputTypeError(f"{name} has dtype {array.dtype}: give floats (float32 is not copied)")
    return array


def _check_finite(given: npt.NDArray[Any], converted: npt.NDArray[np.float32], name: str) -> None:
    for start in range(0, len(converted), _ROWS_AT_ONCE):  # bounded memory
        finite = np.isfinite(converted[start : start + _ROWS_AT_ONCE])
        if not finite.all():
            row, column = np.argwhere(~finite)[0].tolist()
            value = given[start + row, column]
            what = "beyond the range of float32" if np.isfinite(value) else "not finite"
            raise InvalidInputError(f"{name}[{start + row}, {column}] is {value}, which is {what}: give finite values")
