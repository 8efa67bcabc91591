"""How vectors are stored: float32, bfloat16, float16, or 8-bit integers with a scale for each vector. Knows no search.

Whatever the storage, each stored element stands for one float32 number, and searches score those numbers.

Legend: N documents, D dimensions.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InvalidInputError
from twotower.index.aligned import aligned_empty
from twotower.index.native import core

_ROWS_AT_ONCE = 4096
_SCALE_BITS = 16
"""Significant bits of a scale: with the 8 of a code, the product fits the 24 of a float32."""


class Stored(NamedTuple):
    """Vectors as they are in memory and in files.

    Attributes
    ----------
    storage : str
        A name of `STORAGES`.
    rows : ndarray, shape [N, D]
        float32; uint16 (the bits of bfloat16 or float16); or int8.
    scales : ndarray of float32, shape [N], or None
        Of "int8": an element stands for ``scales[n] * rows[n, d]``.
    """

    storage: str
    rows: npt.NDArray[Any]
    scales: npt.NDArray[np.float32] | None = None

    def values(self) -> npt.NDArray[np.float32]:
        """Return the float32 numbers that the elements stand for, [N, D]; read-only."""
        values: npt.NDArray[np.float32]
        match self.storage:
            case "bfloat16":
                values = (self.rows.astype(np.uint32) << np.uint32(16)).view(np.float32)
            case "float16":
                values = self.rows.view(np.float16).astype(np.float32)
            case "int8" if self.scales is not None:
                values = self.rows * self.scales[:, np.newaxis]
            case _:
                return self.rows
        values.flags.writeable = False
        return values

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what to save."""
        return {"vectors": self.rows} | ({} if self.scales is None else {"scales": self.scales})


def store(vectors: npt.NDArray[np.float32], storage: str) -> Stored:
    """Round float32 vectors to a storage.

    Parameters
    ----------
    vectors : ndarray of float32, shape [N, D]
        Finite, read-only.
    storage : str
        "float32": held as they are. "bfloat16", "float16": to the nearest, ties to even. "int8": each row has the scale
        ``max(abs(row)) / 127``, rounded up to 16 significant bits; its elements are divided by it and rounded to the
        nearest integer, ties to even.

    Raises
    ------
    InvalidInputError
        If a value is beyond the range of the storage, at the first row and column; for another name.
    """
    if storage not in STORAGES:
        raise InvalidInputError(f"storage is {storage!r}: choose one of {', '.join(STORAGES)}")
    if storage == "float32":
        return Stored(storage, vectors)
    rows = aligned_empty(vectors.shape, STORAGES[storage])
    scales = np.empty(len(vectors), np.float32) if storage == "int8" else None
    for start in range(0, len(vectors), _ROWS_AT_ONCE):  # bounded memory
        part = slice(start, start + _ROWS_AT_ONCE)
        if scales is not None:
            rows[part], scales[part] = _to_int8(vectors[part])
        else:
            rows[part] = _ROUNDINGS[storage](vectors[part])
            _check_range(vectors[part], Stored(storage, rows[part]).values(), start, storage)
    for array in (rows, scales):
        if array is not None:
            array.flags.writeable = False
    return Stored(storage, rows, scales)


def read_stored(meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], where: str) -> Stored:
    """Return the vectors of a file that is not believed; a folder of an older version has float32.

    Raises
    ------
    CorruptFileError
        If vectors or scales are missing or of another dtype or shape.
    """
    storage = meta.get("storage", "float32")
    if not isinstance(storage, str) or storage not in STORAGES:
        raise CorruptFileError(f"{where}: the storage {storage!r} is unknown; save the index again")
    rows, scales = arrays.get("vectors"), arrays.get("scales")
    if rows is None or rows.dtype != STORAGES[storage] or rows.ndim != 2 or rows.shape[1] == 0:
        raise CorruptFileError(f"{where}: no vectors of {STORAGES[storage]} [N, D]; save the index again")
    if storage != "int8":
        return Stored(storage, rows)
    if scales is None or scales.dtype != np.float32 or scales.shape != (len(rows),):
        raise CorruptFileError(f"{where}: no scales of float32 [N]; save the index again")
    if not (_with_few_bits(scales) == scales).all() or (scales < 0).any():
        raise CorruptFileError(f"{where}: a scale has more than {_SCALE_BITS} significant bits; save the index again")
    return Stored(storage, rows, scales)


def make_searcher(stored: Stored, metric: str) -> core.DenseIndex:
    """Return what searches the vectors: see `FlatIndex` for the metrics."""
    return core.DenseIndex(stored.rows, stored.scales, stored.storage, metric, 0)


def _to_bfloat16(part: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    bits = part.view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))) >> np.uint32(16)).astype(np.uint16)


def _to_float16(part: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    with np.errstate(over="ignore"):
        return part.astype(np.float16).view(np.uint16)


def _to_int8(part: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    wanted = np.abs(part).max(axis=1).astype(np.float64) / 127
    scales = _with_few_bits(wanted.astype(np.float32))
    small = scales < wanted
    step = np.spacing(scales) * np.float32(2 ** (24 - _SCALE_BITS))
    scales[small] = _with_few_bits(scales[small] + step[small])
    with np.errstate(over="ignore"):
        beyond = ~np.isfinite(scales * np.float32(127))
    scales[beyond] -= step[beyond]  # at the end of float32's range: the largest codes are cut instead
    divisors = np.where(scales == 0, np.float32(1), scales).astype(np.float64)
    codes = np.rint(part / divisors[:, np.newaxis])
    return np.clip(codes, -127, 127).astype(np.int8), scales


def _with_few_bits(scales: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    mask = np.uint32(0xFFFFFFFF << (24 - _SCALE_BITS) & 0xFFFFFFFF)
    return (scales.view(np.uint32) & mask).view(np.float32)


def _check_range(given: npt.NDArray[np.float32], values: npt.NDArray[np.float32], first_row: int, storage: str) -> None:
    beyond = ~np.isfinite(values)
    if beyond.any():
        row, column = np.argwhere(beyond)[0].tolist()
        raise InvalidInputError(
            f"vectors[{first_row + row}, {column}] is {given[row, column]}, which is beyond the range of {storage}: "
            "scale the vectors, or choose another storage"
        )


_ROUNDINGS: dict[str, Callable[[npt.NDArray[np.float32]], npt.NDArray[np.uint16]]] = {
    "bfloat16": _to_bfloat16,
    "float16": _to_float16,
}
STORAGES: dict[str, npt.DTypeLike] = {
    "float32": np.float32,
    "bfloat16": np.uint16,
    "float16": np.uint16,
    "int8": np.int8,
}
"""The dtype of the rows of each storage."""
METRICS = ("inner_product", "cosine", "l2")
