"""What a training run leaves to read: its History, and metrics.jsonl line by line."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from twotower.errors import CorruptFileError, FileError


@dataclass
class History:
    """What happened in a training run.

    Attributes
    ----------
    losses : list of float
        One a step.
    valid : list of float
        RR@10 on the valid split, one an epoch; empty without a valid split.
    best_epoch : int or None
        From 1; the epoch whose weights the model has in the end. None without a valid split: the last.
    seconds : float
        Wall time, over all resumed parts, reading the texts included.
    """

    losses: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    seconds: float = 0.0

    @property
    def best_valid(self) -> float | None:
        """The valid figure of `best_epoch`."""
        return None if self.best_epoch is None else self.valid[self.best_epoch - 1]

    def add(self, record: dict[str, Any]) -> None:
        """Take over a line of metrics.jsonl."""
        if "step" in record:
            self.losses.append(record["loss"])
        elif "valid" in record:
            self.valid.append(record["valid"])
            if self.best_valid is None or record["valid"] > self.best_valid:
                self.best_epoch = record["epoch"]


class MetricsFile:
    """metrics.jsonl: one line a step, one an epoch; nothing at all where there is no folder.

    Every line is handed to the operating system at once, so that a killed run leaves all it has done.
    """

    def __init__(self, path: Path | None, resume_at: int = 0) -> None:
        self._file = None
        if path is None:
            return
        try:
            self._file = path.open("r+b" if resume_at else "wb", buffering=0)
        except OSError as error:
            raise FileError(f"cannot write {path}: {error}") from error
        if os.fstat(self._file.fileno()).st_size < resume_at:
            self._file.close()
            raise CorruptFileError(
                f"{path} is shorter than the {resume_at} bytes that its checkpoint counts: train anew"
            )
        self._file.truncate(resume_at)
        self._file.seek(resume_at)

    def write(self, record: dict[str, Any]) -> None:
        """Append a line. Floats are written so that they read back to the same bits."""
        if self._file is not None:
            self._file.write(json.dumps(record).encode() + b"\n")

    def sync(self) -> int:
        """Force what was written to the disk; return the length of the file."""
        if self._file is None:
            return 0
        os.fsync(self._file.fileno())
        return self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def read_history(path: Path, length: int) -> History:
    """Return the History that the first `length` bytes of a metrics.jsonl tell.

    Raises
    ------
    CorruptFileError
        If a line is no record.
    """
    history = History()
    try:
        lines = path.read_bytes()[:length].splitlines()
        for line in lines:
            history.add(json.loads(line))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptFileError(f"{path} has a line that training did not write: {error!r}. Train anew") from error
    return history
