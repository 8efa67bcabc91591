"""Explicit negatives of a run: what the sources found, drawn from batch by batch, and made anew where that was asked for.

B queries of a batch.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from twotower.errors import InvalidInputError
from twotower.negatives.choose import Negatives, as_sources
from twotower.negatives.doc_lists import DocLists, Rows
from twotower.negatives.listed import Given
from twotower.negatives.source import Pools
from twotower.negatives.task import Task, Vectors
from twotower.training.pairs import TrainingSet
from twotower.types import Collection


class NegativeSource:
    """Draws the explicit negatives of a batch, from what the caller named.

    Parameters
    ----------
    negatives : None, str, Source, mapping of query_id to doc_ids, or a list of these
        See `twotower.negatives`. None draws nothing. A query without any gets none.
    collection : Collection
    training : TrainingSet
        What it knows to be relevant to a query is never drawn for it.
    vectors : callable, optional
        Returns the vectors of queries and documents by the model as it is now.
    threads : int
    folder : path, optional
        For lists that shall not stay in memory.

    Attributes
    ----------
    known : DocLists
        What is no negative of a query: also what a source ignores, or holds for weakly positive.
    pools : list
        What each source found.

    Raises
    ------
    InvalidInputError
        If `negatives` names no source, or a document or query that the collection lacks, or the collection has no
        candidates.
    """

    def __init__(
        self, negatives: Negatives, collection: Collection, training: TrainingSet, *,
        vectors: Callable[[], Vectors] | None = None, threads: int = 1, folder: Path | None = None,
    ) -> None:  # fmt: skip
        self.sources = as_sources(negatives)
        self.known = training.known
        self.pools: list[Pools] = []
        self.weak: list[tuple[DocLists, float]] = []
        if not self.sources:
            return
        for source in self.sources:
            if isinstance(source, Given):
                _check_queries(source, collection)
        task = Task.of(
            collection,
            training.query_ids,
            training.positives,
            vectors=vectors,
            threads=threads,
            folder=folder,
        )
        self.task = self._settle(replace(task, known=training.known))
        self.known = self.task.known
        self.pools = [source.prepare(self.task) for source in self.sources]

    def _settle(self, task: Task) -> Task:
        """Take what sources say of documents that they do not bring as negatives, before any is asked for some."""
        for source in self.sources:
            ignored, weak = source.ignored(task), source.weak_positives(task)
            if ignored is not None:
                task = task.without(ignored)
            if weak is not None:
                self.weak.append((weak, source.share))
                task = task.without(weak)
        return task

    def draw(self, queries: Rows, generator: np.random.Generator) -> Rows:
        """Return the rows of the documents drawn for `queries`."""
        drawn = []
        for source, pool in zip(self.sources, self.pools, strict=True):
            asked = queries if source.share == 1 else queries[generator.random(len(queries)) < source.share]
            drawn.append(pool.draw(asked, source.per_query, generator)[1])
        return np.concatenate([np.empty(0, np.int64), *drawn])

    def positives(self, queries: Rows, judged: Rows, generator: np.random.Generator) -> Rows:
        """Return the positive of each query: the judged document, or now and then a weak positive."""
        positives = judged
        for weak, share in self.weak:
            places, docs = weak.draw(queries, 1, generator)
            swapped = generator.random(len(places)) < share
            positives = positives.copy()
            positives[places[swapped]] = docs[swapped]
        return positives


def _check_queries(source: Given, collection: Collection) -> None:
    for query_id in source.lists:
        if query_id not in collection.queries:
            raise InvalidInputError(f"negatives are given for query {query_id!r}, which {collection.name} lacks")
