"""The best documents of a ranking that are not known to be relevant, block by block of queries.

R queries of a block, K places of a ranking, Q queries. Knows no index: a ranking is a function.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.negatives.doc_lists import DocLists, Rows
from twotower.negatives.lists_file import ListsWriter
from twotower.negatives.task import Task

BLOCK = 1024
Scores = npt.NDArray[np.float32]
Keep = npt.NDArray[np.bool_]


class Ranking(Protocol):
    """Ranks the corpus for the queries of a task, and scores given documents."""

    def search(self, queries: Rows, k: int) -> tuple[Scores, Rows]:
        """Return scores and DocIds [R, k] of the best documents of query rows [R]; DocId -1 is padding."""

    def score(self, queries: Rows, docs: Rows) -> Scores:
        """Return the scores of DocIds [R, C]; -inf at -1."""


@dataclass(frozen=True)
class Block:
    """Some queries and the documents found for them, as filters see them.

    Attributes
    ----------
    task : Task
    queries : ndarray of int64, shape [R]
        Rows of the task.
    docs, scores : ndarray of int64 and float32, shape [R, K]
    kept : ndarray of bool, shape [R, K]
        What is still a negative.
    ranking : Ranking
    """

    task: Task
    queries: Rows
    docs: Rows
    scores: Scores
    kept: Keep
    ranking: Ranking

    @cached_property
    def positives(self) -> Rows:
        """DocIds [R, C] of what is judged relevant, padded with -1."""
        places, docs = self.task.positives.flat(self.queries)
        counts = np.bincount(places, minlength=len(self.queries))
        padded = np.full((len(self.queries), max(1, counts.max(initial=0))), -1, np.int64)
        padded[places, np.arange(len(places)) - (np.cumsum(counts) - counts)[places]] = docs
        return padded


Filter = Callable[[Block], Keep]
"""Returns bool [R, K]: True where a document may stay. Only what is still kept is asked about."""


def mine_ranked(task: Task, ranking: Ranking, depth: int, filters: Sequence[Filter]) -> DocLists:
    """Return for each query the `depth` best documents that are not known, less what a filter takes out.

    Notes
    -----
    Known documents do not count towards `depth`; filtered ones do. Memory: one block of queries, and what was found; the
    latter lies in a mapped file if the task has a folder.
    """
    with ListsWriter(task.folder) as writer:
        for start in range(0, len(task.queries), BLOCK):
            queries = np.arange(start, min(start + BLOCK, len(task.queries)))
            block = _block(task, ranking, queries, depth)
            for keep in filters:
                if not block.kept.any():
                    break
                block.kept[...] &= _kept_by(keep, block)
            writer.add(block.kept.sum(axis=1), block.docs[block.kept])
        return writer.finish()


def _kept_by(keep: Filter, block: Block) -> Keep:
    kept = np.asarray(keep(block))
    if kept.dtype != bool or kept.shape != block.docs.shape:
        raise InputTypeError(
            f"the filter {keep!r} returned {kept.dtype} of shape {list(kept.shape)}: it must return bool of shape "
            f"{list(block.docs.shape)}"
        )
    return kept


def check_filters(filters: Any) -> tuple[Filter, ...]:
    """Return `filters` as a tuple of callables.

    Raises
    ------
    InputTypeError
        If it is no sequence of callables.
    """
    if not isinstance(filters, Sequence) or not all(callable(keep) for keep in filters):
        raise InputTypeError(f"filters is {filters!r}: give a list, such as [tt.mine.below_positive(share=0.95)]")
    return tuple(filters)


def _block(task: Task, ranking: Ranking, queries: Rows, depth: int) -> Block:
    known = task.known.offsets[queries + 1] - task.known.offsets[queries]
    scores, docs = ranking.search(queries, min(depth + int(known.max()), len(task.doc_ids)))
    free = (docs >= 0) & ~task.known.contains(queries, docs)
    return Block(task, queries, docs, scores, free & (np.cumsum(free, axis=1) <= depth), ranking)


def corpus_rows(doc_ids: Sequence[str], task: Task) -> Rows | None:
    """Return the row in the task's corpus of each document of an index; None where both number alike.

    Raises
    ------
    InvalidInputError
        If the index lacks a document of the corpus, or holds another.
    """
    if len(doc_ids) == len(task.doc_ids) and all(a == b for a, b in zip(doc_ids, task.doc_ids, strict=True)):
        return None
    rows = {doc_id: row for row, doc_id in enumerate(task.doc_ids)}
    if len(doc_ids) != len(rows) or any(doc_id not in rows for doc_id in doc_ids):
        raise InvalidInputError(
            f"the index holds {len(doc_ids)} documents, and not those {len(rows)} of the corpus: build it over the collection"
        )
    return np.array([rows[doc_id] for doc_id in doc_ids], np.int64)
