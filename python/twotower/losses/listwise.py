"""ListMLE distillation: the teacher's order of a query's documents is to be likely under the student's scores.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.losses.scores import check_temperature, negative_mask, score_matrix
from twotower.losses.teacher import mean_over_queries, scored_mask, teacher_scores

if TYPE_CHECKING:
    from twotower.losses import Loss


def list_mle_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    teacher: torch.Tensor,
    *,
    temperature: float,
) -> torch.Tensor:
    r"""Return the mean over queries of -log P(teacher's order | s / T), divided by the length of the list.

    Parameters
    ----------
    queries, documents, positive, excluded, teacher : Tensor
        As in `twotower.losses`. Positive and negatives count where the teacher has scored them; equal scores of the
        teacher are taken in the order of the columns.
    temperature : float
        T, above 0.

    Returns
    -------
    Tensor
        Scalar, never below 0.

    Notes
    -----
    Under Plackett and Luce the documents are drawn one after the other, each from a softmax over those that are left:
    with the teacher's order 1..n the negative log likelihood is :math:`\sum_r \log \sum_{k \ge r} e^{z_k} - z_r`. Only
    the order of the teacher's scores counts. Source: Xia et al. 2008, section 4.
    """
    scores = score_matrix(queries, documents) / temperature
    negatives = negative_mask(scores, positive, excluded)
    counted = scored_mask(scores, negatives, positive, teacher)
    wanted = teacher_scores(teacher, counted, scores).masked_fill(~counted, float("-inf"))
    order = wanted.argsort(dim=1, descending=True, stable=True)  # what does not count comes last
    ranked = scores.gather(1, order)
    kept = counted.gather(1, order) & (counted.sum(dim=1, keepdim=True) > 1)  # a list of one has one order
    left = ranked.masked_fill(~kept, torch.finfo(ranked.dtype).min)  # -inf would give NaN gradients in logcumsumexp
    remaining = left.flip(1).logcumsumexp(dim=1).flip(1)
    return mean_over_queries(remaining - ranked, kept)


def list_mle(temperature: float = 0.05) -> "Loss":
    """Return the ListMLE loss; it needs the teacher's scores.

    Raises
    ------
    InvalidInputError
        If `temperature` is not a number above 0.

    Examples
    --------
    Two documents of equal score: either order has probability 1/2, so log 2 over a list of two.

    >>> import torch
    >>> none = torch.zeros(1, 2, dtype=torch.bool)
    >>> loss = list_mle()(torch.ones(1, 2), torch.ones(2, 2), torch.tensor([0]), none, torch.tensor([[2.0, 1.0]]))
    >>> round(loss.item(), 4)
    0.3466
    """
    return partial(list_mle_loss, temperature=check_temperature(temperature))
