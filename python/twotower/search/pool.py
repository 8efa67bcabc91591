"""What the searchers of a hybrid say about a block of queries: their lists, and their scores of any document.

Knows no fusion. Legend: S searchers, Q queries, C candidates, L list length, U size of the largest union.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from twotower.search.dense import Dense
from twotower.search.ranking import Docs, ranks, union
from twotower.search.searcher import Searcher

Shares = npt.NDArray[np.float64]
"""Of shape [S, Q, C]."""


@dataclass(frozen=True)
class Pool:
    """The lists of several searchers for a block of queries.

    Attributes
    ----------
    asked : list of (searcher, queries)
        A dense searcher stands here as its index and the queries' vectors, so that each query is encoded once.
    lists : list of int64 [Q, L]
        The DocIds that each searcher found, best first.
    candidates : ndarray of int64, shape [Q, U]
        The union of the lists, ascending.
    """

    asked: list[tuple[Any, Any]]
    lists: list[Docs]
    candidates: Docs

    @classmethod
    def collect(cls, searchers: Sequence[Searcher], texts: list[str], depth: int) -> Self:
        """Ask every searcher for the `depth` best documents of each text."""
        asked: list[tuple[Any, Any]] = [
            (searcher.index, searcher.encode(texts)) if isinstance(searcher, Dense) else (searcher, texts)
            for searcher in searchers
        ]
        depth = min(depth, len(searchers[0].doc_ids))
        lists = [searcher.search(queries, depth).docs for searcher, queries in asked]
        return cls(asked, lists, union(lists))

    def scores(self, docs: Docs) -> Shares:
        """Return each searcher's scores [S, Q, C] of `docs` [Q, C], found or not; 0 at padding."""
        scores = [searcher.score(queries, docs) for searcher, queries in self.asked]
        return np.where(docs < 0, 0.0, np.stack(scores).astype(np.float64))

    def ranks(self, docs: Docs) -> npt.NDArray[np.int64]:
        """Return the ranks [S, Q, C], from 1, of `docs` [Q, C] in the lists; 0 where a list does not hold it."""
        return np.stack([ranks(ranked, docs) for ranked in self.lists])


class Fusion(Protocol):
    """How the searchers' answers become one number: a weighted sum of shares."""

    @property
    def normalise(self) -> str | None:
        """Name of the normalisation of scores; None where scores are not used."""

    def default_weight(self, n_searchers: int) -> float:
        """Return the weight of each searcher where none are given."""

    def shares(self, pool: Pool, docs: Docs) -> Shares:
        """Return what each searcher brings to `docs` [Q, C], before weights: [S, Q, C], finite."""
