"""Checks of sizes, positive numbers and seeds; what a similarity asks of vectors: unit rows, more than one dimension for the cosine."""

import sys
from typing import Any

import torch

from twotower.errors import InputTypeError, InvalidInputError

SIMILARITIES = ("cosine", "dot")
MAX_SIZE = 2**20
MAX_SEED = 2**63 - 1
SAFE_LENGTHS = 1e-15, 1e15
"""Of float32 vectors: squares between these neither vanish nor overflow."""


def check_size(name: str, value: int, *, low: int = 1, high: int = MAX_SIZE) -> int:
    """Return `value` if it is an int from `low` to `high`.

    Raises
    ------
    InputTypeError
        If it is no int.
    InvalidInputError
        If it is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputTypeError(f"{name} is {value!r}: it must be an int")
    if not low <= value <= high:
        raise InvalidInputError(f"{name} is {value}: it must be from {low} to {high}")
    return value


def check_positive(name: str, value: float) -> float:
    """Return `value` as a float if it is a finite number above 0.

    Raises
    ------
    InputTypeError
        If it is no number.
    InvalidInputError
        If it is 0, negative or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputTypeError(f"{name} is {value!r}: it must be a number")
    if not 0 < value <= sys.float_info.max:  # an int may be above
        raise InvalidInputError(f"{name} is {value}: it must be a finite number above 0")
    return float(value)


def check_flag(name: str, value: Any) -> bool:
    """Return `value` if it is a bool; else raise InputTypeError: "no" would count as yes."""
    if not isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r}: it must be True or False")
    return value


def check_seed(seed: int) -> int:
    """Return `seed` if torch and NumPy both take it: an int from 0 to 2^63 - 1; raises as `check_size`."""
    return check_size("seed", seed, low=0, high=MAX_SEED)


def check_similarity(similarity: str, out_dim: int) -> None:
    """Refuse an unknown similarity, and the cosine of vectors with one dimension.

    Raises
    ------
    InvalidInputError
        If `similarity` is neither "cosine" nor "dot", or is "cosine" with ``out_dim == 1``.
    """
    if similarity not in SIMILARITIES:
        raise InvalidInputError(f"unknown similarity {similarity!r}: choose one of {', '.join(SIMILARITIES)}")
    if similarity == "cosine" and out_dim == 1:
        raise InvalidInputError(
            "towers with one output dimension cannot learn under the cosine: the cosine of two numbers is the sign of "
            'their product, +1 or -1, so its gradient is exactly zero. Take out_dim of 2 or more, or similarity="dot"'
        )


def unit_rows(vectors: torch.Tensor) -> torch.Tensor:
    """Divide each row of [B, D] by its length; a zero row stays zero, and its gradient is finite.

    Notes
    -----
    Rows so short or long that squares vanish or overflow are divided by their largest magnitude first; others are not, and
    keep their bits.
    """
    lengths = vectors.norm(dim=1, keepdim=True)
    unsafe = ~((lengths > SAFE_LENGTHS[0]) & (lengths < SAFE_LENGTHS[1]))
    if bool(unsafe.any()):
        largest = vectors.detach().abs().amax(dim=1, keepdim=True)  # a constant: the direction does not hang on it
        vectors = vectors / torch.where(unsafe & (largest > 0), largest, 1)
        lengths = vectors.norm(dim=1, keepdim=True)
    return vectors / torch.where(lengths > 0, lengths, 1)
