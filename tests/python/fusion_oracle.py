"""Every fusion in plain Python over dicts: rank all documents by each searcher, take the heads, add, sort. And searchers to fuse.

A new entry of `FUSIONS` needs a line in `SHARES`, its definition written a second time.
"""

import math

import numpy as np

from twotower.index import BM25Index, FlatIndex
from twotower.registry import resolve
from twotower.search import FUSIONS, Dense
from twotower.types import Hits

KINDS = [
    (name, normalise)
    for name in sorted(FUSIONS)
    for normalise in resolve(FUSIONS, name, "fusion").normalisations or (None,)
]
"""Every fusion with every normalisation that it takes, from the registry."""


class Fake:
    """Scores written down by query and document; a document that is not written scores 0 and is not found."""

    least = -60.0

    def __init__(self, name, n_docs, table):
        self.name, self.doc_ids, self.table = name, [f"d{doc}" for doc in range(n_docs)], table

    def ranked(self, text):
        return sorted(self.table.get(text, {}).items(), key=lambda pair: (-pair[1], pair[0]))

    def search(self, texts, k):
        scores, docs = np.full((len(texts), k), -np.inf, np.float32), np.full((len(texts), k), -1)
        for row, text in enumerate(texts):
            for place, (doc, score) in enumerate(self.ranked(text)[:k]):
                scores[row, place], docs[row, place] = score, doc
        return Hits(scores, docs, self.doc_ids.__getitem__)

    def score(self, texts, docs):
        rows = [[self.score_of(text, doc) for doc in row] for text, row in zip(texts, docs.tolist(), strict=True)]
        return np.array(rows, np.float32).reshape(docs.shape)

    def score_of(self, text, doc):
        return self.table.get(text, {}).get(doc, 0.0) if doc >= 0 else -np.inf

    def least_scores(self, texts):
        return np.full(len(texts), self.least)


class Letters:
    """A model whose vector of a text counts the letters a to d."""

    out_dim = 4

    def encode_queries(self, texts):
        return np.array([[text.count(letter) for letter in "abcd"] for text in texts], np.float32).reshape(-1, 4)


def two():
    """BM25 and a dense searcher over seven short texts."""
    texts = ["aa b", "a b c", "b", "c c d", "d", "x", "a d"]
    return [
        BM25Index.build(texts, analyzer=str.split),
        Dense(Letters(), FlatIndex.build(Letters().encode_queries(texts))),
    ]


def scaled(score, candidates, normalise, least):
    """One score, given those of all candidates of the same searcher and query."""
    if normalise == "none":
        return score
    lowest, highest = min(candidates, default=0.0), max(candidates, default=0.0)
    if normalise == "theoretical":
        return (score - least) / (highest - least) if highest > least else 0.0
    if highest == lowest:
        return 0.0
    if normalise == "minmax":
        return (score - lowest) / (highest - lowest)
    mean = total(candidates) / len(candidates)
    return (score - mean) / math.sqrt(total([(c - mean) * (c - mean) for c in candidates]) / len(candidates))


def total(values):
    """One after the other; the built-in sum of newer Pythons compensates."""
    result = 0.0
    for value in values:
        result += value
    return result


def score_share(searcher, text, doc, head, candidates, normalise):
    """The share of linear, combsum, combmnz and convex."""
    scores = [float(np.float32(searcher.score_of(text, other))) for other in candidates]
    return scaled(float(np.float32(searcher.score_of(text, doc))), scores, normalise, searcher.least)


def rank_share(searcher, text, doc, head, candidates, normalise):
    """The share of rrf."""
    return 1 / (60 + head.index(doc) + 1) if doc in head else 0.0


SHARES = {
    "combmnz": score_share,
    "combsum": score_share,
    "convex": score_share,
    "linear": score_share,
    "rrf": rank_share,
}


def fuse(searchers, fusion, weights, depth, normalise, text, docs=None):
    """Return the (doc, score) of all candidates, best first; or of `docs`, as they are given."""
    heads = [searcher.ranked(text)[:depth] for searcher in searchers]
    names = [[doc for doc, _ in head] for head in heads]
    # A list whose scores are all 0 tells no document from another.
    spoken = [[] if all(score == 0 for _, score in head) else found for head, found in zip(heads, names, strict=True)]
    candidates = sorted(set().union(*spoken))
    active = [number for number, weight in enumerate(weights) if weight > 0]
    ranked = names[active[0]] if len(active) == 1 else sorted(set().union(*[spoken[number] for number in active]))
    fused = []
    for doc in ranked if docs is None else docs:
        shares = [
            SHARES[fusion](searcher, text, doc, head, candidates, normalise)
            for searcher, head in zip(searchers, spoken, strict=True)
        ]
        score = total([weight * share for weight, share in zip(weights, shares, strict=True)])
        if fusion == "combmnz":
            score *= sum(doc in spoken[number] for number in active)
        fused.append((doc, float(np.float32(score))))
    # Sorting is stable: a single searcher's own order decides between scores that rounding made equal.
    return fused if docs is not None else sorted(fused, key=lambda pair: -pair[1])
