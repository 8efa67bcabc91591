"""What chance alone gives: random runs, searchers whose documents were permuted, and the expected reciprocal rank of a random order.

Legend: Q queries, C candidates, N documents.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.index.arguments import check_integer, check_k
from twotower.search.cost import PartCost
from twotower.search.pool import Asked, knows_least_scores
from twotower.search.ranking import best
from twotower.search.searcher import Searcher
from twotower.search.splits import judged_queries
from twotower.types import Collection, Hits, Run


class Shuffled:
    """A searcher whose answers are given to other documents: the same scores, and no information.

    Parameters
    ----------
    searcher : Searcher
    seed : int
        0 or more; of the permutation of documents, one for all queries.

    Raises
    ------
    InvalidInputError
        If the seed is negative or not an integer.

    Notes
    -----
    The control of a fusion: what it gains with a shuffled searcher it gains by chance.
    """

    def __init__(self, searcher: Searcher, seed: int = 0) -> None:
        rng = np.random.default_rng(check_integer(seed, "seed", 0, 2**63 - 1))
        self._searcher: Any = searcher
        self._taker = rng.permutation(len(searcher.doc_ids))
        self._giver = np.argsort(self._taker)
        self.name = searcher.name
        if knows_least_scores(searcher):
            self.least_scores = lambda texts: Asked(searcher, texts, PartCost()).least_scores()

    @property
    def doc_ids(self) -> Any:
        """The user's ids by DocId, not permuted."""
        return self._searcher.doc_ids

    def search(self, texts: list[str], k: int) -> Hits:
        """Return documents in the places of the searcher's `k` best: score descending, then DocId ascending."""
        hits = self._searcher.search(texts, k)
        docs = np.where(hits.docs < 0, -1, self._taker[hits.docs])
        scores, docs = best(hits.scores, docs, docs.shape[1])
        return Hits(scores, docs, self.doc_ids.__getitem__)

    def score(self, texts: list[str], docs: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the scores [Q, C] of `docs` [Q, C]: those of the documents whose answers they were given."""
        scores: npt.NDArray[np.float32] = self._searcher.score(texts, np.where(docs < 0, -1, self._giver[docs]))
        return scores


def random_run(collection: Collection, split: str, k: int = 100, seed: int = 0) -> Run:
    """Return random documents for every judged query of a split.

    Parameters
    ----------
    collection : Collection
    split : str
    k : int
        Documents for each query, all different; at most the whole corpus.
    seed : int
        0 or more; the same seed gives the same run.

    Returns
    -------
    Run
        Scores are strictly decreasing, so that no tie leaves the order open.

    Raises
    ------
    InvalidInputError
        If there is no such split, or `k` or `seed` is negative or not an integer.
    """
    rng = np.random.default_rng(check_integer(seed, "seed", 0, 2**63 - 1))
    doc_ids = list(collection.corpus)
    k = min(check_k(k), len(doc_ids))
    run: Run = {}
    for query_id in judged_queries(collection, split):
        docs = rng.choice(len(doc_ids), size=k, replace=False) if k else ()
        run[query_id] = {doc_ids[doc]: float(k - place) for place, doc in enumerate(docs)}
    return run


def expected_random_rr(n: int, n_relevant: int, k: int | None = None) -> float:
    """Return the expected reciprocal rank of the first relevant document in a random order.

    Parameters
    ----------
    n : int
        Documents in the list.
    n_relevant : int
        Relevant ones among them, 0 to `n`.
    k : int, optional
        Places that count; all if None.

    Raises
    ------
    InvalidInputError
        If an argument is out of range or not an integer.

    Notes
    -----
    ``sum over r = 1 .. min(k, n - n_relevant + 1) of C(n - r, n_relevant - 1) / C(n, n_relevant) / r``: the first
    relevant one is at place r if all others are behind it. 0 where nothing is relevant.

    Examples
    --------
    >>> expected_random_rr(3, 1)  # (1 + 1/2 + 1/3) / 3
    0.6111111111111112
    """
    n = check_integer(n, "n", 0, 2**31)
    n_relevant = check_integer(n_relevant, "n_relevant", 0, n)
    places = n if k is None else min(check_k(k), n)
    expected, none_before = 0.0, 1.0
    if n_relevant:
        for rank in range(1, min(places, n - n_relevant + 1) + 1):
            here = n_relevant / (n - rank + 1)  # relevant at this place, if none stands before it
            expected += none_before * here / rank
            none_before *= 1 - here
    return expected
