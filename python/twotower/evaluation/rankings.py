"""Where the judged documents stand in the ranked lists of all queries: all that a metric needs to see.

Documents that nobody judged matter only by pushing others down, so places are found by counting better scores; no list is
put in order document by document.

Legend: Q judged queries, F judged documents found in the lists, J judged documents with a grade above 0.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.types import MAX_GRADE

AnyRun = Mapping[str, Mapping[str, float]]
AnyQrels = Mapping[str, Mapping[str, int]]
Integers = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rankings:
    """Judged documents by query, as found and as they would stand in ideal lists.

    Attributes
    ----------
    n_queries : int
        Q.
    query, place, grade : ndarray of int64, shape [F]
        Of the judged documents found: number of the query, place in its list from 1, grade. By query, then place.
    ideal_query, ideal_place, ideal_grade : ndarray of int64, shape [J]
        Of the documents judged above 0, found or not: by query, then grade descending.
    """

    n_queries: int
    query: Integers
    place: Integers
    grade: Integers
    ideal_query: Integers
    ideal_place: Integers
    ideal_grade: Integers

    def found(self, k: int | None, rel: int) -> npt.NDArray[np.bool_]:
        """Return which of the found documents stand in the first `k` places (None: anywhere) with grade `rel` or more."""
        good = self.grade >= rel
        return good if k is None else good & (self.place <= k)

    def n_found(self, k: int | None, rel: int) -> Values:
        """Return how many of those each query has; float64 [Q]."""
        return self.sums(self.query[self.found(k, rel)])

    def n_relevant(self, rel: int) -> Values:
        """Return how many documents were judged `rel` (1 or more) or better for each query; float64 [Q]."""
        return self.sums(self.ideal_query[self.ideal_grade >= rel])

    def sums(self, query: Integers, values: Values | None = None) -> Values:
        """Return the sum of `values` (1 each if None) for each query; float64 [Q]."""
        return np.bincount(query, values, self.n_queries).astype(np.float64)


def share(part: Values, whole: Values) -> Values:
    """Return part / whole, and 0 where whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def count_within(query: Integers) -> Integers:
    """Return for sorted numbers of queries the position within each query, from 1.

    Examples
    --------
    >>> count_within(np.array([0, 0, 0, 2, 2])).tolist()
    [1, 2, 3, 1, 2]
    """
    return np.arange(1, len(query) + 1) - np.searchsorted(query, query)


def rank_judged(run: AnyRun, qrels: AnyQrels) -> Rankings:
    """Find the places of the judged documents, as trec_eval orders lists.

    Parameters
    ----------
    run : mapping of query_id to mapping of doc_id to float
    qrels : mapping of query_id to mapping of doc_id to int

    Raises
    ------
    InvalidInputError
        If a score of a judged query is NaN.
    InputTypeError
        If a score is not a number, or a grade not an integer.

    Notes
    -----
    trec_eval compares scores as float32 and breaks ties by doc_id in descending byte order; so does this. Cost for a list of n
    with j judged: O(n log n) on numbers, O(j) on strings, and O(t log t) for t documents tied with a judged one.
    """
    found_places: list[Integers] = []
    found_grades: list[int] = []
    all_grades: list[int] = []
    n_found, n_judged = [], []
    for query_id, judged in qrels.items():
        scores = run.get(query_id, {})
        found = [doc_id for doc_id in judged if doc_id in scores]
        found_places.append(_places(query_id, scores, found))
        found_grades += [judged[doc_id] for doc_id in found]
        all_grades += judged.values()
        n_found.append(len(found))
        n_judged.append(len(judged))
    numbers = np.arange(len(qrels))
    query = np.repeat(numbers, n_found)
    place = np.concatenate(found_places) if found_places else np.zeros(0, np.int64)
    order = np.lexsort((place, query))
    grades = _grades(all_grades, qrels)
    ideal = np.lexsort((-grades, np.repeat(numbers, n_judged)))
    ideal = ideal[grades[ideal] > 0]
    ideal_query = np.repeat(numbers, n_judged)[ideal]
    return Rankings(
        n_queries=len(qrels),
        query=query,
        place=place[order],
        grade=np.array(found_grades, np.int64)[order],
        ideal_query=ideal_query,
        ideal_place=count_within(ideal_query),
        ideal_grade=grades[ideal],
    )


def _places(query_id: str, scores: Mapping[str, float], doc_ids: list[str]) -> Integers:
    """Return the places, from 1, of some documents of a list."""
    try:
        exact = np.fromiter(scores.values(), np.float64, len(scores))
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"query {query_id!r}: a score is not a number ({error})") from error
    if np.isnan(exact).any():
        doc_id = list(scores)[int(np.isnan(exact).argmax())]
        if scores[doc_id] is None:
            raise InputTypeError(f"query {query_id!r}: the score of document {doc_id!r} is not a number but None")
        raise InvalidInputError(
            f"query {query_id!r}: the score of document {doc_id!r} is NaN: every score must be a number"
        )
    with np.errstate(over="ignore"):  # beyond float32 is infinity, as in trec_eval
        values = exact.astype(np.float32)
        wanted = np.array([scores[doc_id] for doc_id in doc_ids], np.float64).astype(np.float32)
    ascending = np.sort(values)
    up_to = np.searchsorted(ascending, wanted, "right")
    places: Integers = len(values) - up_to + 1
    tied = up_to - np.searchsorted(ascending, wanted, "left") > 1
    if tied.any():
        _break_ties(places, np.flatnonzero(tied), wanted, values, list(scores), doc_ids)
    return places


def _break_ties(
    places: Integers, tied: npt.NDArray[np.intp], wanted: npt.NDArray[np.float32], values: npt.NDArray[np.float32],
    listed: list[str], doc_ids: list[str],
) -> None:  # fmt: skip
    """Move each tied document behind those of the same score and a larger doc_id (code points sort as UTF-8 bytes do)."""
    groups = {
        value: sorted(listed[at] for at in np.flatnonzero(values == value).tolist())
        for value in set(wanted[tied].tolist())
    }
    for at in tied.tolist():
        group = groups[float(wanted[at])]
        places[at] += len(group) - bisect_right(group, doc_ids[at])


def _grades(grades: list[int], qrels: AnyQrels) -> Integers:
    array = np.array(grades) if grades else np.zeros(0, np.int64)
    if array.dtype.kind not in "iub" or (len(array) and (array.max() > MAX_GRADE or array.min() < -MAX_GRADE)):
        for query_id, judged in qrels.items():
            for doc_id, grade in judged.items():
                if isinstance(grade, int | np.integer) and abs(int(grade)) > MAX_GRADE:
                    raise InvalidInputError(
                        f"query {query_id!r}: the grade of document {doc_id!r} is {grade}: it must lie between "
                        f"-{MAX_GRADE} and {MAX_GRADE}"
                    )
                if not isinstance(grade, int | np.integer):
                    raise InputTypeError(
                        f"query {query_id!r}: the grade of document {doc_id!r} is {grade!r} ({type(grade).__name__}): "
                        "give an integer"
                    )
    return array.astype(np.int64)
