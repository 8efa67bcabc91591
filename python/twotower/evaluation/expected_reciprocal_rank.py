"""Expected reciprocal rank: ERR, nERR, both also @k."""

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation.rankings import Integers, Rankings, Values, in_turn, share


def expected_reciprocal_rank(rankings: Rankings, *, k: int | None = None, max_rel: int = 4) -> Values:
    """Return the expected 1 / place at which a user stops who is satisfied by a document with (2^grade - 1) / 2^max_rel.

    Parameters
    ----------
    max_rel : int
        Highest grade of the scale; 4 in gdeval. A grade above it is an error.

    Notes
    -----
    Chapelle, Metzler, Zhang and Grinspan 2009.
    """
    return _expected(rankings, rankings.query, rankings.place, rankings.grade, k, max_rel)


def normalised_err(rankings: Rankings, *, k: int | None = None, max_rel: int = 4) -> Values:
    """Return ERR over the ERR of the ideal list."""
    best = _expected(rankings, rankings.judged_query, rankings.judged_place, rankings.judged_grade, k, max_rel)
    return share(expected_reciprocal_rank(rankings, k=k, max_rel=max_rel), best)


def _expected(
    rankings: Rankings, query: Integers, place: Integers, grade: Integers, k: int | None, max_rel: int
) -> Values:
    if len(rankings.judged_grade) and rankings.judged_grade.max() > max_rel:
        raise InvalidInputError(
            f"a grade of {rankings.judged_grade.max()} is above max_rel={max_rel}: write ERR(max_rel=...) with the highest grade"
        )
    gains = (grade > 0) if k is None else (grade > 0) & (place <= k)
    query, place = query[gains], place[gains]
    stops = np.exp2(grade[gains] - max_rel) - 2.0**-max_rel
    goes_on = np.ones(rankings.n_queries)
    values = np.zeros(rankings.n_queries)
    for at in in_turn(query):
        values[query[at]] += goes_on[query[at]] * stops[at] / place[at]
        goes_on[query[at]] *= 1 - stops[at]
    return values
