"""Did a run fail? What a ranking that does not look at the query reaches, and what a model that tells nothing apart loses.

Q queries, B queries and M documents of a batch.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from twotower.errors import InvalidInputError
from twotower.training.batches import Batch
from twotower.training.validation import DEPTH

if TYPE_CHECKING:
    from twotower.losses import Loss


def query_blind_score(relevant: Sequence[frozenset[int]]) -> float:
    """Return the mean RR@10 of one ranking for all queries, the best that a greedy choice finds.

    Place after place it takes the document that is relevant to most of the queries that have none yet, knowing the very
    judgements that are measured: what any ranking that is blind to the query can hardly beat. The majority class of
    retrieval.

    Examples
    --------
    Two queries want document 7, one wants 3: 7 first, then 3.

    >>> round(query_blind_score([frozenset({7}), frozenset({7}), frozenset({3})]), 4)  # (1 + 1 + 1/2) / 3
    0.8333
    """
    left = [docs for docs in relevant if docs]
    total = 0.0
    for place in range(1, DEPTH + 1):
        counts = Counter(doc for docs in left for doc in docs)
        if not counts:
            break
        best = min(counts, key=lambda doc: (-counts[doc], doc))
        total += counts[best] / place
        left = [docs for docs in left if best not in docs]
    return total / len(relevant) if relevant else 0.0


def indifferent_loss(loss: "Loss", batch: Batch, dim: int) -> float | None:
    """Return the loss of a batch under a model that gives all its documents one score; None if the loss has none there.

    A softmax over M documents has log M: what a collapsed model pays.
    """
    zeros = torch.zeros(len(batch.queries), dim), torch.zeros(len(batch.documents), dim)
    extra = () if batch.teacher is None else (batch.teacher,)
    try:
        with torch.no_grad():
            return float(loss(*zeros, batch.positive, batch.excluded, *extra))
    except InvalidInputError:  # no negative, or no teacher's score, in this batch
        return None


def failure(losses: Sequence[float], indifferent: float | None, valid: float | None, blind: float | None) -> str | None:
    """Say why a run has failed; None if it has not.

    Parameters
    ----------
    losses : sequence of float
        Of the last epoch.
    indifferent : float or None
        Loss of a model that tells nothing apart.
    valid, blind : float or None
        RR@10 of the best epoch, and of the best ranking that is blind to the query.

    Notes
    -----
    With a valid split the figure there decides; without one the loss. Source: Mosbach et al. 2021, section 3, who call a run
    failed that ends no better than the majority class.
    """
    if valid is not None and blind is not None:
        if valid > blind:
            return None
        return f"RR@10 {valid:.4f} on valid is not above {blind:.4f}, which one ranking for all queries reaches"
    mean = sum(losses) / len(losses) if losses else 0.0
    if indifferent is None or mean < indifferent:
        return None
    return f"the mean loss of the last epoch, {mean:.4f}, is not below {indifferent:.4f}, that of a model without an opinion"
