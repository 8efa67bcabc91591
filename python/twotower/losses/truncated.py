"""The Matryoshka loss: the first d components of the vectors are to be good vectors themselves, for several d.

B queries, M documents, D dimensions.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.errors import InputTypeError, InvalidInputError
from twotower.losses.scores import as_float, at_least_float32, check_rows, unit_rows
from twotower.losses.wrapping import apply, loss_function

if TYPE_CHECKING:
    from twotower.losses import Loss


def matryoshka_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    teacher: torch.Tensor | None = None,
    *,
    base: "Loss",
    sizes: tuple[int, ...] | None,
    weights: tuple[float, ...] | None,
    normalise: bool,
) -> torch.Tensor:
    """Return the weighted sum of `base` over vectors cut to each size.

    Parameters
    ----------
    queries, documents, positive, excluded, teacher : Tensor
        As in `twotower.losses`.
    base : Loss
    sizes : tuple of int, optional
        None: D, D / 2 and D / 4, of which those below 2 are left out.
    weights : tuple of float, optional
        One a size; None: 1 each.
    normalise : bool
        Make unit rows of the cut vectors: right for a model whose similarity is the cosine.

    Raises
    ------
    InvalidInputError
        If a size is above D.

    Notes
    -----
    Source: Kusupati et al. 2022, equation 1.
    """
    check_rows(queries, documents)
    dim = queries.shape[1]
    sizes = sizes or tuple(size for size in (dim, dim // 2, dim // 4) if size >= 2) or (dim,)
    if max(sizes) > dim:
        raise InvalidInputError(f"sizes has {max(sizes)}, the vectors have {dim} dimensions: name sizes up to {dim}")
    total = torch.zeros((), device=queries.device)
    for size, weight in zip(sizes, weights or [1.0] * len(sizes), strict=True):
        cut = [at_least_float32(rows[:, :size]) for rows in (queries, documents)]
        if normalise:
            cut = [unit_rows(rows) for rows in cut]
        total = total + weight * apply(base, cut[0], cut[1], positive, excluded, teacher)
    return total


def matryoshka(
    base: "Loss | str" = "in_batch",
    sizes: Sequence[int] | None = None,
    weights: Sequence[float] | None = None,
    *,
    normalise: bool = True,
) -> "Loss":
    """Return `base` over vectors cut to several sizes.

    Parameters
    ----------
    base : Loss or str
        A loss, or the name of one.
    sizes, weights : sequence, optional
        Numbers of leading components, and what each counts; None: D, D / 2, D / 4, and 1 each.
    normalise : bool
        Unit rows after the cut; False for a model whose similarity is the inner product.

    Raises
    ------
    InputTypeError
        If `sizes` or `weights` is no list or other sequence.
    InvalidInputError
        If a size is below 1 (below 2 with `normalise`: a cosine in one dimension has no gradient), comes twice, or a weight
        is not a finite number above 0, or there is not one for each size.

    Examples
    --------
    >>> import torch
    >>> from twotower.losses import in_batch
    >>> rows, own, none = torch.eye(4)[:2], torch.tensor([0, 1]), torch.zeros(2, 2, dtype=torch.bool)
    >>> whole = in_batch(1.0)(rows, rows, own, none)  # the first two components tell these rows apart as well
    >>> round((matryoshka(in_batch(1.0), [4, 2], [1, 0.5])(rows, rows, own, none) / whole).item(), 4)
    1.5
    """
    for name, values in (("sizes", sizes), ("weights", weights)):
        if values is not None and not isinstance(values, Sequence):
            raise InputTypeError(f"{name} is of type {type(values).__name__}: give a list, such as [64, 32]")
    if sizes is not None:
        least = 2 if normalise else 1
        if not sizes or any(type(size) is not int or size < least for size in sizes) or len(set(sizes)) < len(sizes):
            raise InvalidInputError(f"sizes is {sizes!r}: name different whole numbers from {least} up")
    if weights is not None and (
        sizes is None
        or len(weights) != len(sizes)
        or not all(0 < as_float(weight) < float("inf") for weight in weights)
    ):
        raise InvalidInputError(
            f"weights is {weights!r} for sizes {sizes!r}: give a finite number above 0 for each size"
        )
    return partial(
        matryoshka_loss,
        base=loss_function(base),
        sizes=None if sizes is None else tuple(sizes),
        weights=None if weights is None else tuple(map(float, weights)),
        normalise=bool(normalise),
    )
