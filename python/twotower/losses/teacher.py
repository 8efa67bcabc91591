"""What losses that distil share: which documents the teacher has scored.

B queries, M documents.
"""

import inspect
from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.errors import InvalidInputError
from twotower.losses.scores import check_tensors

if TYPE_CHECKING:
    from twotower.losses import Loss


def needs_teacher(loss: "Loss") -> bool:
    """Tell whether a loss must be given the teacher's scores as its fifth argument.

    Examples
    --------
    >>> from twotower import losses
    >>> [needs_teacher(loss) for loss in (losses.in_batch(), losses.margin_mse(), losses.matryoshka("margin_mse"))]
    [False, True, True]
    """
    if isinstance(loss, partial):
        return needs_teacher(loss.keywords.get("base", loss.func))
    found = inspect.signature(loss).parameters.get("teacher")
    return found is not None and found.default is inspect.Parameter.empty


def scored_mask(
    scores: torch.Tensor, negatives: torch.Tensor, positive: torch.Tensor, teacher: torch.Tensor
) -> torch.Tensor:
    """Return bool [B, M]: the positives and negatives that the teacher has scored.

    Raises
    ------
    InputTypeError
        If `teacher` is no tensor.
    InvalidInputError
        If `teacher` is not [B, M], holds an infinity, or no query has two scored documents: there is nothing to compare.
    """
    check_tensors(teacher=teacher)
    if teacher.shape != scores.shape:
        raise InvalidInputError(
            f"for scores {list(scores.shape)} teacher must have this shape, not {list(teacher.shape)}"
        )
    if bool(torch.isinf(teacher).any()):
        raise InvalidInputError("teacher holds an infinity: give finite scores, NaN where there is none")
    counted = negatives.scatter(1, positive.unsqueeze(1), True) & ~torch.isnan(teacher)
    if int(counted.sum(dim=1).max()) < 2:
        raise InvalidInputError(
            "the teacher has scored fewer than two documents of each query of the batch: nothing can be distilled. Give the "
            "teacher's scores of positives and of the negatives that are drawn"
        )
    return counted


def teacher_scores(teacher: torch.Tensor, counted: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Return the teacher's scores in the dtype of `scores`, 0 where they do not count: a NaN would survive any product."""
    return teacher.to(scores.dtype).masked_fill(~counted, 0.0)


def mean_over_queries(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return the mean over all B queries of each one's mean of `values` [B, M] where `counted`; 0 for one without any."""
    n = counted.sum(dim=1).clamp(min=1)
    return (values.masked_fill(~counted, 0.0).sum(dim=1) / n).mean()
