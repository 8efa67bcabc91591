"""The triplet margin loss: the positive must beat a negative by a margin.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.errors import InvalidInputError
from twotower.losses.scores import negative_mask, score_matrix

if TYPE_CHECKING:
    from twotower.losses import Loss


def triplet_loss(
    queries: torch.Tensor, documents: torch.Tensor, positive: torch.Tensor, excluded: torch.Tensor, *, margin: float
) -> torch.Tensor:
    r"""Return the mean over queries of max(0, margin - (s+ - s-)), s- being the query's best-scored negative.

    Parameters
    ----------
    queries, documents, positive, excluded : Tensor
        As in `twotower.losses`.
    margin : float
        How far the positive's *similarity* must stand above the negative's; at least 0.

    Returns
    -------
    Tensor
        Scalar, never below 0.

    Notes
    -----
    s is the similarity (the cosine, for unit rows), higher is nearer. Written with the cosine *distance* d = 1 - s the
    same loss is max(0, margin + d+ - d-): the course's slide calls its similarities distances, the value is the same.

    Of a query's negatives the one with the highest similarity counts (the lowest column among equals gets the
    gradient), so with one negative a query this is the textbook triplet loss. The mean over all in-batch negatives is
    not used: soon nearly all of its terms are 0 and the step all but vanishes (docs/decisions/losses.md has the
    figures). Cost B M D for the scores. Source: Schroff et al. 2015 (FaceNet), equation 3; the hardest in the batch:
    Hermans et al. 2017.
    """
    scores = score_matrix(queries, documents)
    negatives = negative_mask(scores, positive, excluded)
    positive_scores = scores.gather(1, positive.unsqueeze(1)).squeeze(1)
    hardest = scores.masked_fill(~negatives, float("-inf")).max(dim=1).values
    return torch.clamp(margin - (positive_scores - hardest), min=0).mean()


def triplet(margin: float = 0.2) -> "Loss":
    """Return the triplet margin loss on similarity difference.

    Parameters
    ----------
    margin : float
        At least 0; 0.2 suits cosines.

    Raises
    ------
    InvalidInputError
        If `margin` is not a finite number of at least 0.

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
    if not 0 <= margin < float("inf"):
        raise InvalidInputError(f"margin is {margin!r}: it must be a finite number of at least 0, such as 0.2")
    return partial(triplet_loss, margin=float(margin))
