"""The pairwise logistic loss (RankNet): each negative must lose its own two-way contest against the positive.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.losses.scores import check_temperature, negative_mask, positive_scores, score_matrix
from twotower.losses.teacher import mean_over_queries

if TYPE_CHECKING:
    from twotower.losses import Loss


def pairwise_logistic_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    *,
    temperature: float,
) -> torch.Tensor:
    r"""Return the mean over queries of the mean over their negatives of log(1 + exp(-(s+ - s-) / T)).

    Parameters
    ----------
    queries, documents, positive, excluded : Tensor
        As in `twotower.losses`.
    temperature : float
        T, above 0: 1 / sigma of the source.

    Returns
    -------
    Tensor
        Scalar, never below 0.

    Notes
    -----
    With one negative a query this is the in-batch contrastive loss. With many, the hard ones drown among the easy ones,
    whose terms are nearly 0. Cost B M D for the scores. Source: Burges et al. 2005, section 3.
    """
    scores = score_matrix(queries, documents) / temperature
    negatives = negative_mask(scores, positive, excluded)
    behind = scores - positive_scores(scores, positive).unsqueeze(1)
    return mean_over_queries(torch.nn.functional.softplus(behind), negatives)


def pairwise_logistic(temperature: float = 0.05) -> "Loss":
    """Return the pairwise logistic loss with this temperature.

    Raises
    ------
    InvalidInputError
        If `temperature` is not a number above 0.

    Examples
    --------
    Equal scores are a contest lost half the time, log 2:

    >>> import torch
    >>> loss = pairwise_logistic(temperature=1.0)
    >>> round(loss(torch.ones(1, 2), torch.ones(2, 2), torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool)).item(), 4)
    0.6931
    """
    return partial(pairwise_logistic_loss, temperature=check_temperature(temperature))
