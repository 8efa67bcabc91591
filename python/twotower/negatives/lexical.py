"""Negatives that look right: the best documents of a lexical index, or of any other searcher of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twotower.errors import InputTypeError
from twotower.index import BM25Index
from twotower.negatives.doc_lists import DocLists, Rows
from twotower.negatives.ranked import Filter, Scores, check_filters, corpus_rows, mine_ranked
from twotower.negatives.source import Source, check_depth
from twotower.negatives.task import Task


@dataclass(frozen=True)
class Searched(Source):
    """See `bm25`."""

    index: Any = None
    depth: int = 50
    filters: tuple[Filter, ...] = ()

    def prepare(self, task: Task) -> DocLists:
        """Search for every query."""
        index = self.index
        if index is None:
            index = BM25Index.build(list(task.documents), list(task.doc_ids), threads=task.threads)
        return mine_ranked(
            task, SearchedRanking(index, task, corpus_rows(index.doc_ids, task)), self.depth, self.filters
        )


class SearchedRanking:
    """An index seen as a ranking of a task's queries."""

    def __init__(self, index: Any, task: Task, rows: Rows | None) -> None:
        self.index, self.task = index, task
        self.to_corpus = rows
        self.to_index = None if rows is None else np.argsort(rows)

    def search(self, queries: Rows, k: int) -> tuple[Scores, Rows]:
        """As `twotower.negatives.ranked.Ranking`."""
        hits = self.index.search(self._texts(queries), k, self.task.threads)
        docs = hits.docs if self.to_corpus is None else np.where(hits.docs < 0, -1, self.to_corpus[hits.docs])
        return hits.scores, docs

    def score(self, queries: Rows, docs: Rows) -> Scores:
        """As `twotower.negatives.ranked.Ranking`."""
        inside = docs if self.to_index is None else np.where(docs < 0, -1, self.to_index[docs])
        scores: Scores = self.index.score(self._texts(queries), inside, self.task.threads)
        return scores

    def _texts(self, queries: Rows) -> list[str]:
        return list(self.task.queries[int(queries[0]) : int(queries[-1]) + 1])  # a block is a run of rows


def bm25(index: Any = None, depth: int = 50, filters: Sequence[Filter] = (), per_query: int = 1) -> Searched:
    """Return the source of the `depth` best documents of a lexical search that are not known to be relevant.

    Parameters
    ----------
    index : BM25Index or another searcher, optional
        Over the documents of the collection; anything with `search`, `score` and `doc_ids`, such as a `TfidfIndex`, a
        `Dense` or a `Hybrid`. None: a `BM25Index` with its defaults is built.
    depth : int
    filters : sequence of filters
        Such as ``[tt.mine.without_answers(answers)]``.
    per_query : int
        Negatives drawn for each query and step.

    Raises
    ------
    InvalidInputError
        If a number is below 1.

    Notes
    -----
    Source: Karpukhin et al. 2020, section 3.2.
    """
    if index is not None and not callable(getattr(index, "search", None)):
        raise InputTypeError(f"index is {index!r}: give a lexical index, such as tt.BM25Index.build(...), or None")
    return Searched(per_query, index, check_depth(depth), check_filters(filters))
