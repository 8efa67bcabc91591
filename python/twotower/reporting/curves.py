"""Curves over the places of judged documents: recall by depth, interpolated precision, how much was judged.

Legend: Q judged queries, F judged documents found in the lists.
"""

from collections.abc import Sequence

import numpy as np

from twotower.evaluation.rankings import Integers, Rankings, Values, count_within, share

LEVELS = 11  # recall 0, .1, ..., 1
_STEPS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


def depths(deepest: int) -> list[int]:
    """Return about ten depths a decade, from 1 to `deepest`, both there.

    Examples
    --------
    >>> depths(14)
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14]
    """
    grid = set(range(1, 10)) | {step * 10**power for power in range(8) for step in _STEPS}
    return sorted({depth for depth in grid if depth < deepest} | {max(deepest, 1)})


def recall_by_depth(rankings: Rankings, rel: int, at: Sequence[int]) -> list[float]:
    """Return the mean over queries of R@k for each depth k of `at`; a query without relevant documents counts 0."""
    found = rankings.found(None, rel)
    each = 1.0 / rankings.n_relevant(rel)[rankings.query[found]]
    place = rankings.place[found]
    return [float(each[place <= depth].sum()) / rankings.n_queries for depth in at]


def interpolated_precision(rankings: Rankings, rel: int) -> list[float]:
    """Return the mean interpolated precision at recall 0, .1, ..., 1.

    A query's interpolated precision at recall r is its best precision at any place where recall is r or more, and 0 where
    its list never reaches r. A query without relevant documents counts 0.

    Notes
    -----
    Manning, Raghavan and Schütze 2008, section 8.4. As trec_eval's iprec_at_recall, a share of R documents is rounded up to a
    whole number from a tenth on: the integer part of share * R + 0.9.
    """
    found = rankings.found(None, rel)
    query, place = rankings.query[found], rankings.place[found]
    rank = count_within(query)
    n_relevant = rankings.n_relevant(rel)
    best = _best_from_here(query, rank / place)
    first = np.searchsorted(query, np.arange(rankings.n_queries))
    n_found = np.bincount(query, minlength=rankings.n_queries)
    means = []
    for level in range(LEVELS):
        needed = np.maximum(1, np.floor(level / (LEVELS - 1) * n_relevant + 0.9).astype(np.int64))
        reached = (n_relevant > 0) & (n_found >= needed)
        means.append(float(best[(first + needed - 1)[reached]].sum()) / rankings.n_queries)
    return means


def judged_share(rankings: Rankings, lengths: Integers, k: int) -> float:
    """Return the mean share of judged documents among the first k, or all where a list is shorter: ir-measures' Judged@k.

    A query without a list counts 0.

    Parameters
    ----------
    rankings : Rankings
    lengths : ndarray of int64, shape [Q]
        Documents in each list.
    k : int
    """
    judged = rankings.sums(rankings.query[rankings.place <= k])
    return float(share(judged, np.minimum(lengths, k).astype(np.float64)).mean())


def _best_from_here(query: Integers, precision: Values) -> Values:
    """Return for each place of a query's relevant documents the best precision there or further down."""
    best = precision.copy()
    for at in range(len(best) - 2, -1, -1):
        if query[at] == query[at + 1] and best[at + 1] > best[at]:
            best[at] = best[at + 1]
    return best
