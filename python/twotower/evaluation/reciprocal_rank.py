"""Reciprocal rank."""

import numpy as np

from twotower.evaluation.rankings import Rankings, Values


def reciprocal_rank(rankings: Rankings, k: int | None, rel: int) -> Values:
    """Return 1 / the place of the first relevant document among the first k; 0 if there is none."""
    found = rankings.found(k, rel)
    queries, first = np.unique(rankings.query[found], return_index=True)
    values = np.zeros(rankings.n_queries)
    values[queries] = 1.0 / rankings.place[found][first]
    return values
