"""Arrays in memory of a CUDA device, whoever made them: by DLPack, or by ``__cuda_array_interface__``. Knows no index.

torch is never imported: a tensor can only come from a program that did.
"""

import sys
from dataclasses import dataclass, field
from typing import Any

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.native import core

_DL_CUDA = 2
_LEGACY_STREAM = 1
"""What CUDA, DLPack and ``__cuda_array_interface__`` call the default stream; 0 would be ambiguous."""

_DL_STORAGES = {(2, 32): "float32", (2, 16): "float16", (4, 16): "bfloat16"}
_TYPESTR_STORAGES = {"<f4": "float32", "<f2": "float16"}


@dataclass(frozen=True)
class DeviceMatrix:
    """A C-contiguous matrix on a CUDA device, readable by work that is put on `stream`.

    Attributes
    ----------
    pointer : int
        Of its first element.
    shape : tuple of int
        [rows, columns].
    storage : str
        "float32", "float16" or "bfloat16".
    device : int or None
        Number of the device; None where the array does not say.
    stream : int
        A ``cudaStream_t``; 1 is the default stream.
    single : bool
        Whether a vector came: the matrix has one row.
    owner : object
        Keeps the memory alive.
    """

    pointer: int
    shape: tuple[int, int]
    storage: str
    device: int | None
    stream: int
    single: bool
    owner: Any = field(repr=False)


def is_device_array(values: Any) -> bool:
    """Whether `values` says that it lies on a CUDA device."""
    if hasattr(values, "__dlpack_device__"):
        return int(values.__dlpack_device__()[0]) == _DL_CUDA
    return not isinstance(values, type) and hasattr(values, "__cuda_array_interface__")


def as_device_matrix(values: Any, name: str, stream: int | None = None) -> DeviceMatrix:
    """Return what `values` says of itself.

    Parameters
    ----------
    values : object with ``__dlpack__`` or ``__cuda_array_interface__``
        [rows, columns] or [columns]: float32, float16 or bfloat16, C-contiguous.
    name : str
        What messages call it.
    stream : int, optional
        Where the work is to be put. None: the current stream of torch for a tensor, what a
        ``__cuda_array_interface__`` names, else the default stream.

    Raises
    ------
    InputTypeError
        For other elements.
    InvalidInputError
        For another number of dimensions, or strides.
    """
    if hasattr(values, "__dlpack__"):
        return _of_dlpack(values, name, stream)
    return _of_interface(values, name, stream)


def _of_dlpack(values: Any, name: str, stream: int | None) -> DeviceMatrix:
    on = _torch_stream(values) if stream is None else stream or _LEGACY_STREAM
    capsule = values.__dlpack__(stream=on)
    pointer, shape, strides, kind, bits, device_type, device = core.read_dlpack(capsule)
    if device_type != _DL_CUDA:
        raise InputTypeError(f"{name} is not on a CUDA device: give a NumPy array, or move it there")
    storage = _DL_STORAGES.get((kind, bits))
    if storage is None:
        raise InputTypeError(f"{name} has elements of {bits} bits and DLPack kind {kind}: {_ALLOWED}")
    rows, single = _matrix_shape(shape, name)
    if strides and not _is_contiguous(shape, strides):
        raise InvalidInputError(f"{name} has strides {list(strides)}: give a C-contiguous array")
    return DeviceMatrix(pointer, rows, storage, device, on, single, (values, capsule))


def _of_interface(values: Any, name: str, stream: int | None) -> DeviceMatrix:
    interface = values.__cuda_array_interface__
    storage = _TYPESTR_STORAGES.get(interface["typestr"])
    if storage is None:
        raise InputTypeError(f"{name} has elements {interface['typestr']!r}: {_ALLOWED}")
    shape = tuple(interface["shape"])
    rows, single = _matrix_shape(shape, name)
    item = int(interface["typestr"][2:])
    strides = interface.get("strides")
    if strides is not None and not _is_contiguous(shape, [step // item for step in strides]):
        raise InvalidInputError(f"{name} has strides {list(strides)}: give a C-contiguous array")
    on = interface.get("stream") if stream is None else stream
    return DeviceMatrix(interface["data"][0], rows, storage, None, on or _LEGACY_STREAM, single, values)


_ALLOWED = "give float32, float16 or bfloat16"


def _matrix_shape(shape: Any, name: str) -> tuple[tuple[int, int], bool]:
    if len(shape) == 1:
        return (1, int(shape[0])), True
    if len(shape) != 2 or shape[1] == 0:
        raise InvalidInputError(f"{name} has shape {list(shape)}: give [rows, dimensions]")
    return (int(shape[0]), int(shape[1])), False


def _is_contiguous(shape: Any, strides: Any) -> bool:
    """Whether elements lie row after row; the stride of a dimension of one element says nothing."""
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True


def _torch_stream(values: Any) -> int:
    """Return the stream on which torch works now, if it made `values`."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(values, torch.Tensor):
        return _LEGACY_STREAM
    return torch.cuda.current_stream(values.device).cuda_stream or _LEGACY_STREAM
