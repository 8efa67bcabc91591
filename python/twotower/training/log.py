"""What a training run leaves to read: its History, and metrics.jsonl line by line."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from twotower.errors import CorruptFileError, FileError
from twotower.storage import write_file_atomically
from twotower.training.health import failure


@dataclass
class History:
    """What happened in a training run.

    Attributes
    ----------
    losses : list of float
        One a step.
    valid : list of float
        RR@10 on the valid split, one an epoch; empty without a valid split.
    valid_steps : list of int
        How many steps had been taken at each of these figures.
    best_epoch : int or None
        From 1; the epoch whose weights the model has in the end. None without a valid split: the last.
    seconds : float
        Wall time, over all resumed parts, reading the texts included.
    blind : float or None
        RR@10 on valid that one ranking for all queries reaches (`twotower.training.health.query_blind_score`).
    indifferent : list of float or None
        For each epoch the loss of its first batch under a model that gives all documents one score.
    refreshes : list of dict
        Each time that negatives were made anew: at which step, how old the weights were (``staleness``, in steps), and which
        share of what the weights of that step put on top the lists have (``overlap``; of the old lists ``overlap_before``).
    passed_over : int
        Steps whose batch had no negative; their loss is 0.
    """

    losses: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    valid_steps: list[int] = field(default_factory=list)
    best_epoch: int | None = None
    seconds: float = 0.0
    blind: float | None = None
    indifferent: list[float | None] = field(default_factory=list)
    refreshes: list[dict[str, Any]] = field(default_factory=list)
    passed_over: int = 0

    @property
    def failure(self) -> str | None:
        """Why the run has failed (`twotower.training.health.failure`); None if it has not."""
        if self.losses and self.passed_over == len(self.losses):
            return "no batch had a negative, so nothing was learned: take a larger batch_size, or give negatives"
        n_epochs = max(1, len(self.indifferent))
        last = self.losses[-(len(self.losses) // n_epochs) :]
        return failure(last, self.indifferent[-1] if self.indifferent else None, self.best_valid, self.blind)

    @property
    def best_valid(self) -> float | None:
        """The valid figure of `best_epoch`."""
        return None if self.best_epoch is None else self.valid[self.best_epoch - 1]

    def add(self, record: dict[str, Any]) -> None:
        """Take over a line of metrics.jsonl.

        Raises
        ------
        TypeError, KeyError
            If it is none.
        """
        if not isinstance(record, dict):
            raise TypeError(f"{record!r:.40} is no object")
        if "step" in record:
            self.losses.append(_number(record["loss"]))
            self.passed_over += "passed_over" in record
        elif "refresh" in record:
            self.refreshes.append({name: _number(value) for name, value in record.items()})
        elif "epoch" in record:
            self._add_epoch(record)
        else:
            raise KeyError("step")

    def _add_epoch(self, record: dict[str, Any]) -> None:
        if "indifferent" in record:
            value = record["indifferent"]
            self.indifferent.append(None if value is None else _number(value))
        if "valid" in record:
            self.valid.append(_number(record["valid"]))
            self.valid_steps.append(len(self.losses))
            if "blind" in record:
                self.blind = _number(record["blind"])
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


def read_history(path: Path, length: int | None = None) -> History:
    """Return the History that a metrics.jsonl tells: all of it, or its first `length` bytes.

    Raises
    ------
    FileError
        If the file cannot be read.
    CorruptFileError
        If a line is no record; its number is named.
    """
    try:
        lines = path.read_bytes()[:length].splitlines()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error}") from error
    history = History()
    for number, line in enumerate(lines, 1):
        try:
            history.add(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CorruptFileError(
                f"{path}:{number}: no line that training wrote ({error!r}): give an unharmed metrics.jsonl, or train anew"
            ) from error
    return history


def write_history(history: History, path: Path) -> None:
    """Write, atomically, a metrics.jsonl from which `read_history` gives the same History, but for its seconds.

    Its lines lack what a History does not keep: learning rates, gradients and times.
    """
    n_epochs = max(len(history.valid), len(history.indifferent))
    ends = history.valid_steps or [len(history.losses) * epoch // n_epochs for epoch in range(1, n_epochs + 1)]
    epochs = {step: _epoch_record(history, epoch) for epoch, step in enumerate(ends, 1)}
    refreshes = {record["at_step"]: record for record in history.refreshes}
    lines = []
    for step, loss in enumerate(history.losses, 1):
        lines.append({"step": step, "loss": loss})
        lines += [found[step] for found in (refreshes, epochs) if step in found]
    write_file_atomically(path, "".join(f"{json.dumps(line)}\n" for line in lines).encode())


def _epoch_record(history: History, epoch: int) -> dict[str, Any]:
    record: dict[str, Any] = {"epoch": epoch}
    if epoch <= len(history.valid):
        record["valid"] = history.valid[epoch - 1]
        record |= {} if history.blind is None else {"blind": history.blind}
    if epoch <= len(history.indifferent):
        record["indifferent"] = history.indifferent[epoch - 1]
    return record


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return value
