"""Batches: which queries and documents meet in a step, and which of them may not count as negatives.

B queries, M documents of a batch.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from twotower.errors import InvalidInputError
from twotower.training.pairs import TrainingSet
from twotower.types import Collection

Rows = npt.NDArray[np.int64]
Negatives = str | Mapping[str, Sequence[str]] | None


@dataclass(frozen=True)
class Batch:
    """Rows of a `TrainingSet`, and the last two arguments of a loss.

    Attributes
    ----------
    queries : ndarray of int64, shape [B]
    documents : ndarray of int64, shape [M]
        First the B positives, then the explicit negatives.
    positive : Tensor of int64, shape [B]
    excluded : Tensor of bool, shape [B, M]
    """

    queries: Rows
    documents: Rows
    positive: torch.Tensor
    excluded: torch.Tensor


class NegativeSource:
    """Draws one explicit negative a query, from what the caller named.

    Parameters
    ----------
    negatives : None, "random", "candidates" or mapping of query_id to doc_ids
        None draws nothing. "random": any document of the corpus. "candidates": the query's own candidates in the
        collection; they are *maybe* negatives. A mapping: hard negatives found beforehand. A query without any gets
        none.
    collection : Collection
    training : TrainingSet
        Known positives of a query are never drawn for it.

    Raises
    ------
    InvalidInputError
        If `negatives` is another word, or names a document that the collection lacks, or the collection has no
        candidates.
    """

    def __init__(self, negatives: Negatives, collection: Collection, training: TrainingSet) -> None:
        self.n_documents = len(collection.corpus)
        self.random = negatives == "random"
        self.pools: list[Rows] | None = None
        if negatives is None or self.random:
            return
        if isinstance(negatives, str) and negatives != "candidates":
            raise InvalidInputError(
                f"unknown negatives {negatives!r}: choose None, 'random', 'candidates' or a dict of query_id to doc_ids"
            )
        if negatives == "candidates" and not collection.candidates:
            raise InvalidInputError(f"{collection.name} has no candidates: choose negatives=None or 'random'")
        given = collection.candidates if isinstance(negatives, str) else negatives
        self.pools = _pools(given, collection, training)

    def draw(self, queries: Rows, generator: np.random.Generator) -> Rows:
        """Return document rows for `queries`: at most one a query."""
        if self.random:
            return generator.integers(self.n_documents, size=len(queries))
        if self.pools is None:
            return np.empty(0, np.int64)
        chosen = generator.random(len(queries))
        pools = [self.pools[query] for query in queries.tolist()]
        return np.array(
            [pool[int(at * len(pool))] for pool, at in zip(pools, chosen, strict=True) if len(pool)], np.int64
        )


def epoch_batches(
    training: TrainingSet, source: NegativeSource, batch_size: int, seed: int, epoch: int, skip: int = 0
) -> Iterator[Batch]:
    """Yield the batches of an epoch, the same for the same arguments, from batch number `skip` on.

    Every pair comes once an epoch, in an order of `seed` and `epoch`. The batches differ in size by one pair at most,
    so that none is left with hardly any negatives.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(training.pairs))
    for number, chosen in enumerate(np.array_split(order, n_batches(training, batch_size))):
        if number >= skip:
            queries, positives = training.pairs[chosen].T
            drawn = source.draw(queries, np.random.default_rng([seed, epoch, number]))
            documents = np.concatenate([positives, drawn])
            yield Batch(queries, documents, torch.arange(len(queries)), excluded_mask(training, queries, documents))


def n_batches(training: TrainingSet, batch_size: int) -> int:
    """Return the number of batches in an epoch."""
    return -(-len(training.pairs) // batch_size)


def excluded_mask(training: TrainingSet, queries: Rows, documents: Rows) -> torch.Tensor:
    """Return bool [B, M]: True where the document, or one with the same text, is relevant by any judgement."""
    columns: dict[int, list[int]] = defaultdict(list)
    for column, document in enumerate(training.same_text[documents].tolist()):
        columns[document].append(column)
    known = [
        (row, column)
        for row, query in enumerate(queries.tolist())
        for document in training.positives[query]
        for column in columns.get(int(training.same_text[document]), ())
    ]
    mask = torch.zeros(len(queries), len(documents), dtype=torch.bool)
    rows, cols = np.array(known, np.int64).reshape(-1, 2).T
    mask[torch.from_numpy(rows), torch.from_numpy(cols)] = True
    return mask


def _pools(given: Mapping[str, Sequence[str]], collection: Collection, training: TrainingSet) -> list[Rows]:
    document_rows = {doc_id: row for row, doc_id in enumerate(collection.corpus)}
    for query_id in given:
        if query_id not in collection.queries:
            raise InvalidInputError(f"negatives are given for query {query_id!r}, which {collection.name} lacks")
    pools = []
    for query, query_id in enumerate(training.query_ids):
        try:
            rows = {document_rows[doc_id] for doc_id in given.get(query_id, ())}
        except KeyError as error:
            raise InvalidInputError(
                f"negatives of query {query_id!r} name document {error.args[0]!r}, which {collection.name} lacks"
            ) from error
        pools.append(np.array(sorted(rows - training.positives[query]), np.int64))
    return pools
