"""What indexes that never change have in common: they are their own copy, are saved, not pickled, and nobody writes to them.

Knows no index.
"""

from typing import Any, NoReturn, Self, TypeVar

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError

Array = TypeVar("Array", bound=npt.NDArray[Any])


class Immutable:
    """Base of indexes that are built or loaded once."""

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        raise InputTypeError(f"a {name} is not pickled: use save(folder), and {name}.load(folder) in the other process")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def freeze(array: Array) -> Array:
    """Make an array, and the array that it is a view of, read-only."""
    part: Any = array
    while isinstance(part, np.ndarray):
        part.flags.writeable = False
        part = part.base
    return array


def cannot_change(array: npt.NDArray[Any]) -> bool:
    """Tell whether nobody can write to the memory of an array: a read-only view of an array that can change can, too.

    Examples
    --------
    >>> array = np.zeros(3)
    >>> view = array[:2]
    >>> view.flags.writeable = False
    >>> cannot_change(view), cannot_change(freeze(array))
    (False, True)
    """
    part: Any = array
    while isinstance(part, np.ndarray):
        if part.flags.writeable:
            return False
        part = part.base
    if part is None:
        return True
    try:
        return memoryview(part).readonly  # bytes, or a mapped file
    except TypeError:
        return False
