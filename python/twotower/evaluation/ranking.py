"""One query's ranked list as grades: all that a metric needs to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError


@dataclass(frozen=True)
class Ranking:
    """Grades in the order of the list, and the grades that the judges gave.

    Attributes
    ----------
    grades : ndarray of int64, shape [length of the list]
        Of the documents best first; 0 for an unjudged one.
    judged : ndarray of int64
        All positive grades of the query, highest first: the ideal list.
    """

    grades: npt.NDArray[np.int64]
    judged: npt.NDArray[np.int64]

    def top(self, k: int | None) -> npt.NDArray[np.int64]:
        """Return the grades of the first `k` places; None is the whole list."""
        return self.grades[:k]

    def n_relevant(self, rel: int) -> int:
        """Return how many documents were judged `rel` or better."""
        return int((self.judged >= rel).sum())


def rank(query_id: str, scores: Mapping[str, float], judged: Mapping[str, int]) -> Ranking:
    """Order a query's documents as trec_eval does, and look up their grades.

    Parameters
    ----------
    query_id : str
        For the error message.
    scores : mapping of doc_id to float
    judged : mapping of doc_id to int

    Raises
    ------
    InvalidInputError
        If a score is NaN.

    Notes
    -----
    trec_eval reads scores as float32 and breaks ties by doc_id in descending byte order; so does this.
    """
    doc_ids = list(scores)
    values = np.fromiter(scores.values(), np.float64, len(doc_ids)).astype(np.float32)
    for doc_id, value in scores.items():
        if isnan(value):
            raise InvalidInputError(
                f"query {query_id!r}: the score of document {doc_id!r} is NaN: every score must be a number"
            )
    by_id = sorted(range(len(doc_ids)), key=lambda i: doc_ids[i].encode(errors="surrogatepass"), reverse=True)
    order = np.array(by_id, np.int64)
    order = order[np.argsort(-values[order], kind="stable")]
    grades = np.array([judged.get(doc_ids[i], 0) for i in order.tolist()], np.int64)
    positive = np.array(sorted((grade for grade in judged.values() if grade > 0), reverse=True), np.int64)
    return Ranking(grades, positive)
