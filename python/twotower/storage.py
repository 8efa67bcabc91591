"""Saved folders: a checked container of arrays, and atomic replacement of files.

See docs/formats/container.md for every byte. Knows nothing of what the arrays mean.
"""

import codecs
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from os import PathLike
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from twotower import _core
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError

__all__ = [
    "StringTable",
    "checked_path",
    "container_meta",
    "pack_strings",
    "read_container",
    "replace_folder",
    "write_container",
    "write_file_atomically",
]

_PIECE = 1 << 20
"""Bytes that are checked at once."""
_DTYPES = frozenset(np.dtype(name) for name in _core.container_dtypes())


def checked_path(path: Any, name: str = "folder") -> str:
    """Return a path as a string that the system can read.

    Raises
    ------
    InputTypeError
        If it is no path.
    InvalidInputError
        If it holds a null character, or one that no file name can have.
    """
    if not isinstance(path, str | bytes | PathLike):
        raise InputTypeError(f"{name} is {path!r} ({type(path).__name__}): give a path, as str or pathlib.Path")
    try:
        text = os.fsdecode(path)
        raw = os.fsencode(text)
    except UnicodeError as error:
        raise InvalidInputError(f"{name} is {path!r}, which cannot be the name of a file: {error}") from error
    if b"\0" in raw:
        raise InvalidInputError(f"{name} is {path!r}: a path cannot hold a null character")
    return text


def write_container(
    folder: str | PathLike[str], kind: str, meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Save arrays and metadata as a new generation of a folder.

    A kill at any moment leaves the old content or the new one; readers of the old one keep it.

    Parameters
    ----------
    folder : path
        Made if it does not exist. Files that are not the container's own are left alone.
    kind : str
        Name of what is saved ("bm25"), 1 to 64 of ``a-z 0-9 _ . -``; `read_container` asks for it.
    meta : mapping
        JSON-able metadata.
    arrays : mapping of str to ndarray
        Little-endian integers and floats of 1 to 8 bytes (no float16), of up to 8 dimensions. Arrays that are not
        C-contiguous are copied.

    Raises
    ------
    InvalidInputError
        If a name or the path is malformed, or `meta` holds a value that JSON does not have.
    InputTypeError
        If `folder` is no path, something is no array, has another dtype, or `meta` is not JSON-able.
    FileError
        If another process is saving to the folder, or the system refuses.
    """
    folder = checked_path(folder)
    segments = []
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype not in _DTYPES:
            came = getattr(array, "dtype", type(array).__name__)
            allowed = ", ".join(sorted(str(dtype) for dtype in _DTYPES))
            raise InputTypeError(f"array {name!r} is {came}: a container holds native arrays of {allowed}")
        segments.append((name, np.asarray(array, order="C")))
    _core.write_container(folder, kind, container_meta(kind, meta), segments)


def container_meta(kind: str, meta: Mapping[str, Any]) -> bytes:
    """Return metadata as a container holds it: UTF-8 JSON, keys sorted.

    Raises
    ------
    InvalidInputError
        If `meta` holds a value that JSON does not have.
    InputTypeError
        If `meta` is not JSON-able.
    """
    try:
        return json.dumps(dict(meta), ensure_ascii=False, allow_nan=False, sort_keys=True).encode()
    except TypeError as error:
        raise InputTypeError(f"meta of {kind!r} cannot be saved as JSON: {error}") from error
    except ValueError as error:
        raise InvalidInputError(f"meta of {kind!r} cannot be saved as JSON: {error}") from error


def read_container(folder: str | PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Open a saved folder: mapped, and checked in full.

    Parameters
    ----------
    folder : path
        What `write_container` wrote.
    kind : str
        What it must be.

    Returns
    -------
    meta : dict
    arrays : dict of str to ndarray
        Read-only and mapped: memory is shared with other processes and read on use. Each array keeps the mapping alive.

    Raises
    ------
    FileError
        If there is no container.
    CorruptFileError
        If it is damaged, foreign, or of another version or kind.

    Notes
    -----
    Verifying reads every byte once. What the arrays *mean* (that offsets ascend, that ids are in range) is for the
    caller to check: a checksum does not protect from a writer that means harm.
    """
    folder = checked_path(folder)
    raw, arrays = _core.read_container(folder, kind)
    try:
        meta = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CorruptFileError(f"{folder}: the metadata is not JSON ({error}); save the index again") from error
    if not isinstance(meta, dict):
        raise CorruptFileError(f"{folder}: the metadata is no JSON object; save the index again")
    return meta, arrays


def write_file_atomically(path: str | PathLike[str], data: bytes) -> None:
    """Make a file hold exactly `data`; a kill at any moment leaves the old file or the new one.

    Raises
    ------
    FileError
        If the system refuses; the old file is then untouched.
    """
    _core.write_file_atomically(checked_path(path, "path"), data)


def replace_folder(temporary: str | PathLike[str], target: str | PathLike[str]) -> None:
    """Let the folder `temporary` take the place of `target` in one step; what `target` held is removed.

    Both must lie on one file system. A kill at any moment leaves `target` old or new; the old content may then remain
    under the name `temporary`.

    Raises
    ------
    FileError
        If `temporary` is no folder, `target` is a file, or the file system cannot exchange folders.
    """
    _core.replace_folder(checked_path(temporary, "temporary"), checked_path(target, "target"))


def pack_strings(strings: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Lay strings end to end as UTF-8.

    Returns
    -------
    blob : ndarray of uint8
    offsets : ndarray of int64, shape [N + 1]
        String ``i`` is ``blob[offsets[i]:offsets[i + 1]]``.

    Raises
    ------
    InvalidInputError
        If a string has lone surrogates, which UTF-8 cannot hold.

    Examples
    --------
    >>> blob, offsets = pack_strings(["a", "über"])
    >>> offsets
    array([0, 1, 6])
    """
    encoded = []
    for i, string in enumerate(strings):
        try:
            encoded.append(string.encode())
        except UnicodeEncodeError as error:
            raise InvalidInputError(f"string {i} ({string!r}) cannot be saved as UTF-8: {error.reason}") from error
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(raw) for raw in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


class StringTable(Sequence[str]):
    """The strings of `pack_strings`, read where they lie.

    Parameters
    ----------
    blob : ndarray of uint8
    offsets : ndarray of int64, shape [N + 1]

    Raises
    ------
    CorruptFileError
        If they cannot come from `pack_strings`. Both may come from a file and are not believed.

    Notes
    -----
    Its `blob` and `offsets` are read-only. ``table[i]`` decodes one string. The first `index` builds a dict of all, O(N);
    after that it is O(1).
    """

    def __init__(self, blob: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
        _check_strings(blob, offsets)
        self.blob, self.offsets = blob.view(), offsets.view()
        for array in (self.blob, self.offsets):
            array.flags.writeable = False
        self._bytes = blob.data
        self._places: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        i = range(len(self))[place]
        return str(self._bytes[self.offsets[i] : self.offsets[i + 1]], "utf-8")

    def __iter__(self) -> Iterator[str]:
        ends = self.offsets.tolist()
        return (str(self._bytes[start:end], "utf-8") for start, end in pairwise(ends))

    def __contains__(self, string: object) -> bool:
        return string in self._lookup()

    def index(self, string: str, start: int = 0, stop: int | None = None) -> int:
        """Return the place of a string.

        Raises
        ------
        InvalidInputError
            If it is not in the table.
        CorruptFileError
            If the table holds a string twice.
        """
        place = self._lookup().get(string)
        if place is None or not start <= place < (len(self) if stop is None else stop):
            raise InvalidInputError(f"{string!r} is not among the {len(self)} ids")
        return place

    def _lookup(self) -> dict[str, int]:
        if self._places is None:
            places = {string: i for i, string in enumerate(self)}
            if len(places) != len(self):
                raise CorruptFileError("a table of ids holds one string twice: save the index again")
            self._places = places
        return self._places


def _check_strings(blob: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
    problem = None
    if blob.dtype != np.uint8 or blob.ndim != 1 or offsets.dtype != np.int64 or offsets.ndim != 1 or len(offsets) == 0:
        problem = f"{blob.dtype} {blob.shape} and {offsets.dtype} {offsets.shape} are not uint8 [B] and int64 [N + 1]"
    elif offsets[0] != 0 or offsets[-1] != len(blob) or (offsets[1:] < offsets[:-1]).any():
        problem = "the offsets do not ascend from 0 to the number of bytes"
    else:
        starts = offsets[offsets < len(blob)]
        problem = _not_utf8(blob)
        if problem is None and ((blob[starts] & 0xC0) == 0x80).any():  # 10xxxxxx: inside a character
            problem = "an offset points inside a character"
    if problem:
        raise CorruptFileError(f"a table of strings is malformed ({problem}): save the index again")


def _not_utf8(blob: npt.NDArray[np.uint8]) -> str | None:
    """Say what is wrong with bytes that are no UTF-8. A piece at a time: they may be many, and mapped."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for first in range(0, len(blob), _PIECE):
        try:
            decoder.decode(blob[first : first + _PIECE].tobytes(), final=first + _PIECE >= len(blob))
        except UnicodeDecodeError as error:
            return f"near byte {first + error.start}: not UTF-8"
    return None
