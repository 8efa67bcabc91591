"""Ids of millions of queries as one block of bytes."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt


class Ids(Sequence[str]):
    """Strings that are made when they are asked for.

    Parameters
    ----------
    blob : ndarray of uint8
        All ids in UTF-8, one behind the other.
    offsets : ndarray of int64, shape [N + 1]
        Where each begins.
    """

    def __init__(self, blob: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
        self._blob = blob.tobytes()
        self._offsets = offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        i = range(len(self))[at]
        return self._blob[self._offsets[i] : self._offsets[i + 1]].decode()

    def __iter__(self) -> Iterator[str]:
        begin = 0
        for end in self._offsets[1:]:  # a Python int each: no list of millions is made
            yield self._blob[begin:end].decode()
            begin = end
