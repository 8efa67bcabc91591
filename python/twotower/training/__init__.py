"""Training: pairs into batches, steps, validation, checkpoints. May import towers, losses and what lies below them."""

from importlib import import_module
from typing import Any

_HOMES = {
    "History": "twotower.training.log",
    "shuffled_pairs": "twotower.training.pairs",
    "train": "twotower.training.loop",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'twotower.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
