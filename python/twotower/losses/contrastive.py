"""The in-batch contrastive loss: the positive must win a softmax against every other document of the batch.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.losses.scores import check_temperature, negative_mask, score_matrix

if TYPE_CHECKING:
    from twotower.losses import Loss


def in_batch_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    *,
    temperature: float,
    symmetric: bool = False,
) -> torch.Tensor:
    r"""Return the mean over queries of -log softmax of the positive's score.

    Parameters
    ----------
    queries, documents, positive, excluded : Tensor
        As in `twotower.losses`.
    temperature : float
        Divides the scores; above 0.
    symmetric : bool
        Take the mean with the other direction, in which each positive must find its query among all queries of the batch
        but those that it is excluded for.

    Returns
    -------
    Tensor
        Scalar, never below 0.

    Notes
    -----
    With :math:`z_{ij} = q_i \cdot d_j / T` the loss of query i is

    .. math:: -\log \frac{e^{z_{ip}}}{e^{z_{ip}} + \sum_{j \in N(i)} e^{z_{ij}}}

    The -log is part of it: the course's slide leaves it out, and minimising the bare fraction would push the positive
    away. Any number of hard negatives may stand among the documents; each is a negative for every query, as in Karpukhin
    et al. 2020, section 3.2. Cost B M D for the scores. Source: van den Oord et al. 2018 (InfoNCE).
    """
    scores = score_matrix(queries, documents) / temperature
    forward = _softmax_loss(scores, positive, negative_mask(scores, positive, excluded))
    if not symmetric:
        return forward
    shared = positive.unsqueeze(1) == positive  # one column as the positive of two queries
    strangers = ~(excluded.T[positive] | shared)
    return (
        forward + _softmax_loss(scores.T[positive], torch.arange(len(positive), device=positive.device), strangers)
    ) / 2


def _softmax_loss(scores: torch.Tensor, positive: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    counted = negatives.scatter(1, positive.unsqueeze(1), True)
    if not bool(counted.all()):
        scores = scores.masked_fill(~counted, float("-inf"))
    return torch.nn.functional.cross_entropy(scores, positive)


def in_batch(temperature: float = 0.05, *, symmetric: bool = False) -> "Loss":
    """Return the in-batch contrastive loss with this temperature.

    Parameters
    ----------
    temperature : float
        Above 0. Cosines lie in [-1, 1], so 0.05 lets them span 40 units of the softmax.
    symmetric : bool
        Both directions: documents also look for their queries.

    Raises
    ------
    InvalidInputError
        If `temperature` is not a number above 0.

    Examples
    --------
    Two queries, each of which finds its own document with cosine 1 and the other's with 0:

    >>> import torch
    >>> loss = in_batch(temperature=1.0)
    >>> rows = torch.eye(2)
    >>> round(loss(rows, rows, torch.tensor([0, 1]), torch.zeros(2, 2, dtype=torch.bool)).item(), 4)  # log(1 + e^-1)
    0.3133
    """
    return partial(in_batch_loss, temperature=check_temperature(temperature), symmetric=bool(symmetric))
