"""Normalised discounted cumulative gain: nDCG, nDCG@k."""

from collections.abc import Mapping

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation.rankings import Integers, Rankings, Values, count_within, share

LARGEST_EXPONENT = 1000  # 2 to the power of it is still a float64, and so are sums


def ndcg(
    rankings: Rankings, *, k: int | None = None, rel: int | None = None, dcg: str = "log2",
    gains: Mapping[int, float] | None = None, judged_only: bool = False,
) -> Values:  # fmt: skip
    """Return DCG / ideal DCG over the first k places, with log2(place + 1) as discount.

    Parameters
    ----------
    rel : int, optional
        Grades below it gain nothing.
    dcg : {"log2", "exp-log2"}
        Gain: the grade (Järvelin and Kekäläinen 2002; trec_eval), or 2^grade - 1 (Burges et al. 2005; gdeval).
    gains : mapping of int to float, optional
        Other grades to use, by grade; a grade that is not in it stays. What is not above 0 gains nothing.
    """
    rankings = rankings.considering(judged_only)

    def gain(grade: Integers) -> Values:
        gained = _mapped(grade, gains)
        if dcg == "exp-log2":
            gained = _exponential(gained)
        return np.where((gained > 0) & (grade >= rel), gained, 0.0) if rel is not None else np.maximum(gained, 0.0)

    query, place, ideal = rankings.judged_query, rankings.judged_place, gain(rankings.judged_grade)
    if gains is not None:  # other grades, another ideal order
        order = np.lexsort((-ideal, query))
        ideal, place = ideal[order], count_within(query)
    gained = _sum(rankings, rankings.query, rankings.place, gain(rankings.grade), k)
    return share(gained, _sum(rankings, query, place, ideal, k))


def _sum(rankings: Rankings, query: Integers, place: Integers, gain: Values, k: int | None) -> Values:
    if k is not None:
        early = place <= k
        query, place, gain = query[early], place[early], gain[early]
    return rankings.sums(query, gain / np.log2(place + 1))


def _mapped(grade: Integers, gains: Mapping[int, float] | None) -> Values:
    values = grade.astype(np.float64)
    for old, new in (gains or {}).items():
        values[grade == old] = new
    return values


def _exponential(grade: Values) -> Values:
    if len(grade) and grade.max() > LARGEST_EXPONENT:
        raise InvalidInputError(
            f"dcg='exp-log2' gains 2^grade - 1: grade {grade.max():.0f} is too large, give gains=... or dcg='log2'"
        )
    gains: Values = np.exp2(np.maximum(grade, 0.0)) - 1
    return gains
