"""MarginMSE distillation: the student's distance between positive and negative is to be the teacher's.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.losses.scores import check_temperature, negative_mask, positive_scores, score_matrix
from twotower.losses.teacher import mean_over_queries, scored_mask, teacher_scores

if TYPE_CHECKING:
    from twotower.losses import Loss


def margin_mse_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    teacher: torch.Tensor,
    *,
    temperature: float,
) -> torch.Tensor:
    r"""Return the mean over queries of the mean over their negatives of ((s+ - s-) / T - (t+ - t-))^2.

    Parameters
    ----------
    queries, documents, positive, excluded, teacher : Tensor
        As in `twotower.losses`. Only negatives that the teacher has scored count, and only for queries whose positive it
        has scored.
    temperature : float
        T, above 0: brings cosines, whose differences end at 2, to the scale of the teacher.

    Returns
    -------
    Tensor
        Scalar, never below 0.

    Notes
    -----
    Source: Hofstaetter et al. 2020, "Improving efficient neural ranking models with cross-architecture knowledge
    distillation", section 3.1.
    """
    scores = score_matrix(queries, documents) / temperature
    negatives = negative_mask(scores, positive, excluded)
    counted = scored_mask(scores, negatives, positive, teacher)
    wanted = teacher_scores(teacher, counted, scores)
    margins = positive_scores(scores, positive).unsqueeze(1) - scores
    asked = positive_scores(wanted, positive).unsqueeze(1) - wanted
    pairs = counted & negatives & counted.gather(1, positive.unsqueeze(1))
    return mean_over_queries((margins - asked).square(), pairs)


def margin_mse(temperature: float = 1.0) -> "Loss":
    """Return the MarginMSE loss; it needs the teacher's scores.

    Raises
    ------
    InvalidInputError
        If `temperature` is not a number above 0.

    Examples
    --------
    The student's margin is 0.2, the teacher's 1.2:

    >>> import torch
    >>> loss = margin_mse()
    >>> query, documents = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.8, 0.6], [0.6, 0.8]])
    >>> none = torch.zeros(1, 2, dtype=torch.bool)
    >>> round(loss(query, documents, torch.tensor([0]), none, torch.tensor([[2.0, 0.8]])).item(), 4)
    1.0
    """
    return partial(margin_mse_loss, temperature=check_temperature(temperature))
