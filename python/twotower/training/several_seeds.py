"""The same training with several seeds: how far apart they end, and which of them failed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev
from typing import Any

from twotower.errors import InputTypeError, InvalidInputError
from twotower.towers import TwoTower
from twotower.training.log import History
from twotower.training.loop import train
from twotower.types import Collection


@dataclass(frozen=True)
class SeedRun:
    """One of several runs.

    Attributes
    ----------
    model_seed, order_seed : int
        Of the first weights, and of everything else: order of pairs, drawn negatives, dropout.
    history : History
    model : TwoTower
    """

    model_seed: int
    order_seed: int
    history: History
    model: TwoTower

    @property
    def valid(self) -> float:
        """RR@10 of the best epoch on the valid split."""
        assert self.history.best_valid is not None
        return self.history.best_valid


def train_seeds(
    build: Callable[[int], TwoTower], collection: Collection, *, model_seeds: Sequence[int] = (0, 1, 2),
    order_seeds: Sequence[int] | None = None, **options: Any,
) -> list[SeedRun]:  # fmt: skip
    """Train a model for each pair of seeds.

    Parameters
    ----------
    build : callable
        Makes the untrained model of a seed.
    collection : Collection
    model_seeds, order_seeds : sequence of int
        Every first weights with every order; None: each model seed is its own order seed, one run each.
    **options
        Of `twotower.train`. Each run has a folder of its own in `folder`, named after its two seeds.

    Raises
    ------
    InvalidInputError
        If there is no seed, or no valid split, without which the runs cannot be compared; if `build` makes the same model twice.
    InputTypeError
        If `build` cannot be called, or `seed` is among the options: give `order_seeds`.
    """
    if not callable(build):
        raise InputTypeError(f"build is {build!r}: give a function that makes the untrained model of a seed")
    if "seed" in options:
        raise InputTypeError("train_seeds has no option 'seed': give model_seeds and order_seeds")
    if not model_seeds or (order_seeds is not None and not order_seeds):
        raise InvalidInputError("give at least one seed")
    if options.get("valid", "valid") is None:
        raise InvalidInputError("runs of several seeds are compared on the valid split: name one")
    pairs = [(m, o) for m in model_seeds for o in ((m,) if order_seeds is None else order_seeds)]
    folder = options.pop("folder", None)
    runs: list[SeedRun] = []
    for model_seed, order_seed in pairs:
        model = build(model_seed)
        if any(model is run.model for run in runs):
            raise InvalidInputError(f"build({model_seed}) returned a model that is trained already: make a new one")
        own = None if folder is None else Path(folder, f"model-{model_seed}-order-{order_seed}")
        history = train(model, collection, seed=order_seed, folder=own, **options)
        runs.append(SeedRun(model_seed, order_seed, history, model))
    return runs


def spread(runs: Sequence[SeedRun]) -> dict[str, float | int | None]:
    """Return n, mean, standard deviation (None for one run), median, min and max of RR@10 on valid, and how many runs failed.

    Failed runs are counted in everything: to leave them out would hide them.
    """
    values = [run.valid for run in runs]
    return {
        "n": len(values),
        "mean": sum(values) / len(values),
        "sd": stdev(values) if len(values) > 1 else None,
        "median": median(values),
        "min": min(values),
        "max": max(values),
        "n_failed": sum(run.history.failure is not None for run in runs),
    }
