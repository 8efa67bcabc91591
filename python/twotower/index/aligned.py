"""Memory for rows of numbers that begins at a cache line. Knows no index.

NumPy's own begins 16 bytes behind one, so that every second load of a kernel would touch two lines: a search of one query
over rows of 128 float32 then takes 1.4 times as long (docs/decisions/dense.md).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

LINE = 64
"""Bytes of a cache line, and of the widest register."""


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array like ``np.empty(shape, dtype)`` that begins at a multiple of `LINE` bytes.

    Examples
    --------
    >>> aligned_empty((3, 5), np.float32).ctypes.data % LINE
    0
    """
    element = np.dtype(dtype)
    n_bytes = int(np.prod(shape, dtype=np.int64)) * element.itemsize
    room = np.empty(n_bytes + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + n_bytes].view(element).reshape(shape)
