"""The texts of an index's documents, or their sizes, beside the postings. Knows no terms and no formula.

Texts lie end to end as UTF-8, uncompressed, in the container that holds the postings: a loaded index reads one where it
lies in the mapped file, at the cost of its own bytes.
"""

import tempfile
import weakref
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError
from twotower.index.native import core
from twotower.storage import StringTable


@dataclass(frozen=True)
class StoredTexts:
    """What an index keeps of its documents' texts.

    Attributes
    ----------
    lengths : ndarray of uint32, shape [N], or None
        Bytes of each text as UTF-8; None if nothing is kept.
    table : StringTable or None
        The texts themselves, by DocId.
    """

    lengths: npt.NDArray[np.uint32] | None = None
    table: StringTable | None = None

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays to save; docs/formats/lexical.md."""
        arrays = {} if self.lengths is None else {"text_lengths": core.pack_integers(self.lengths)}
        return arrays if self.table is None else {**arrays, "texts": self.table.blob}

    def memory(self) -> dict[str, int]:
        """Return the bytes of each part in memory; mapped ones are the file's."""
        parts = {} if self.lengths is None else {"text_lengths": self.lengths.nbytes}
        return (
            parts
            if self.table is None
            else {**parts, "texts": self.table.blob.nbytes, "text_offsets": self.table.offsets.nbytes}
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], n: int) -> Self:
        """Read what `to_arrays` gave, for `n` documents; an index without texts gives none.

        Raises
        ------
        CorruptFileError
            If the arrays are malformed or hold another number of texts.
        """
        if "text_lengths" not in arrays and "texts" not in arrays:
            return cls()
        for name in ("text_lengths", "texts")[: 1 + ("texts" in arrays)]:
            if name not in arrays or arrays[name].dtype != np.uint8 or arrays[name].ndim != 1:
                raise CorruptFileError(f"array {name!r} of the saved index is missing or not uint8 [n]: save it again")
        lengths = core.unpack_integers(arrays["text_lengths"])
        if len(lengths) != n:
            raise CorruptFileError(f"the index has {n} documents and {len(lengths)} texts: save it again")
        return cls.of(lengths, arrays.get("texts"))

    @classmethod
    def of(cls, lengths: npt.NDArray[np.uint32], blob: npt.NDArray[np.uint8] | None) -> Self:
        """Put lengths and, where they are kept, texts together."""
        if blob is None:
            return cls(lengths)
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, dtype=np.int64, out=offsets[1:])
        return cls(lengths, StringTable(blob, offsets))


class TextRecorder:
    """Takes down the texts of a build as they pass.

    Parameters
    ----------
    keep : bool
        Keep the texts; else their lengths alone.
    spill_folder : path, optional
        Where the texts wait in a temporary file without a name; in memory if absent.
    """

    def __init__(self, keep: bool, spill_folder: str | PathLike[str] | None = None) -> None:
        self._lengths = array("I")
        self._keep = keep
        self._blob = bytearray()
        self._file: IO[bytes] | None = None
        if keep and spill_folder is not None:
            try:
                self._file = tempfile.TemporaryFile(dir=spill_folder)  # noqa: SIM115  # closed by finalize
            except OSError as error:
                raise FileError(f"no temporary file for the texts can be made in {spill_folder}: {error}") from error
            weakref.finalize(self, _close, self._file)  # however the build ends; a mapping of it lives on

    def watch(self, items: Iterator[Any]) -> Iterator[Any]:
        """Yield the texts as they come.

        Raises
        ------
        InputTypeError
            If one is no string.
        InvalidInputError
            If one has lone surrogates.
        FileError
            If the system refuses to write.
        """
        for number, item in enumerate(items):
            if not isinstance(item, str):
                raise InputTypeError(
                    f"text {number} is of type {type(item).__name__}: stored texts and the norm 'b' need strings"
                )
            try:
                raw = item.encode()
            except UnicodeEncodeError as error:
                raise InvalidInputError(f"text {number} cannot be saved as UTF-8: {error.reason}") from error
            self._lengths.append(len(raw))
            if self._keep:
                self._write(raw)
            yield item

    def held_bytes(self) -> int:
        """Return the memory that is held so far, and what saving takes on top: offsets and packed lengths."""
        return len(self._blob) + 20 * len(self._lengths)

    def finish(self) -> StoredTexts:
        """Return what was taken down, to be read from."""
        return StoredTexts.of(self._all_lengths(), self._all_bytes() if self._keep else None)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what was taken down, to be saved: texts that wait in a file are mapped, not read."""
        arrays = {"text_lengths": core.pack_integers(self._all_lengths())}
        return {**arrays, "texts": self._all_bytes()} if self._keep else arrays

    def _all_lengths(self) -> npt.NDArray[np.uint32]:
        return np.frombuffer(self._lengths, np.uint32) if self._lengths else np.zeros(0, np.uint32)

    def _write(self, raw: bytes) -> None:
        if self._file is None:
            self._blob += raw
            return
        try:
            self._file.write(raw)
        except OSError as error:
            raise FileError(f"the temporary file of the texts cannot be written: {error}") from error

    def _all_bytes(self) -> npt.NDArray[np.uint8]:
        if self._file is None:
            return np.frombuffer(self._blob, np.uint8) if self._blob else np.zeros(0, np.uint8)
        try:
            self._file.flush()
            if self._file.tell() == 0:
                return np.zeros(0, np.uint8)
            return np.memmap(self._file, np.uint8, mode="r")
        except OSError as error:
            raise FileError(f"the temporary file of the texts cannot be read: {error}") from error


def _close(file: IO[bytes]) -> None:
    """Close a file of which nothing is wanted any more. What a full disk did not take stays unwritten, without a word."""
    with suppress(OSError):
        file.close()


def text_recorder(
    store_texts: Any, text_lengths: bool, spill_folder: str | PathLike[str] | None = None
) -> TextRecorder | None:
    """Return what takes down texts, or None if nothing of them is to be kept.

    Raises
    ------
    InputTypeError
        If `store_texts` is no bool.
    """
    if not isinstance(store_texts, bool | np.bool_):
        raise InputTypeError(f"store_texts is {store_texts!r} ({type(store_texts).__name__}): give True or False")
    return TextRecorder(bool(store_texts), spill_folder) if store_texts or text_lengths else None
