"""What chance alone gives: random runs, and the expected reciprocal rank of a random order."""

import numpy as np

from twotower.index.arguments import check_integer, check_k
from twotower.search.splits import judged_queries
from twotower.types import Collection, Run


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
