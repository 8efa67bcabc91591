"""Numbers of queries and documents, added up over queries instead of averaged: NumQ, NumRet, NumRel."""

import numpy as np

from twotower.evaluation.rankings import Rankings, Values


def n_queries(rankings: Rankings) -> Values:
    """Return 1 for each query that the run answers."""
    return np.ones(rankings.n_queries)


def n_retrieved(rankings: Rankings, *, rel: int | None = None) -> Values:
    """Return the number of documents listed, or, with `rel`, of those judged so or better."""
    return rankings.n_retrieved.astype(np.float64) if rel is None else rankings.n_found(None, rel)


def n_relevant(rankings: Rankings, *, rel: int = 1) -> Values:
    """Return the number of documents judged relevant, listed or not."""
    return rankings.n_relevant(rel)
