"""Columns of text as the core takes them: lists, NumPy, Arrow, bytes with offsets. Copies no text of Arrow or bytes."""

from collections.abc import Callable, Sequence, Set
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError
from twotower.text.native import NativeTexts


class ArrowColumn(Protocol):
    """Anything with the Arrow PyCapsule interface: a pyarrow array, a chunked array, a polars or pandas column."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


BytesAndOffsets: TypeAlias = tuple[bytes | bytearray | memoryview | npt.NDArray[np.uint8], npt.NDArray[np.integer[Any]]]
Texts: TypeAlias = Sequence[str] | npt.NDArray[Any] | ArrowColumn | BytesAndOffsets


def is_column(texts: Any) -> bool:
    """Tell whether `texts` is a list, a tuple, a NumPy array, or an Arrow column that says so and can be asked.

    A pandas column offers Arrow's interface even where pyarrow is absent and nothing would come: it is then a stream
    like any other iterable.
    """
    if isinstance(texts, (list, tuple, np.ndarray)):
        return True
    if hasattr(texts, "__arrow_c_array__"):
        return True
    stream: Callable[[], object] | None = getattr(texts, "__arrow_c_stream__", None)
    if stream is None:
        return False
    return not type(texts).__module__.startswith("pandas") or _pyarrow_is_there()


def native_texts(column: Texts, what: str) -> Any:
    """Return views of a column of texts, which hold on to it.

    Raises
    ------
    InputTypeError
        If it is no such column, or an item of it is no str.
    InvalidInputError
        If a text has a lone surrogate or is null, or offsets are out of range.
    """
    texts: Any = column
    if isinstance(texts, (str, bytes)):
        raise InputTypeError(f"{what}s is one {type(texts).__name__}: give a list of texts, or call encode for one")
    if isinstance(texts, tuple) and len(texts) == 2 and not isinstance(texts[0], str):
        _check_bytes(texts[0], what)
        return NativeTexts.of_bytes(texts[0], _offsets(texts[1]), what)
    if hasattr(texts, "__arrow_c_array__"):
        schema, array = texts.__arrow_c_array__()
        return NativeTexts.of_arrow_array(schema, array, what)
    if hasattr(texts, "__arrow_c_stream__"):
        return NativeTexts.of_arrow_stream(texts.__arrow_c_stream__(), what)
    if isinstance(texts, np.ndarray):
        if texts.ndim != 1 or texts.dtype.kind not in "OUT":
            raise InputTypeError(f"{what}s is {texts.dtype} {texts.shape}: it must be a one-dimensional array of str")
        return NativeTexts.of_strings(texts.tolist(), what)
    if isinstance(texts, Set) or not hasattr(texts, "__iter__"):
        raise InputTypeError(
            f"{what}s is of type {type(texts).__name__}: give a list of str, a NumPy or Arrow column of strings, or "
            "(bytes, offsets)"
        )
    return NativeTexts.of_strings(texts if isinstance(texts, (list, tuple)) else list(texts), what)


def _check_bytes(column: Any, what: str) -> None:
    try:
        memoryview(column)
    except TypeError:
        raise InputTypeError(
            f"{what}s is a tuple of {type(column).__name__} and something else: two texts must be str, and a column in "
            "one piece is (bytes, offsets)"
        ) from None


def _offsets(offsets: Any) -> npt.NDArray[np.int64]:
    array = np.asarray(offsets)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputTypeError(f"offsets is {array.dtype} {array.shape}: it must be a one-dimensional array of integers")
    return np.ascontiguousarray(array, np.int64)


def _pyarrow_is_there() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None
