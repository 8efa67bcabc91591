"""The triplet margin loss: the positive must beat a negative by a margin.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.errors import InvalidInputError
from twotower.losses.scores import as_float, check_similarity, negative_mask, positive_scores, score_matrix

if TYPE_CHECKING:
    from twotower.losses import Loss

SOFT = "soft"
MINING = ("hard", "semi_hard")


def triplet_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    *,
    margin: float | str,
    similarity: str = "dot",
    mining: str = "hard",
) -> torch.Tensor:
    r"""Return the mean over queries of max(0, margin - (s+ - s-)), s- being the score of one negative of the query.

    Parameters
    ----------
    queries, documents, positive, excluded : Tensor
        As in `twotower.losses`.
    margin : float or "soft"
        How far the positive's *similarity* must stand above the negative's; at least 0. "soft": log(1 + exp(s- - s+))
        takes the place of the hinge, and goes on pulling beyond any margin.
    similarity : {"dot", "cosine", "l2"}
        What s is: higher is nearer, so "l2" is the negative distance.
    mining : {"hard", "semi_hard"}
        Which negative of the query counts. "hard": the most similar one. "semi_hard": the most similar one among those
        less similar than the positive; the least similar one if there are none.

    Returns
    -------
    Tensor
        Scalar, never below 0.

    Notes
    -----
    s is the similarity (the cosine, for unit rows), higher is nearer. Written with the cosine *distance* d = 1 - s the
    same loss is max(0, margin + d+ - d-): the course's slide calls its similarities distances, the value is the same.

    Of equal negatives the lowest column gets the gradient. With one negative a query this is the textbook triplet loss.
    The mean over all in-batch negatives is not used: soon nearly all of its terms are 0 and the step all but vanishes
    (docs/decisions/losses.md has the figures). Cost B M D for the scores. Source: Schroff et al. 2015 (FaceNet), equation
    3 and section 3.2 (semi-hard); the hardest in the batch and the soft margin: Hermans et al. 2017, section 2.
    """
    scores = score_matrix(queries, documents, similarity)
    negatives = negative_mask(scores, positive, excluded)
    own = positive_scores(scores, positive)
    mined = _hardest(scores, negatives) if mining == "hard" else _semi_hard(scores, negatives, own)
    behind = mined - own  # -inf for a query without negatives: no loss, no gradient
    if isinstance(margin, str):
        return torch.nn.functional.softplus(behind).mean()
    return torch.clamp(margin + behind, min=0).mean()


def _hardest(scores: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    return scores.masked_fill(~negatives, float("-inf")).max(dim=1).values


def _semi_hard(scores: torch.Tensor, negatives: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    below = negatives & (scores < own.unsqueeze(1))
    easiest = scores.masked_fill(~negatives, float("inf")).min(dim=1).values
    easiest = easiest.masked_fill(~negatives.any(dim=1), float("-inf"))
    return torch.where(below.any(dim=1), _hardest(scores, below), easiest)


def triplet(margin: float | str = 0.2, *, similarity: str = "dot", mining: str = "hard") -> "Loss":
    """Return the triplet margin loss on similarity difference.

    Parameters
    ----------
    margin : float or "soft"
        At least 0; 0.2 suits cosines. "soft": no hinge, log(1 + exp(s- - s+)).
    similarity : {"dot", "cosine", "l2"}
        "dot" is the cosine for a model whose rows are unit rows.
    mining : {"hard", "semi_hard"}
        Which negative of the batch counts.

    Raises
    ------
    InvalidInputError
        If `margin` is not a finite number of at least 0 or "soft", or the others are unknown.

    Examples
    --------
    A positive with cosine 0.6 against a negative with cosine 0.8 misses the margin by 0.4:

    >>> import torch
    >>> query = torch.tensor([[1.0, 0.0]])
    >>> documents = torch.tensor([[0.6, 0.8], [0.8, 0.6]])
    >>> loss = triplet(margin=0.2)
    >>> round(loss(query, documents, torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool)).item(), 4)
    0.4
    """
    soft = isinstance(margin, str) and margin == SOFT
    if not soft and not 0 <= as_float(margin) < float("inf"):
        raise InvalidInputError(
            f'margin is {margin!r}: it must be a finite number of at least 0, such as 0.2, or "soft"'
        )
    if mining not in MINING:
        raise InvalidInputError(f"mining is {mining!r}: choose one of {', '.join(MINING)}")
    return partial(
        triplet_loss, margin=SOFT if soft else float(margin), similarity=check_similarity(similarity), mining=mining
    )
