"""Shares of relevant documents at a place of the list: P@k, R@k, R_cap@k, Success@k, Rprec, IPrec@recall."""

import numpy as np

from twotower.evaluation.rankings import Rankings, Values, count_within, share


def precision(rankings: Rankings, *, k: int, rel: int = 1, judged_only: bool = False) -> Values:
    """Return the share of relevant documents in the first k places; a list shorter than k counts as if filled up."""
    return rankings.considering(judged_only).n_found(k, rel) / k


def recall(rankings: Rankings, *, k: int, rel: int = 1, judged_only: bool = False) -> Values:
    """Return the share of the relevant documents that stand in the first k places; 0 if none is relevant."""
    return share(rankings.considering(judged_only).n_found(k, rel), rankings.n_relevant(rel))


def capped_recall(rankings: Rankings, *, k: int, rel: int = 1) -> Values:
    """Return R@k over the best that k places allow: BEIR's R_cap@k (Thakur et al. 2021)."""
    return share(rankings.n_found(k, rel), np.minimum(rankings.n_relevant(rel), k))


def success(rankings: Rankings, *, k: int, rel: int = 1, judged_only: bool = False) -> Values:
    """Return 1 if a relevant document stands in the first k places, else 0."""
    return (rankings.considering(judged_only).n_found(k, rel) > 0).astype(float)


def r_precision(rankings: Rankings, *, rel: int = 1, judged_only: bool = False) -> Values:
    """Return the precision after as many places as documents are relevant."""
    rankings = rankings.considering(judged_only)
    n_relevant = rankings.n_relevant(rel)
    early = (rankings.grade >= rel) & (rankings.place <= n_relevant[rankings.query])
    return share(rankings.sums(rankings.query[early]), n_relevant)


def interpolated_precision(rankings: Rankings, *, recall: float, rel: int = 1, judged_only: bool = False) -> Values:
    """Return the best precision at any place where at least this share of the relevant documents has been seen.

    Notes
    -----
    As trec_eval 9: a share of R documents is rounded up to a whole number from a tenth on (the integer part of share * R + 0.9).
    """
    rankings = rankings.considering(judged_only)
    found = rankings.grade >= rel
    query = rankings.query[found]
    seen = count_within(query)
    wanted = np.floor(recall * rankings.n_relevant(rel) + 0.9)[query]
    late = seen >= wanted
    best = np.zeros(rankings.n_queries)
    np.maximum.at(best, query[late], (seen / rankings.place[found])[late])
    return best
