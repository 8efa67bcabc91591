"""What the room checks of numbers that come from outside, once. Knows no score."""

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError


def as_numbers(name: str, values: Any) -> npt.NDArray[np.float64]:
    """Return `values` as a float64 array of any shape.

    Raises
    ------
    InputTypeError
        If an element is no real number.
    InvalidInputError
        If rows have different lengths.

    Examples
    --------
    >>> as_numbers("scores", [1, 0.5]).tolist()
    [1.0, 0.5]
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidInputError(f"{name} is not a rectangular array: {error}") from error
    except (TypeError, RuntimeError) as error:
        raise InputTypeError(f"{name} ({type(values).__name__}) cannot be read as an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise InputTypeError(f"{name} ({type(values).__name__}) has dtype {array.dtype}: give real numbers")
    return array.astype(np.float64, copy=False)


def as_number(name: str, value: Any) -> float:
    """Return a real number, NumPy's too, as it is.

    Raises
    ------
    InputTypeError
        If it is none (a bool is none).
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputTypeError(f"{name} is {value!r} ({type(value).__name__}): give a number")
    return value  # type: ignore[return-value]  # a Real: compared as it is, and no float may hold it


def as_list(name: str, values: Any) -> list[Any]:
    """Return a list of recordings or vectors.

    Raises
    ------
    InputTypeError
        If `values` cannot be gone through, or is one string.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputTypeError(f"{name} is of type {type(values).__name__}: give a list of arrays")
    return list(values)
