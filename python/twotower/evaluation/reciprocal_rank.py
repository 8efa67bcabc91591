"""Reciprocal rank: RR, RR@k."""

import numpy as np

from twotower.evaluation.rankings import Rankings, Values


def reciprocal_rank(rankings: Rankings, *, k: int | None = None, rel: int = 1, judged_only: bool = False) -> Values:
    """Return 1 / the place of the first relevant document among the first k; 0 if there is none."""
    rankings = rankings.considering(judged_only)
    found = rankings.found(k, rel)
    queries, first = np.unique(rankings.query[found], return_index=True)
    values = np.zeros(rankings.n_queries)
    values[queries] = 1.0 / rankings.place[found][first]
    return values
