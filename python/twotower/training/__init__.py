"""Training: pairs into batches, steps, validation, checkpoints. May import towers, losses and what lies below them."""

from importlib import import_module
from typing import Any

_HOMES = {
    "Disguise": "twotower.training.siamese",
    "History": "twotower.training.log",
    "shuffled_pairs": "twotower.training.pairs",
    "spread": "twotower.training.several_seeds",
    "tensorboard": "twotower.training.boards",
    "train": "twotower.training.loop",
    "train_seeds": "twotower.training.several_seeds",
    "train_siamese": "twotower.training.siamese",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'twotower.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
