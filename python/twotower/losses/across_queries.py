"""The CoSENT loss: every positive pair of the batch must stand above every negative pair, of whichever query.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.losses.scores import check_temperature, negative_mask, positive_scores, score_matrix

if TYPE_CHECKING:
    from twotower.losses import Loss


def cosent_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    *,
    temperature: float,
) -> torch.Tensor:
    r"""Return log(1 + sum over positive pairs p and negative pairs n of the batch of exp((s_n - s_p) / T)).

    Parameters
    ----------
    queries, documents, positive, excluded : Tensor
        As in `twotower.losses`.
    temperature : float
        T, above 0: 1 / lambda of the source.

    Returns
    -------
    Tensor
        Scalar, never below 0. Not a mean over queries: it compares scores *across* them, so that one threshold on the
        score comes to suit all.

    Notes
    -----
    The double sum is a product, so its logarithm is logsumexp(s_n / T) + logsumexp(-s_p / T): cost B M D for the scores
    and B M beyond, not B^2 M. Source: Su 2022, "CoSENT (1): a more effective sentence vector scheme" (web page,
    kexue.fm/archives/8847).
    """
    scores = score_matrix(queries, documents) / temperature
    negatives = negative_mask(scores, positive, excluded)
    highest = torch.logsumexp(scores.masked_fill(~negatives, float("-inf")).flatten(), dim=0)
    lowest = torch.logsumexp(-positive_scores(scores, positive), dim=0)
    return torch.nn.functional.softplus(highest + lowest)


def cosent(temperature: float = 0.05) -> "Loss":
    """Return the CoSENT loss with this temperature.

    Raises
    ------
    InvalidInputError
        If `temperature` is not a number above 0.

    Examples
    --------
    One positive and one negative with equal scores: log(1 + e^0).

    >>> import torch
    >>> loss = cosent(temperature=1.0)
    >>> round(loss(torch.ones(1, 2), torch.ones(2, 2), torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool)).item(), 4)
    0.6931
    """
    return partial(cosent_loss, temperature=check_temperature(temperature))
