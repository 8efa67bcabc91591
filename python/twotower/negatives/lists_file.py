"""Lists written block by block: into memory, or into files that are then mapped."""

from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import FileError
from twotower.negatives.doc_lists import DocLists, Rows


class ListsWriter:
    """Collects the lists of one query after the other.

    Parameters
    ----------
    folder : path, optional
        Where the files lie; they have no name, so that nothing is left however the process ends. None: in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._counts: list[Rows] = []
        self._blocks: list[npt.NDArray[np.uint32]] = []
        self._file: IO[bytes] | None = None
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - a mapping keeps it
            except OSError as error:
                raise FileError(f"cannot write lists of negatives into {folder}: {error}") from error

    def add(self, counts: Rows, docs: Rows) -> None:
        """Append the lists of some queries: how long each is, and their documents one list after the other."""
        self._counts.append(counts)
        block = docs.astype(np.uint32)
        if self._file is None:
            self._blocks.append(block)
        else:
            self._file.write(block.tobytes())

    def finish(self) -> DocLists:
        """Return all lists."""
        counts = np.concatenate([np.zeros(1, np.int64), *self._counts])
        offsets = np.cumsum(counts, dtype=np.int64)
        if self._file is None or not offsets[-1]:
            return DocLists(offsets, np.concatenate([np.empty(0, np.uint32), *self._blocks]))
        self._file.flush()
        return DocLists(offsets, np.memmap(self._file, np.uint32, "r"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
