"""Normalised discounted cumulative gain."""

import numpy as np

from twotower.evaluation.rankings import Integers, Rankings, Values, share


def ndcg(rankings: Rankings, k: int | None, rel: int) -> Values:
    """Return DCG / ideal DCG over the first k places, with the grade as gain and log2(place + 1) as discount.

    Notes
    -----
    Järvelin and Kekäläinen 2002 with trec_eval's linear gains. Grades below `rel` gain nothing.
    """
    found = rankings.found(k, rel)
    ideal = rankings.ideal_grade >= rel
    if k is not None:
        ideal &= rankings.ideal_place <= k
    gained = rankings.sums(rankings.query[found], _gains(rankings.grade[found], rankings.place[found]))
    possible = _gains(rankings.ideal_grade[ideal], rankings.ideal_place[ideal])
    return share(gained, rankings.sums(rankings.ideal_query[ideal], possible))


def _gains(grade: Integers, place: Integers) -> Values:
    gains: Values = grade / np.log2(place + 1)
    return gains
