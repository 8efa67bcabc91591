"""What every index that never changes has in common: it is its own copy, and it is saved instead of pickled."""

from typing import Any, NoReturn, Self

from twotower.errors import InputTypeError


class Immutable:
    """Base of indexes that are built or loaded once."""

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        raise InputTypeError(f"a {name} is not pickled: use save(folder), and {name}.load(folder) in the other process")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self
