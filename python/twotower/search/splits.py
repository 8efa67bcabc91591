"""Runs of a searcher over the judged queries of a split. Legend: Q queries, C candidates."""

import warnings

import numpy as np

from twotower.errors import InvalidInputError, TunedSplitWarning
from twotower.search.ranking import best
from twotower.search.searcher import Searcher
from twotower.types import Collection, Hits, Run

_BLOCK = 1024


def judged_queries(collection: Collection, split: str) -> dict[str, str]:
    """Return query_id to text for the judged queries of a split, in the order of the qrels.

    Raises
    ------
    InvalidInputError
        If there is no such split, or a judged query has no text.
    """
    queries = {}
    for query_id in collection.split(split):
        if query_id not in collection.queries:
            raise InvalidInputError(f"{collection.name}: query {query_id!r} is judged in {split!r} but has no text")
        queries[query_id] = collection.queries[query_id]
    return queries


def search_split(searcher: Searcher, collection: Collection, split: str, k: int = 100) -> Run:
    """Search for every judged query of a split.

    Parameters
    ----------
    searcher : Searcher
        Over the collection's documents.
    collection : Collection
    split : str
    k : int
        Results for each query.

    Returns
    -------
    Run
        Queries in the order of the qrels, documents best first. A query that finds nothing has an empty entry.

    Raises
    ------
    InvalidInputError
        If there is no such split, a judged query has no text, or `k` is negative or not an integer.

    Warns
    -----
    TunedSplitWarning
        If the searcher is a hybrid, or holds one, whose weights were found on this split.
    """
    _warn_if_tuned(searcher, collection, split)
    queries = judged_queries(collection, split)
    return searcher.search(list(queries.values()), k).to_run(list(queries))


def rank_candidates(searcher: Searcher, collection: Collection, split: str) -> Run:
    """Rank each judged query's own candidates (MS MARCO's records), all of them and nothing else.

    Parameters
    ----------
    searcher : Searcher
        Over the collection's documents.
    collection : Collection
        With `candidates`.
    split : str

    Returns
    -------
    Run
        As of `search_split`. A candidate that the searcher would not find has a score too; a query without candidates
        has an empty entry.

    Raises
    ------
    InvalidInputError
        If the collection has no candidates, a candidate is not in the searcher's index, there is no such split, or a
        judged query has no text.

    Warns
    -----
    TunedSplitWarning
        As `search_split`.
    """
    _warn_if_tuned(searcher, collection, split)
    if not collection.candidates:
        raise InvalidInputError(f"{collection.name} has no candidates: use search_split")
    queries = judged_queries(collection, split)
    query_ids = list(queries)
    run: Run = {}
    for start in range(0, len(query_ids), _BLOCK):
        ids = query_ids[start : start + _BLOCK]
        rows = [[searcher.doc_ids.index(d) for d in dict.fromkeys(collection.candidates.get(q, []))] for q in ids]
        docs = np.full((len(ids), max(map(len, rows))), -1, np.int64)
        for row, found in zip(docs, rows, strict=True):
            row[: len(found)] = found
        scores = searcher.score([queries[query_id] for query_id in ids], docs)
        run |= Hits(*best(scores, docs, docs.shape[1]), searcher.doc_ids.__getitem__).to_run(ids)
    return run


def _warn_if_tuned(searcher: Searcher, collection: Collection, split: str) -> None:
    tuning = getattr(searcher, "tuning", None)
    if tuning is not None and tuning.saw(collection, split):
        warnings.warn(
            f"the weights of {searcher.name!r} were found on {split!r} of {collection.name}: figures on it flatter them",
            TunedSplitWarning,
            stacklevel=3,
        )
    for part in getattr(searcher, "searchers", ()):
        _warn_if_tuned(part, collection, split)
