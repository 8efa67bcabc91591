"""From a collection to what training reads: terms of all texts, (query, document) rows, what is known to be relevant.

P pairs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.negatives.doc_lists import DocLists
from twotower.negatives.task import with_equal_texts
from twotower.towers.reader import Reader, Terms
from twotower.types import Collection

Pair = tuple[str, str]


@dataclass(frozen=True)
class TrainingSet:
    """A split of a collection, analysed once.

    Attributes
    ----------
    queries : Terms
        One text a query that has a pair.
    documents : Terms
        One text a document of the corpus, in corpus order.
    pairs : ndarray of int64, shape [P, 2]
        (query row, document row), in the order of the qrels.
    positives : list of frozenset of int
        By query row: all its document rows.
    known : DocLists
        By query row: what is no negative of it. Its documents, those of queries with the same text, and all documents with
        the text of one of these.
    same_text : ndarray of int64, shape [N]
        By document row: the first row with the same text. Equal texts are one document to the losses.
    query_ids : list of str
        By query row.
    """

    queries: Terms
    documents: Terms
    pairs: npt.NDArray[np.int64]
    positives: list[frozenset[int]]
    known: DocLists
    same_text: npt.NDArray[np.int64]
    query_ids: list[str]


class PairSource(Protocol):
    """What makes pairs that nobody judged, drawn anew each epoch (see `twotower.pretraining`)."""

    @property
    def labelled(self) -> Collection:
        """The collection with the valid split."""

    def fingerprint(self) -> str:
        """Return a digest of all that the pairs hang on."""

    def training_set(self, reader: Reader, seed: int, epoch: int, shuffle_seed: int | None = None) -> TrainingSet:
        """Return the pairs of an epoch; epochs have equally many."""


def epoch_sets(
    source: Collection | PairSource, split: str, reader: Reader, seed: int, shuffle_seed: int | None
) -> Callable[[int], TrainingSet]:
    """Return what gives the pairs of an epoch, from 1 on: those of a split each time, or what a source draws; raises as these."""
    if isinstance(source, Collection):
        judged = training_set(source, split, reader, shuffle_seed)
        return lambda epoch: judged
    return lambda epoch: source.training_set(reader, seed, epoch, shuffle_seed)


def training_set(collection: Collection, split: str, reader: Reader, shuffle_seed: int | None = None) -> TrainingSet:
    """Read the pairs of a split.

    Parameters
    ----------
    collection : Collection
    split : str
    reader : Reader
        Of the model that will be trained.
    shuffle_seed : int, optional
        Deal the documents of all pairs out anew (see `shuffled_pairs`); None leaves them as judged.

    Raises
    ------
    InvalidInputError
        If the split is unknown, has no pair, or names a query or document that the collection lacks; if no query or no
        relevant document of the split has a term that the model knows: nothing could be learned.
    """
    pairs = collection.pairs(split)
    if not pairs:
        raise InvalidInputError(f"split {split!r} of {collection.name} has no judgement above 0: nothing to learn from")
    if shuffle_seed is not None:
        pairs = shuffled_pairs(pairs, shuffle_seed)
    document_rows = {doc_id: row for row, doc_id in enumerate(collection.corpus)}
    query_rows: dict[str, int] = {}
    rows = np.empty((len(pairs), 2), np.int64)
    for i, (query_id, doc_id) in enumerate(pairs):
        if query_id not in collection.queries or doc_id not in document_rows:
            raise InvalidInputError(
                f"split {split!r} judges document {doc_id!r} for query {query_id!r}, but {collection.name} lacks one"
            )
        rows[i] = query_rows.setdefault(query_id, len(query_rows)), document_rows[doc_id]
    texts = [document.full_text for document in collection.corpus.values()]
    first_row: dict[str, int] = {}
    positives: list[set[int]] = [set() for _ in query_rows]
    for query, document in rows.tolist():
        positives[query].add(document)
    queries, documents = reader.read([collection.queries[query_id] for query_id in query_rows]), reader.read(texts)
    for side, lengths in (("query", queries.lengths), ("relevant document", documents.lengths[rows[:, 1]])):
        if not lengths.any():
            raise InvalidInputError(
                f"no {side} of split {split!r} of {collection.name} has a term that the model knows: nothing could be "
                "learned; make the vocabulary from this collection, with the model's analyzer if it is one of words"
            )
    return TrainingSet(
        queries=queries,
        documents=documents,
        pairs=rows,
        positives=[frozenset(found) for found in positives],
        known=DocLists.of(with_equal_texts(_of_equal_queries(positives, list(query_rows), collection), texts)),
        same_text=np.array([first_row.setdefault(text, row) for row, text in enumerate(texts)], np.int64),
        query_ids=list(query_rows),
    )


def _of_equal_queries(positives: list[set[int]], query_ids: list[str], collection: Collection) -> list[set[int]]:
    """Return for each query the documents of all queries with its text."""
    together: dict[str, set[int]] = {}
    for query_id, docs in zip(query_ids, positives, strict=True):
        together.setdefault(collection.queries[query_id], set()).update(docs)
    return [together[collection.queries[query_id]] for query_id in query_ids]


def shuffled_pairs(pairs: list[Pair], seed: int) -> list[Pair]:
    """Deal the documents of all pairs out to the queries anew: the control of a claim that labels were learned from.

    Every query keeps its number of documents and every document its number of queries; who belongs to whom is chance.

    Examples
    --------
    >>> sorted(doc for _, doc in shuffled_pairs([("q1", "a"), ("q2", "b"), ("q3", "c")], seed=0))
    ['a', 'b', 'c']
    """
    order = np.random.default_rng(seed).permutation(len(pairs))
    return [(query_id, pairs[other][1]) for (query_id, _), other in zip(pairs, order.tolist(), strict=True)]
