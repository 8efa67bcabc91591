"""How much of a list anybody judged: Judged@k, hole@k."""

import numpy as np

from twotower.evaluation.rankings import Rankings, Values, share


def judged(rankings: Rankings, *, k: int | None = None) -> Values:
    """Return the share of the first k documents (of all, if the list is shorter) with a judgement, whatever the grade."""
    inside = slice(None) if k is None else rankings.place <= k
    return share(rankings.sums(rankings.query[inside]), _listed(rankings, k))


def hole(rankings: Rankings, *, k: int | None = None) -> Values:
    """Return the share of the first k documents without a judgement: 1 - Judged@k, and 0 for an empty list.

    Notes
    -----
    BEIR's hole@k counts a document as judged if any query judged it, and divides by k; this one asks the query's own judges.
    """
    return np.where(_listed(rankings, k) > 0, 1 - judged(rankings, k=k), 0.0)


def _listed(rankings: Rankings, k: int | None) -> Values:
    listed = rankings.n_retrieved if k is None else np.minimum(rankings.n_retrieved, k)
    return listed.astype(np.float64)
