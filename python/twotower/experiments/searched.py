"""A collection ready to be searched: its texts, BM25 over them, dense and query-blind searchers. Knows no recipe and no table.

N documents, F features.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from twotower.index import BM25Index, FlatIndex
from twotower.index.doc_ids import check_doc_ids
from twotower.search import Dense, QueryBlind
from twotower.towers import TwoTower
from twotower.types import Collection


class SearchedCorpus:
    """The documents of a collection, and the searchers over them that experiments set side by side.

    Parameters
    ----------
    collection : Collection
    threads : int
        For building indexes; 0 is every core.

    Attributes
    ----------
    doc_ids, texts : list of str
        In corpus order.
    """

    def __init__(self, collection: Collection, threads: int = 1) -> None:
        self.collection, self.threads = collection, threads
        self.doc_ids = list(collection.corpus)
        self.texts = [document.full_text for document in collection.corpus.values()]

    @cached_property
    def bm25(self) -> BM25Index:
        """BM25 as the package builds it."""
        return BM25Index.build(self.texts, self.doc_ids, threads=self.threads)

    def dense(self, model: TwoTower) -> Dense:
        """Return the exact dense searcher of a model."""
        return Dense(model, FlatIndex.build(model.encode_documents(self.texts), self.doc_ids))

    def looks(self, untrained: TwoTower) -> npt.NDArray[np.float32]:
        """Return what a document looks like to one who reads no query, [N, F]: its untrained embedding, and its length."""
        length = np.log1p([len(text) for text in self.texts]).astype(np.float32)[:, None]
        return np.hstack([untrained.encode_documents(self.texts), length])

    def query_blind(self, untrained: TwoTower, split: str) -> QueryBlind:
        """Return documents in the order of their looks, and of what the queries of `split` wanted."""
        number = {doc_id: doc for doc, doc_id in enumerate(self.doc_ids)}
        asked: dict[str, list[int]] = {}
        for query_id, doc_id in self.collection.pairs(split):
            asked.setdefault(query_id, []).append(number[doc_id])
        return strongest_query_blind(self.looks(untrained), list(asked.values()), self.doc_ids)

    def query_blind_from(self, other: "SearchedCorpus", untrained: TwoTower, split: str) -> QueryBlind:
        """Return these documents in the order of how much they look like what queries wanted in another collection."""
        number = {doc_id: doc for doc, doc_id in enumerate(other.doc_ids)}
        wanted = {number[doc_id] for _, doc_id in other.collection.pairs(split)}
        both = np.vstack([other.looks(untrained), self.looks(untrained)])
        fitted = QueryBlind.fit(both, wanted)
        return QueryBlind(fitted.scores[len(other.doc_ids) :], check_doc_ids(self.doc_ids, len(self.doc_ids)))


def strongest_query_blind(
    features: npt.NDArray[np.float32], asked: Sequence[Sequence[int]], doc_ids: Sequence[str], folds: int = 5
) -> QueryBlind:
    """Return the strongest query-blind control that so many training queries allow."""
    if len(asked) >= 2 * folds:
        return QueryBlind.fit_asked(features, asked, doc_ids, folds)
    return QueryBlind.fit(features, {doc for docs in asked for doc in docs}, doc_ids)
