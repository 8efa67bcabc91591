"""Sparse vectors and BM25F written out by their definitions, in plain Python floats: what the indexes are compared with.

Order: score descending (float32), then DocId ascending. A hit contains at least one query term.
"""

import math

import numpy as np


def _ranked(scored, k):
    return sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:k]


class SparseOracle:
    """Inner products of dicts from term to weight; weights are taken as float32."""

    def __init__(self, documents):
        self.documents = [self._stored(vector) for vector in documents]

    @staticmethod
    def _stored(vector):
        stored = {term: float(np.float32(weight)) for term, weight in vector.items()}
        return {term: weight for term, weight in stored.items() if weight != 0.0}

    def rank(self, query, k):
        asked = self._stored(query)
        scored = []
        for doc, weights in enumerate(self.documents):
            if asked.keys().isdisjoint(weights):
                continue
            total = 0.0
            for term, weight in asked.items():
                if term in weights:
                    total += weight * weights[term]
            scored.append((np.float32(total), doc))
        return _ranked(scored, k)


class BM25FOracle:
    """BM25F over dicts from field to list of terms; `weights` and `b` are dicts in the order of the fields."""

    def __init__(self, documents, weights, b, k1):
        self.documents, self.weights, self.b, self.k1 = documents, weights, b, k1
        n = max(len(documents), 1)
        self.mean = {field: sum(len(document[field]) for document in documents) / n for field in weights}

    def weighted_tf(self, term, doc):
        total = 0.0
        for field, weight in self.weights.items():
            terms = self.documents[doc][field]
            tf = terms.count(term)
            if tf:
                r = 1.0 - self.b[field] + self.b[field] * (len(terms) / self.mean[field])
                total += weight * tf / r
        return total

    def rank(self, query, k):
        n = len(self.documents)
        scored = []
        df = {term: sum(any(term in d[field] for field in self.weights) for d in self.documents) for term in set(query)}
        for doc, document in enumerate(self.documents):
            matches, total = False, 0.0
            for term in query:
                if not any(term in document[field] for field in self.weights):
                    continue
                matches = True
                tf = self.weighted_tf(term, doc)
                total += math.log(1.0 + (n - df[term] + 0.5) / (df[term] + 0.5)) * (tf / (self.k1 + tf))
            if matches:
                scored.append((np.float32(total), doc))
        return _ranked(scored, k)
