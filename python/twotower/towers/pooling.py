"""From the states of a text, or the frames of a sequence, to one vector. Knows no network.

T states in all, B texts, W width of a state.
"""

import torch
from torch import nn

from twotower.errors import InputTypeError, InvalidInputError


def pool(states: torch.Tensor, lengths: torch.Tensor, mode: str) -> torch.Tensor:
    """Return the mean or maximum of each text's states, [B, W].

    Parameters
    ----------
    states : Tensor of float, shape [T, W]
        Those of the first text, then those of the second, ...
    lengths : Tensor of int64, shape [B]
        States of each text; a text without any gets zeros.
    mode : {"max", "mean"}
    """
    starts = lengths.cumsum(0) - lengths
    # one kernel with a gradient that touches each state once: padding to [B, L, W] would cost more than the networks
    return nn.functional.embedding_bag(torch.arange(len(states)), states, starts, mode=mode)


def check_dropout(dropout: float) -> float:
    """Return `dropout` if it is a share.

    Raises
    ------
    InputTypeError
        If it is no number.
    InvalidInputError
        If it is not in [0, 1).
    """
    if isinstance(dropout, bool) or not isinstance(dropout, int | float):
        raise InputTypeError(f"dropout is {dropout!r}: it must be a number in [0, 1)")
    if not 0 <= dropout < 1:
        raise InvalidInputError(f"dropout is {dropout!r}: it must be in [0, 1)")
    return dropout
