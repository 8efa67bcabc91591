"""What losses around another loss share: which loss that is, and how it is called.

Knows no loss of its own.
"""

from typing import TYPE_CHECKING

import torch

from twotower.errors import InputTypeError
from twotower.losses import LOSSES
from twotower.registry import resolve

if TYPE_CHECKING:
    from twotower.losses import Loss


def loss_function(loss: "Loss | str") -> "Loss":
    """Return `loss`, or the loss of that name with its own defaults.

    Raises
    ------
    InvalidInputError
        If there is no loss of that name.
    InputTypeError
        If `loss` is neither a str nor callable.
    """
    if isinstance(loss, str):
        made: Loss = resolve(LOSSES, loss, "loss")()
        return made
    if not callable(loss):
        raise InputTypeError(
            f"loss is {loss!r}: give a loss, such as tt.losses.in_batch(), or a name of {', '.join(sorted(LOSSES))}"
        )
    return loss


def apply(
    base: "Loss",
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    teacher: torch.Tensor | None,
) -> torch.Tensor:
    """Return the loss `base`, given the teacher's scores if there are any."""
    if teacher is None:
        return base(queries, documents, positive, excluded)
    return base(queries, documents, positive, excluded, teacher)
