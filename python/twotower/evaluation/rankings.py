"""Where the judged documents stand in the ranked lists of all queries: all that a metric needs to see.

Documents that nobody judged matter only by pushing others down, and by their number.

Legend: Q judged queries, F judged documents found in the lists, J judgements.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

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
    n_retrieved : ndarray of int64, shape [Q]
        Documents listed, judged or not; 0 for a query that the run lacks.
    judged_query, judged_grade, judged_place : ndarray of int64, shape [J]
        Of all judged documents, found or not: by query, then grade descending, which gives the place, from 1.
    """

    n_queries: int
    query: Integers
    place: Integers
    grade: Integers
    n_retrieved: Integers
    judged_query: Integers
    judged_grade: Integers
    judged_place: Integers

    def found(self, k: int | None, rel: int) -> npt.NDArray[np.bool_]:
        """Return which of the found documents stand in the first `k` places (None: anywhere) with grade `rel` or more."""
        good = self.grade >= rel
        return good if k is None else good & (self.place <= k)

    def n_found(self, k: int | None, rel: int) -> Values:
        """Return how many of those each query has; float64 [Q]."""
        return self.sums(self.query[self.found(k, rel)])

    def n_relevant(self, rel: int) -> Values:
        """Return how many documents were judged `rel` or better for each query; float64 [Q]."""
        return self.sums(self.judged_query[self.judged_grade >= rel])

    def n_nonrelevant(self, rel: int) -> Values:
        """Return how many documents were judged 0 or better, but below `rel`, for each query; float64 [Q]."""
        return self.sums(self.judged_query[(self.judged_grade >= 0) & (self.judged_grade < rel)])

    def sums(self, query: Integers, values: Values | None = None) -> Values:
        """Return the sum of `values` (1 each if None) for each query; float64 [Q]."""
        return np.bincount(query, values, self.n_queries).astype(np.float64)

    def considering(self, judged_only: bool) -> "Rankings":
        """Return the rankings themselves, or, for `judged_only`, those without the documents that nobody judged."""
        return self._among_judged if judged_only else self

    @cached_property
    def _among_judged(self) -> "Rankings":
        """As trec_eval -J: a grade below 0 means pooled but not judged."""
        kept = self.grade >= 0
        query = self.query[kept]
        return replace(
            self,
            query=query,
            place=count_within(query),
            grade=self.grade[kept],
            n_retrieved=np.bincount(query, minlength=self.n_queries).astype(np.int64),
        )


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
    return np.arange(1, len(query) + 1) - _first_of_query(query)


def seen_before(query: Integers, marked: npt.NDArray[np.bool_]) -> Integers:
    """Return for each document how many marked ones of its query stand before it.

    Examples
    --------
    >>> seen_before(np.array([0, 0, 0, 2, 2]), np.array([True, False, True, True, True])).tolist()
    [0, 1, 1, 0, 1]
    """
    before: Integers = np.cumsum(marked) - marked
    return before - before[_first_of_query(query)] if len(query) else before


def in_turn(query: Integers) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the positions of the first documents of all queries, then of the second ones, and so on.

    For what depends on all documents before: one step of NumPy a place instead of one of Python a document.
    """
    ends = np.flatnonzero(np.append(query[1:] != query[:-1], True)) + 1 if len(query) else np.zeros(0, np.intp)
    at = np.concatenate([[0], ends[:-1]]).astype(np.intp) if len(ends) else ends
    while len(at):
        yield at
        at, ends = at[at + 1 < ends] + 1, ends[at + 1 < ends]


def _first_of_query(query: Integers) -> Integers:
    """Return the position at which each document's query begins."""
    begins = np.zeros(len(query), np.int64)
    new = np.flatnonzero(query[1:] != query[:-1]) + 1
    begins[new] = new
    return np.maximum.accumulate(begins)
