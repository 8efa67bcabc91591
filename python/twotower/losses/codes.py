"""Quantisation-aware training: any loss over vectors as int8 or binary codes will hold them.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.errors import InvalidInputError
from twotower.losses.scores import at_least_float32, check_rows
from twotower.losses.wrapping import apply, loss_function

if TYPE_CHECKING:
    from twotower.losses import Loss

STORAGES = ("binary", "int8")
SIDES = ("both", "documents")
INT8_MOST = 127


def quantised_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    teacher: torch.Tensor | None = None,
    *,
    base: "Loss",
    storage: str,
    sides: str,
) -> torch.Tensor:
    """Return `base` over what codes keep of the vectors; the gradient passes the codes as if they were not there.

    Parameters
    ----------
    queries, documents, positive, excluded, teacher : Tensor
        As in `twotower.losses`.
    base : Loss
    storage : {"int8", "binary"}
        See `as_stored`.
    sides : {"both", "documents"}
        Which rows are quantised.

    Notes
    -----
    Rounding has a gradient of 0 nearly everywhere; the straight-through estimator takes 1 in its place. Source: Bengio et
    al. 2013, section 4.
    """
    check_rows(queries, documents)
    quantise = partial(_straight_through, storage=storage)
    return apply(
        base, quantise(queries) if sides == "both" else queries, quantise(documents), positive, excluded, teacher
    )


def as_stored(rows: torch.Tensor, storage: str) -> torch.Tensor:
    """Return what codes keep of rows [N, D], as numbers.

    Parameters
    ----------
    rows : Tensor
    storage : {"int8", "binary"}
        "int8": each row is rounded to 255 levels between its largest magnitude and minus that. "binary": a component is
        known by its sign alone (0 counts as above 0); all have one magnitude, which keeps the length of the row.

    Examples
    --------
    >>> as_stored(torch.tensor([[3.0, -4.0]]), "binary").tolist()  # length 5 before and after
    [[3.535533905029297, -3.535533905029297]]
    >>> (as_stored(torch.tensor([[1.27, 0.014, 0.0]]), "int8") * 100).round().tolist()  # the step is .01
    [[127.0, 1.0, 0.0]]
    """
    rows = at_least_float32(rows)
    if storage == "binary":
        magnitude = torch.linalg.vector_norm(rows, dim=1, keepdim=True) / rows.shape[1] ** 0.5
        return torch.where(rows >= 0, magnitude, -magnitude)
    step = rows.abs().amax(dim=1, keepdim=True) / INT8_MOST
    return torch.round(rows / torch.where(step > 0, step, 1)) * step


def _straight_through(rows: torch.Tensor, storage: str) -> torch.Tensor:
    return rows + (as_stored(rows.detach(), storage) - rows.detach())


def quantised(base: "Loss | str" = "in_batch", storage: str = "int8", *, sides: str = "both") -> "Loss":
    """Return `base` over quantised vectors.

    Parameters
    ----------
    base : Loss or str
        A loss, or the name of one.
    storage : {"int8", "binary"}
    sides : {"both", "documents"}
        "documents" where queries stay float at search time.

    Raises
    ------
    InvalidInputError
        If one is unknown.
    """
    if storage not in STORAGES:
        raise InvalidInputError(f"storage is {storage!r}: choose one of {', '.join(STORAGES)}")
    if sides not in SIDES:
        raise InvalidInputError(f"sides is {sides!r}: choose one of {', '.join(SIDES)}")
    return partial(quantised_loss, base=loss_function(base), storage=storage, sides=sides)
