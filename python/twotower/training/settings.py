"""What a run was asked to do: checked once, recorded in its checkpoints, compared when it is resumed."""

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import torch

from twotower.errors import FileError, InputTypeError, InvalidInputError
from twotower.losses.wrapping import loss_function
from twotower.towers import TwoTower
from twotower.towers.shape import check_seed, check_size
from twotower.types import Collection

@dataclass(frozen=True)
class Settings:
    """The arguments of `train` that decide what comes out, in words and numbers."""

    model: dict[str, Any]
    collection: str
    loss: str
    negatives: str
    split: str
    valid: str | None
    epochs: int
    batch_size: int
    lr: float
    clip: float
    seed: int
    shuffle_labels: bool
    checkpoint_every: int | None
    threads: int

    @classmethod
    def of(
        cls, model: TwoTower, collection: Collection, *, loss: Any, negatives: Any, threads: int | None, **plain: Any
    ) -> Self:
        """Check the arguments of `train` and put them on record.

        Raises
        ------
        InvalidInputError
            If a number is out of range.
        InputTypeError
            If a count is no int, or an argument is of another wrong type.
        """
        if not isinstance(model, TwoTower):
            raise InputTypeError(f"model is of type {type(model).__name__}: it must be a TwoTower")
        for name in ("epochs", "batch_size"):
            check_size(name, plain[name])
        if plain["checkpoint_every"] is not None:
            check_size("checkpoint_every", plain["checkpoint_every"])
        check_seed(plain["seed"])
        for name in ("lr", "clip"):
            if not 0 < plain[name] < float("inf"):
                raise InvalidInputError(f"{name} is {plain[name]!r}: it must be a finite number above 0")
        return cls(
            model=_describe_model(model),
            collection=collection.fingerprint(),
            loss=_describe_loss(loss_function(loss)),
            negatives=_describe_negatives(negatives),
            threads=torch.get_num_threads() if threads is None else check_size("threads", threads),
            **plain,
        )

    def to_record(self) -> dict[str, Any]:
        """Return the settings as JSON gives them back, without the spacing of checkpoints, which changes no result."""
        record: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        del record["checkpoint_every"]
        return record


def check_folder(folder: Path, model: TwoTower, resume: bool) -> None:
    """Make `folder`; refuse one that holds a run unless it is to be resumed, and a model that could not be saved.

    Raises
    ------
    InvalidInputError
        If there is a run and `resume` is False, or the analyzer cannot be saved.
    FileError
        If the folder cannot be made.
    """
    model.reader.settings()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {folder}: {error}") from error
    if not resume and (folder / "metrics.jsonl").exists():
        raise InvalidInputError(f"{folder} holds a training run: give resume=True to go on with it, or another folder")


def _describe_model(model: TwoTower) -> dict[str, Any]:
    return {
        "tower": model.tower, "options": model.query_tower.options, "tied": model.tied, "similarity": model.similarity,
        "max_terms": model.reader.max_terms, "seed": model.seed, "n_terms": model.reader.n_terms,
    }  # fmt: skip


def _describe_loss(loss: Any) -> str:
    if isinstance(loss, functools.partial):
        bound = ", ".join(
            f"{name}={_describe_loss(value) if callable(value) else repr(value)}"
            for name, value in sorted(loss.keywords.items())
        )
        return f"{_describe_loss(loss.func)}({bound})"
    return getattr(loss, "__qualname__", type(loss).__qualname__)


def _describe_negatives(negatives: Any) -> str:
    if negatives is None or isinstance(negatives, str):
        return str(negatives)
    listed = json.dumps({query_id: list(doc_ids) for query_id, doc_ids in negatives.items()}, sort_keys=True)
    return f"mapping {hashlib.sha256(listed.encode()).hexdigest()}"
