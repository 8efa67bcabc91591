"""What a run was asked to do: checked once, recorded in its checkpoints, compared when it is resumed."""

import functools
import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import torch

from twotower.errors import FileError, InputTypeError, InvalidInputError
from twotower.losses.teacher import needs_teacher
from twotower.losses.wrapping import loss_function
from twotower.negatives.choose import as_sources
from twotower.registry import choose
from twotower.towers import TwoTower
from twotower.towers.shape import check_seed, check_size
from twotower.training.optimiser import OPTIMISERS
from twotower.training.pairs import PairSource
from twotower.types import Collection

PRECISIONS = ("bfloat16", "float32")
MAX_THREADS = 1024


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
    warmup: float
    clip: float
    optimiser: str
    weight_decay: float
    precision: str
    buckets: bool
    patience: int | None
    teacher: str
    seed: int
    shuffle_labels: bool
    checkpoint_every: int | None
    threads: int

    @classmethod
    def of(
        cls, model: TwoTower, collection: Collection | PairSource, *, loss: Any, negatives: Any, teacher: Any, threads: int | None,
        **plain: Any,
    ) -> Self:  # fmt: skip
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
        if not isinstance(collection, Collection) and not hasattr(collection, "training_set"):
            raise InputTypeError(
                f"collection is {type(collection).__name__}: give a Collection, such as tt.load_collection(...) returns"
            )
        if not isinstance(collection, Collection) and (negatives is not None or teacher is not None):
            raise InvalidInputError("pairs drawn from texts take neither negatives nor a teacher: leave them out")
        for name in ("epochs", "batch_size"):
            check_size(name, plain[name])
        for name in ("checkpoint_every", "patience"):
            if plain[name] is not None:
                check_size(name, plain[name])
        check_seed(plain["seed"])
        for name in ("lr", "clip"):
            if not (is_number(plain[name]) and 0 < plain[name] < float("inf")):
                raise InvalidInputError(f"{name} is {plain[name]!r:.40}: it must be a finite number above 0")
        if not (is_number(plain["warmup"]) and 0 <= plain["warmup"] < 1):
            raise InvalidInputError(
                f"warmup is {plain['warmup']!r:.40}: it must be a share of the steps, from 0 to below 1"
            )
        if not (is_number(plain["weight_decay"]) and 0 <= plain["weight_decay"] < float("inf")):
            raise InvalidInputError(
                f"weight_decay is {plain['weight_decay']!r:.40}: it must be a finite number of at least 0"
            )
        for name in ("split", "valid"):
            if not isinstance(plain[name], str) and (name, plain[name]) != ("valid", None):
                raise InputTypeError(f"{name} is {plain[name]!r}: give the name of a split, such as {name!r}")
        for name in ("buckets", "shuffle_labels"):
            check_bool(name, plain[name])
        choose(OPTIMISERS, plain["optimiser"], "optimiser")
        if plain["precision"] not in PRECISIONS:
            raise InvalidInputError(f"precision is {plain['precision']!r}: choose one of {', '.join(PRECISIONS)}")
        function = loss_function(loss)
        _check_loss(function, 5 if needs_teacher(function) else 4)
        if needs_teacher(function) != (teacher is not None):
            raise InvalidInputError(
                f"the loss {_describe_loss(function)} {'needs' if teacher is None else 'takes no'} teacher: "
                + (
                    "give teacher=, a run of scores"
                    if teacher is None
                    else "leave it out, or choose a loss that distils"
                )
            )
        return cls(
            model=_describe_model(model),
            collection=collection.fingerprint(),
            loss=_describe_loss(function),
            teacher=_describe_teacher(teacher),
            negatives=_describe_negatives(negatives),
            threads=torch.get_num_threads() if threads is None else check_size("threads", threads, high=MAX_THREADS),
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


def is_number(value: object) -> bool:
    """Tell whether `value` is a Python number that a float can hold, and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**1000


def check_bool(name: str, value: object) -> None:
    """Refuse what is not True or False: a string such as "no" would count as True.

    Raises
    ------
    InputTypeError
    """
    if not isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r}: give True or False")


def _describe_model(model: TwoTower) -> dict[str, Any]:
    described = {
        "tower": model.tower, "options": model.query_tower.options, "tied": model.tied, "similarity": model.similarity,
        "max_terms": model.reader.max_terms, "seed": model.seed, "n_terms": model.reader.n_terms,
    }  # fmt: skip
    parts = {"shared": model.shared, "head": model.head}
    return described | {name: part for name, part in parts.items() if part is not None}


def _check_loss(loss: Any, n_arguments: int) -> None:
    try:
        inspect.signature(loss).bind(*[None] * n_arguments)
    except TypeError as error:
        raise InputTypeError(
            f"loss is {loss!r}, which cannot take the {n_arguments} arguments of a batch ({error}): give a loss, such as "
            "tt.losses.in_batch() with its brackets"
        ) from None
    except ValueError:  # a callable that does not show its signature
        return


def _describe_loss(loss: Any) -> str:
    if isinstance(loss, functools.partial):
        bound = ", ".join(
            f"{name}={_describe_loss(value) if callable(value) else repr(value)}"
            for name, value in sorted(loss.keywords.items())
        )
        return f"{_describe_loss(loss.func)}({bound})"
    return getattr(loss, "__qualname__", type(loss).__qualname__)


def _describe_negatives(negatives: Any) -> str:
    return "; ".join(source.describe() for source in as_sources(negatives)) or "None"


def _describe_teacher(teacher: Any) -> str:
    if teacher is None:
        return "None"
    if not isinstance(teacher, Mapping):
        raise InputTypeError(f"teacher is {type(teacher).__name__}: give a run, query_id to doc_id to score")
    return f"run {hashlib.sha256(json.dumps(teacher, sort_keys=True).encode()).hexdigest()}"
