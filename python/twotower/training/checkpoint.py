"""Checkpoints: all that is needed to go on exactly where a killed run was.

A folder ``checkpoint`` of state.safetensors (weights, moments, random state), state.json (position, settings, checksum) and
the negatives that hang on the model, replaced in one step.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from twotower.errors import CorruptFileError, FileError, InvalidInputError
from twotower.storage import replace_folder
from twotower.towers.saving import check_tensors
from twotower.training.optimiser import Optimiser

VERSION = 2
TENSORS, POSITION = "state.safetensors", "state.json"


@dataclass
class Position:
    """Where a run stands.

    Attributes
    ----------
    step : int
        Steps taken since the start of the run.
    metrics_bytes : int
        Length of metrics.jsonl at that point.
    seconds : float
        Wall time until then.
    settings : dict
        What the run was asked to do; a resumed run must ask for the same.
    """

    step: int
    metrics_bytes: int
    seconds: float
    settings: dict[str, Any]


def write_checkpoint(
    folder: Path, optimiser: Optimiser, position: Position, write_more: Iterable[Callable[[Path], None]] = ()
) -> None:
    """Write weights, moments, torch's random state and `position` in the place of an earlier checkpoint in `folder`.

    `write_more` are called with the folder of the new checkpoint before it takes its place.

    Raises
    ------
    FileError
        If the folder cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".checkpoint.", dir=folder) as beside:
            new = Path(beside) / "checkpoint"
            new.mkdir()
            save_file(optimiser.state() | {"random": torch.get_rng_state()}, new / TENSORS)
            record = {"version": VERSION, "sha256": _digest(new / TENSORS), **asdict(position)}
            (new / POSITION).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
            for write in write_more:
                write(new)
            replace_folder(new, folder / "checkpoint")
    except (OSError, SafetensorError) as error:
        raise FileError(f"cannot write a checkpoint into {folder}: {error}") from error


def has_checkpoint(folder: Path) -> bool:
    """Tell whether a run in `folder` can be resumed. What killed runs had begun to write is removed."""
    for leftover in (*folder.glob(".checkpoint.*"), *folder.glob(".model.*")):
        shutil.rmtree(leftover)
    return (folder / "checkpoint" / POSITION).is_file()


def read_position(folder: Path, settings: dict[str, Any]) -> Position:
    """Return where the run in `folder` stands.

    Raises
    ------
    InvalidInputError
        If that run was asked for something else than `settings`; the message names the first difference.
    CorruptFileError
        If the checkpoint is damaged or of another version.
    """
    path = folder / "checkpoint" / POSITION
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        version, digest = record.pop("version"), record.pop("sha256")
        position = Position(**record)
        if not all(type(count) is int and count >= 0 for count in (position.step, position.metrics_bytes)):
            raise ValueError("step and metrics_bytes must be whole numbers, 0 or more")
    except OSError as error:
        raise FileError(f"cannot read {path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptFileError(f"{path} is damaged: {error!r}. Train anew") from error
    if version != VERSION:
        raise CorruptFileError(f"{path} has version {version!r}, this twotower writes {VERSION}: train anew")
    if digest != _digest(path.with_name(TENSORS)):
        raise CorruptFileError(f"{path.with_name(TENSORS)} is not the file that was saved: train anew")
    for name in sorted(settings.keys() | position.settings.keys()):
        if settings.get(name) != position.settings.get(name):
            raise InvalidInputError(
                f"the run in {folder} has {name} = {position.settings.get(name)!r}, this call {settings.get(name)!r}: "
                "resume with the same, or train into another folder"
            )
    return position


def load_checkpoint(folder: Path, optimiser: Optimiser) -> None:
    """Put the saved weights, moments and random state in their places.

    Raises
    ------
    CorruptFileError
        If the checkpoint is of another model.
    """
    path = folder / "checkpoint" / TENSORS
    check_tensors(path, optimiser.state() | {"random": torch.get_rng_state()})
    state = load_file(path)
    torch.set_rng_state(state.pop("random"))
    for name, tensor in optimiser.state().items():
        tensor.copy_(state[name])


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error}") from error
