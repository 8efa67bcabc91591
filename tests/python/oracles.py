"""Lexical search written out by its definition, in plain Python floats (float64): what the index is compared with.

A score is a sum over the query's terms in query order, rounded once to float32. Order: score descending, then DocId
ascending. A hit contains at least one query term. Legend: N documents, df documents with the term, tf occurrences.
"""

import math
from collections import Counter
from collections.abc import Callable
from itertools import chain

import numpy as np

Ranking = list[tuple[np.float32, int]]


def _plain_sum(values: list[float]) -> float:
    total = 0.0  # not sum(): from Python 3.12 on that compensates rounding
    for value in values:
        total += value
    return total


def _saturate(tf: float, K: float) -> float:
    return tf / (K + tf)


IDF: dict[str, Callable[[float, float], float]] = {
    "robertson": lambda N, df: math.log((N - df + 0.5) / (df + 0.5)),
    "lucene": lambda N, df: math.log(1.0 + (N - df + 0.5) / (df + 0.5)),
    "atire": lambda N, df: math.log(N / df),
    "bm25l": lambda N, df: math.log((N + 1.0) / (df + 0.5)),
    "bm25plus": lambda N, df: math.log((N + 1.0) / df),
    "slide": lambda N, df: math.log(N / df),
    "slide-10": lambda N, df: math.log10(N / df),
}

# Part of tf occurrences; r = 1 - b + b |d| / avgdl.
PART: dict[str, Callable[[float, float, float, float], float]] = {
    "robertson": lambda tf, r, k1, delta: _saturate(tf, k1 * r),
    "lucene": lambda tf, r, k1, delta: _saturate(tf, k1 * r),
    "atire": lambda tf, r, k1, delta: (k1 + 1.0) * tf / (k1 * r + tf),
    "bm25l": lambda tf, r, k1, delta: (k1 + 1.0) * (tf / r + delta) / (k1 + tf / r + delta),
    "bm25plus": lambda tf, r, k1, delta: (k1 + 1.0) * tf / (k1 * r + tf) + delta,
    "slide": lambda tf, r, k1, delta: _saturate(tf, k1 * r),
    "slide-10": lambda tf, r, k1, delta: _saturate(tf, k1 * r),
}

DELTA = {"bm25l": 0.5, "bm25plus": 1.0}


class _Oracle:
    def __init__(self, documents: list[list[str]]) -> None:
        self.counts = [Counter(terms) for terms in documents]
        self.lengths = [len(terms) for terms in documents]
        self.df = Counter(chain.from_iterable(self.counts))

    def parts(self, query: list[str], doc: int) -> list[float]:
        """Contributions of the query's terms to a document that contains them, in query order."""
        raise NotImplementedError

    def rank(self, query: list[str], k: int) -> Ranking:
        known = set(query)
        hits = [doc for doc, counts in enumerate(self.counts) if not known.isdisjoint(counts)]
        scored = [(np.float32(_plain_sum(self.parts(query, doc))), doc) for doc in hits]
        return sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:k]


class BM25Oracle(_Oracle):
    """BM25 over lists of terms; `variant` is a key of IDF."""

    def __init__(self, documents: list[list[str]], variant: str, k1: float, b: float, delta: float | None = None):
        super().__init__(documents)
        self.variant, self.k1, self.b = variant, k1, b
        self.delta = DELTA.get(variant, 0.0) if delta is None else delta
        self.average = sum(self.lengths) / len(self.lengths) if documents else 0.0

    def parts(self, query: list[str], doc: int) -> list[float]:
        N = len(self.lengths)
        r = 1.0 - self.b + self.b * (self.lengths[doc] / self.average)
        return [
            IDF[self.variant](N, self.df[term]) * PART[self.variant](tf, r, self.k1, self.delta)
            for term in query
            if (tf := self.counts[doc][term])
        ]


class TfidfOracle(_Oracle):
    """tf-idf cosine, ltc.ltc; |d| sums over terms in order of first appearance in the corpus."""

    def __init__(self, documents: list[list[str]]) -> None:
        super().__init__(documents)
        place = {term: i for i, term in enumerate(dict.fromkeys(chain.from_iterable(documents)))}
        self.norms = [
            self._norm([self._weight(counts[term], term) for term in sorted(counts, key=place.__getitem__)])
            for counts in self.counts
        ]

    def _idf(self, term: str) -> float:
        return math.log10(len(self.lengths) / self.df[term])

    def _weight(self, tf: int, term: str) -> float:
        return (1.0 + math.log10(tf)) * self._idf(term)

    @staticmethod
    def _norm(weights: list[float]) -> float:
        return math.sqrt(_plain_sum([weight * weight for weight in weights])) or 1.0

    def parts(self, query: list[str], doc: int) -> list[float]:
        counted = Counter(term for term in query if term in self.df)
        weights = {term: self._weight(tf, term) for term, tf in counted.items()}
        norm = self._norm(list(weights.values()))
        return [
            (weight / norm) * (self._weight(tf, term) / self.norms[doc])
            for term, weight in weights.items()
            if (tf := self.counts[doc][term])
        ]
