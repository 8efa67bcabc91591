"""Losses of pairs that belong together or do not: the cosine joined to a target, and the contrastive loss of distances.

B queries, M documents, D dimensions, P pairs.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.errors import InvalidInputError
from twotower.losses.scores import as_float, check_tensors, negative_mask, positive_scores, score_matrix

if TYPE_CHECKING:
    from twotower.losses import Loss

Terms = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From similarities and whether each pair belongs together (bool) to what each pair costs."""


def cosine_terms(cosines: torch.Tensor, same: torch.Tensor, *, genuine: float, forged: float) -> torch.Tensor:
    """Return (cosine - target)^2 of each pair."""
    return (cosines - torch.where(same, genuine, forged)) ** 2


def distance_terms(similarities: torch.Tensor, same: torch.Tensor, *, margin: float) -> torch.Tensor:
    """Return d^2 of pairs that belong together, max(0, margin - d)^2 of others; the similarity is -d."""
    return torch.where(same, similarities, torch.clamp(margin + similarities, min=0)) ** 2


def pair_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    *,
    terms: Terms,
    similarity: str,
) -> torch.Tensor:
    """Return the mean over queries of half its positive's term and half the mean over its negatives' terms.

    Parameters
    ----------
    queries, documents, positive, excluded : Tensor
        As in `twotower.losses`.
    terms : callable
    similarity : {"cosine", "l2"}
        What the terms are made of.

    Returns
    -------
    Tensor
        Scalar, never below 0.

    Notes
    -----
    Cost B M D for the scores. Pairs that belong together count as much as all others, however many these are.
    """
    scores = score_matrix(queries, documents, similarity)
    negatives = negative_mask(scores, positive, excluded)
    n_negatives = negatives.sum(dim=1)
    own = terms(positive_scores(scores, positive), torch.ones_like(positive, dtype=torch.bool))
    others = (terms(scores, torch.zeros_like(negatives)) * negatives).sum(dim=1) / n_negatives.clamp(min=1)
    return (torch.where(n_negatives > 0, own, 0) + others).mean() / 2


def labelled_loss(vectors: torch.Tensor, labels: torch.Tensor, *, terms: Terms, similarity: str) -> torch.Tensor:
    """Return the loss of all pairs of rows, half for pairs of one label and half for the others.

    Parameters
    ----------
    vectors : Tensor of float, shape [B, D]
    labels : Tensor of int64, shape [B]
    terms, similarity
        As of `pair_loss`.

    Raises
    ------
    InputTypeError
        If `vectors` or `labels` is no tensor.
    InvalidInputError
        If no two rows have one label, or all have.
    """
    check_tensors(vectors=vectors, labels=labels)
    left, right = torch.triu_indices(len(labels), len(labels), offset=1)
    same = labels[left] == labels[right]
    if bool(same.all()) or not bool(same.any()):
        raise InvalidInputError(
            "pairs of one label and pairs of two are both needed: give two rows of a label, and two labels"
        )
    costs = terms(score_matrix(vectors, vectors, similarity)[left, right], same)
    return (costs[same].mean() + costs[~same].mean()) / 2


def cosine_regression(genuine: float = 1.0, forged: float = -0.9) -> "Loss":
    """Return the loss that draws the cosine of a query and its positive to one target, that of other pairs to another.

    Parameters
    ----------
    genuine, forged : float
        From -1 to 1, `genuine` the higher. Towards -0.9 only two directions can be far from each other; 0 suits many
        documents better.

    Raises
    ------
    InvalidInputError
        If the targets are out of range.

    Notes
    -----
    Source: Bromley et al. 1993, whose joining unit is the cosine of two feature vectors.

    Examples
    --------
    >>> import torch
    >>> loss = cosine_regression(genuine=1.0, forged=0.0)
    >>> query, documents = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.6, 0.8], [0.8, 0.6]])
    >>> round(loss(query, documents, torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool)).item(), 4)  # (.16 + .64) / 2
    0.4
    """
    return partial(pair_loss, terms=cosine_targets(genuine, forged), similarity="cosine")


def contrastive_margin(margin: float = 1.0) -> "Loss":
    """Return the contrastive loss: distances of pairs that belong together shrink, others grow up to a margin.

    Parameters
    ----------
    margin : float
        Above 0. Unit rows are between 0 and 2 apart.

    Raises
    ------
    InvalidInputError
        If `margin` is not a finite number above 0.

    Notes
    -----
    Half of d^2 and half of max(0, margin - d)^2, d the Euclidean distance. Source: Hadsell, Chopra and LeCun 2006,
    equation 4; Chopra et al. 2005. What else is called contrastive, a softmax over the batch, is `in_batch`.

    Examples
    --------
    >>> import torch
    >>> query, documents = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.5], [1.0, 0.25]])
    >>> own, none = torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool)
    >>> contrastive_margin(margin=1.0)(query, documents, own, none).item()  # (.5^2 + .75^2) / 2
    0.40625
    """
    return partial(pair_loss, terms=distance_margin(margin), similarity="l2")


def cosine_targets(genuine: float, forged: float) -> Terms:
    """Return the terms of `cosine_regression`; raises as it does."""
    if not -1 <= as_float(forged) < as_float(genuine) <= 1:
        raise InvalidInputError(
            f"targets are genuine={genuine!r} and forged={forged!r}: both must be numbers from -1 to 1, genuine the higher"
        )
    return partial(cosine_terms, genuine=float(genuine), forged=float(forged))


def distance_margin(margin: float) -> Terms:
    """Return the terms of `contrastive_margin`; raises as it does."""
    if not 0 < as_float(margin) < float("inf"):
        raise InvalidInputError(f"margin is {margin!r}: it must be a finite number above 0, such as 1.0")
    return partial(distance_terms, margin=float(margin))
