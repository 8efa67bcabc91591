"""What can be put before a retrieval trap: a function of a question and its passages that returns their scores.

A scorer is any ``score(query, passages) -> one number a passage``, a re-ranker as it is. Here are shortcuts that read next to
nothing, whose accuracies tell what a trap is worth, and adapters that let a searcher score passages as if they were in its corpus.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from twotower.data import TrapItem
from twotower.errors import InvalidInputError
from twotower.index import BM25Index, FlatIndex
from twotower.search import Dense, Hybrid, Searcher

Scorer = Callable[[str, Sequence[str]], Sequence[float]]

_WORD = re.compile(r"\w+")


def longer(query: str, passages: Sequence[str]) -> list[float]:
    """Return the length of each passage: a ranker that never looks at the query."""
    return [float(len(passage)) for passage in passages]


def words(query: str, passages: Sequence[str]) -> list[float]:
    """Return how many different words of the query stand in each passage."""
    asked = set(_words(query))
    return [float(len(asked.intersection(_words(passage)))) for passage in passages]


def word_pairs(query: str, passages: Sequence[str]) -> list[float]:
    """Return how many different pairs of neighbouring words of the query stand in each passage."""
    asked = set(pairwise(_words(query)))
    return [float(len(asked.intersection(pairwise(_words(passage))))) for passage in passages]


def word_order(query: str, passages: Sequence[str]) -> list[float]:
    """Return how many words of the query stand in each passage in the query's order: the longest common subsequence."""
    return [float(_common_subsequence(_words(query), _words(passage))) for passage in passages]


def early_words(query: str, passages: Sequence[str]) -> list[float]:
    """Return how early the words of the query that are there stand in each passage: minus the mean place of their first use."""
    asked, scores = set(_words(query)), []
    for passage in passages:
        found = _words(passage)
        places = [found.index(word) for word in asked.intersection(found)]
        scores.append(-sum(places) / len(places) if places else -float(len(found)))
    return scores


SHORTCUTS: dict[str, Scorer] = {
    "longer": longer,
    "words": words,
    "word pairs": word_pairs,
    "word order": word_order,
    "early words": early_words,
}


class SearcherScorer:
    """A searcher as a scorer.

    Parameters
    ----------
    searcher : Searcher
        Over a corpus that holds the passages.
    docs : mapping of str to int
        Passage to DocId.
    """

    def __init__(self, searcher: Searcher, docs: Mapping[str, int]) -> None:
        self.searcher = searcher
        self.docs = docs

    def __call__(self, query: str, passages: Sequence[str]) -> list[float]:
        """Return the searcher's scores of the passages.

        Raises
        ------
        InvalidInputError
            If the searcher's corpus does not hold a passage.
        """
        for passage in passages:
            if passage not in self.docs:
                raise InvalidInputError(
                    f"{self.searcher.name} does not hold the passage {passage!r:.80}: index it first"
                )
        scores = self.searcher.score([query], np.array([[self.docs[passage] for passage in passages]]))
        return [float(score) for score in scores[0]]


def lexical_scorer(index: Any, items: Iterable[TrapItem]) -> SearcherScorer:
    """Return the scorer of a kind of lexical index (`BM25Index`, `TfidfIndex`), built over the passages of all items."""
    docs = passages_of(items)
    return SearcherScorer(index.build(list(docs)), docs)


def tower_scorer(model: Any, items: Iterable[TrapItem]) -> SearcherScorer:
    """Return the scorer of a model with ``encode_queries`` and ``encode_documents``: the inner product of its vectors."""
    docs = passages_of(items)
    return SearcherScorer(Dense(model, FlatIndex.build(model.encode_documents(list(docs)))), docs)


def engine_scorers(engine: Any, items: Iterable[TrapItem]) -> dict[str, Scorer]:
    """Return the scorers of an engine's parts: BM25, and with a model the dense part and the hybrid.

    Parameters
    ----------
    engine : twotower.Engine
    items : iterable of TrapItem

    Notes
    -----
    The passages are added to the engine's documents, and its BM25 index is built anew over both, so document frequencies,
    weights and scaling are those of the engine. Memory and time: a second BM25 index and copy of the vectors.
    """
    passages = passages_of(items)
    docs = {passage: len(engine) + at for passage, at in passages.items()}
    texts = [engine.document(doc).full_text for doc in range(len(engine))] + list(passages)
    old = engine.bm25
    options = {name: getattr(old, name) for name in ("analyzer", "variant", "k1", "b", "delta", "log_base")}
    bm25 = BM25Index.build(texts, **options)
    scorers: dict[str, Scorer] = {"BM25": SearcherScorer(bm25, docs)}
    if engine.fusion is not None:
        dense = engine.searchers["dense"]
        vectors = np.vstack([dense.index.vectors, dense.encode_documents(list(passages))])
        both = Dense(dense.model, FlatIndex.build(vectors), name=dense.name, dim=dense.dim)
        scorers["dense"] = SearcherScorer(both, docs)
        scorers["hybrid"] = SearcherScorer(Hybrid.from_config(engine.fusion, [bm25, both]), docs)
    return scorers


def passages_of(items: Iterable[TrapItem]) -> dict[str, int]:
    """Return each different passage with its number."""
    return {passage: at for at, passage in enumerate(dict.fromkeys(p for item in items for p in item.passages))}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    lengths = [0] * (len(right) + 1)
    for word in left:
        before = 0
        for at, other in enumerate(right, 1):
            lengths[at], before = (before + 1 if word == other else max(lengths[at], lengths[at - 1])), lengths[at]
    return lengths[-1]
