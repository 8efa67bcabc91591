"""Compatibility: how much a list overlaps with the best one it could be."""

import numpy as np

from twotower.evaluation.rankings import Integers, Rankings, Values, count_within, share


def compatibility(rankings: Rankings, *, p: float = 0.95, normalize: bool = True) -> Values:
    """Return the rank-biased overlap of the list with an ideal one, over that of the ideal with itself.

    Parameters
    ----------
    p : float in (0, 1)
        Chance that a user goes on to the next place.
    normalize : bool
        Divide by the ideal's own overlap; otherwise by the weight of all places.

    Notes
    -----
    Clarke, Vtyurina and Smucker 2021: the ideal list has all documents above grade 0, best grade first, and
    documents of one grade in the order of the list itself. A document that stands at place i and has ideal place j is in both
    prefixes from max(i, j) on, so that a sum over its documents replaces one over depths.
    """
    relevant = rankings.grade > 0
    query, place, grade = rankings.query[relevant], rankings.place[relevant], rankings.grade[relevant]
    order = np.lexsort((place, -grade, query))
    query, place, grade = query[order], place[order], grade[order]
    n_ideal = rankings.n_relevant(1).astype(np.int64)
    depth = np.maximum(rankings.n_retrieved, n_ideal)
    # Weight of being in both prefixes from place m to the depth d: tail[d] - tail[m - 1].
    places = np.arange(1, depth.max(initial=0) + 1)
    tail = np.concatenate([[0.0], np.cumsum(p ** (places - 1.0) / places)])
    ideal = _better_judged(rankings, query, grade) + _within_grade(query, grade)
    overlap = rankings.sums(query, tail[depth[query]] - tail[np.maximum(place, ideal) - 1])
    if not normalize:
        return share(overlap, (1 - p**depth) / (1 - p))
    judged = rankings.judged_grade > 0
    best_query, best_place = rankings.judged_query[judged], rankings.judged_place[judged]
    return share(overlap, rankings.sums(best_query, tail[depth[best_query]] - tail[best_place - 1]))


def _better_judged(rankings: Rankings, query: Integers, grade: Integers) -> Integers:
    """Return how many judged documents of its query have a higher grade than each document."""
    judged = (rankings.judged_query << 32) - rankings.judged_grade  # ascending: by query, then grade descending
    return np.searchsorted(judged, (query << 32) - grade) - np.searchsorted(rankings.judged_query, query)


def _within_grade(query: Integers, grade: Integers) -> Integers:
    """Return the position of each document among those of its query and grade, from 1; both are grouped already."""
    new = np.ones(len(query), bool)
    new[1:] = (np.diff(query) != 0) | (np.diff(grade) != 0)
    return count_within(np.cumsum(new))
