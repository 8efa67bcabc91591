"""What the searchers of a hybrid say about a block of queries: their lists, and their scores of any document.

Knows no fusion. Legend: S searchers, Q queries, C candidates, L list length, U size of the largest union.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.index import BM25Index, TfidfIndex
from twotower.search.cost import PartCost
from twotower.search.dense import Dense
from twotower.search.ranking import Docs, ranks, union
from twotower.search.searcher import Searcher
from twotower.types import Hits

Shares = npt.NDArray[np.float64]
"""Of shape [S, Q, C]."""


class Asked:
    """One searcher and the queries that it was asked; a dense searcher encodes them once."""

    def __init__(self, searcher: Any, texts: list[str], cost: PartCost) -> None:
        self._searcher, self._cost = searcher, cost
        self._index: Any = searcher
        self._queries: Any = texts
        if isinstance(searcher, Dense):
            with cost.timed("encode"):
                self._index, self._queries = searcher.index, searcher.encode(texts)
            cost.encoded += len(texts)

    def search(self, k: int) -> Hits:
        """Return the `k` best documents of each query."""
        self._cost.searches += len(self._queries)
        with self._cost.timed("search"):
            hits: Hits = self._index.search(self._queries, k)
        self._check_finite(hits.scores, hits.docs)
        return hits

    def score(self, docs: Docs) -> npt.NDArray[np.float32]:
        """Return the scores [Q, C] of `docs` [Q, C]."""
        self._cost.scored += int((docs >= 0).sum())
        with self._cost.timed("score"):
            scores: npt.NDArray[np.float32] = self._index.score(self._queries, docs)
        self._check_finite(scores, docs)
        return scores

    def _check_finite(self, scores: npt.NDArray[np.float32], docs: Docs) -> None:
        wrong = ~np.isfinite(scores) & (docs >= 0)
        if wrong.any():
            query, place = np.argwhere(wrong)[0]
            raise InvalidInputError(
                f"searcher {self._searcher.name!r} gives document {self._searcher.doc_ids[docs[query, place]]!r} the score "
                f"{scores[query, place]} for query {query}: only finite scores can be fused"
            )

    def least_scores(self) -> npt.NDArray[np.float64]:
        """Return a bound [Q] that no document's score of a query is below; needs `knows_least_scores`."""
        if hasattr(self._searcher, "least_scores"):
            return np.asarray(self._searcher.least_scores(self._queries), np.float64)
        return np.zeros(len(self._queries))


def knows_least_scores(searcher: Any) -> bool:
    """Tell whether a searcher's scores have a known lower bound.

    It says so by a method ``least_scores(queries) -> float64 [Q]``, or is a lexical index whose idf is never negative: 0.
    """
    lexical = isinstance(searcher, BM25Index | TfidfIndex) and getattr(searcher, "variant", None) != "robertson"
    return lexical or hasattr(searcher, "least_scores")


@dataclass(frozen=True)
class Pool:
    """The lists of several searchers for a block of queries.

    Attributes
    ----------
    asked : list of Asked
    lists : list of int64 [Q, L]
        The DocIds that each searcher found, best first.
    silent : ndarray of bool, shape [S, Q]
        Whether all scores of a list are 0: the searcher found nothing, or tells no document from another (a query whose vector is
        zero). Such a list is in DocId order and no reason to rank anything.
    candidates : ndarray of int64, shape [Q, U]
        The union of the lists, ascending.
    """

    asked: list[Asked]
    lists: list[Docs]
    silent: npt.NDArray[np.bool_]
    candidates: Docs

    @classmethod
    def collect(
        cls, searchers: Sequence[Searcher], texts: list[str], depth: int, costs: Mapping[str, PartCost]
    ) -> Self:
        """Ask every searcher for the `depth` best documents of each text."""
        asked = [Asked(searcher, texts, costs[searcher.name]) for searcher in searchers]
        depth = min(depth, len(searchers[0].doc_ids))
        hits = [one.search(depth) for one in asked]
        silent = [((found.scores == 0) | (found.docs < 0)).all(axis=1) for found in hits]
        lists = [found.docs for found in hits]
        return cls(asked, lists, np.stack(silent), union(lists))

    @cached_property
    def candidate_scores(self) -> Shares:
        """The scores [S, Q, U] of the candidates."""
        return self.scores(self.candidates)

    @cached_property
    def candidates_that_count(self) -> npt.NDArray[np.bool_]:
        """Whether a list that is not silent holds the candidate: bool [Q, U]. Normalisations look at these."""
        return np.asarray(self.holds(self.candidates).any(axis=0))

    @cached_property
    def candidate_ranks(self) -> npt.NDArray[np.int64]:
        """The ranks [S, Q, U] of the candidates."""
        return np.stack([ranks(ranked, self.candidates) for ranked in self.lists])

    def scores(self, docs: Docs) -> Shares:
        """Return each searcher's scores [S, Q, C] of `docs` [Q, C], found or not; 0 at padding."""
        scores = [one.score(docs) for one in self.asked]
        return np.where(docs < 0, 0.0, np.stack(scores).astype(np.float64))

    def ranks(self, docs: Docs) -> npt.NDArray[np.int64]:
        """Return the ranks [S, Q, C], from 1, of `docs` [Q, C] in the lists; 0 where a list does not hold it."""
        if docs is self.candidates:
            return self.candidate_ranks
        return np.stack([ranks(ranked, docs) for ranked in self.lists])

    def holds(self, docs: Docs) -> npt.NDArray[np.bool_]:
        """Return whether each list holds `docs` [Q, C] and is not silent: bool [S, Q, C]."""
        return (self.ranks(docs) > 0) & ~self.silent[:, :, np.newaxis]
