"""SMART's weights and DrQA's, written out in plain Python: what the tf-idf indexes are compared with.

Same order of scores and sums as in oracles.py. Letters: Manning, Raghavan, Schuetze (2008), fig. 6.15.
"""

import math
from collections import Counter
from itertools import chain

from oracles import _Oracle, _plain_sum

TF, DF, DOCUMENT_NORM, QUERY_NORM = "nlabLd", "ntp", "ncub", "ncu"


class SmartOracle(_Oracle):
    """tf-idf of lists of terms; `lengths` are bytes of the documents' texts, for the norm "b"."""

    def __init__(self, documents, smart="ltc.ltc", log_base="10", slope=0.2, alpha=None, lengths=None):
        super().__init__(documents)
        self.documents_side, self.queries_side = smart.split(".")
        self.log = math.log10 if log_base == "10" else math.log
        self.slope, self.alpha, self.bytes = slope, alpha, lengths
        place = {term: i for i, term in enumerate(dict.fromkeys(chain.from_iterable(documents)))}
        self.pivot = sum(map(len, self.counts)) / max(len(documents), 1)
        self.weights = []
        for doc, counts in enumerate(self.counts):
            ordered = {term: counts[term] for term in sorted(counts, key=place.__getitem__)}
            self.weights.append(self.vector(ordered, self.documents_side, doc))

    def tf(self, letter, tf, counts):
        log = self.log
        if letter == "a":
            return 0.5 + 0.5 * tf / max(counts.values())
        if letter == "L":
            return (1.0 + log(tf)) / (1.0 + log(sum(counts.values()) / len(counts)))
        return {"n": float(tf), "b": 1.0, "l": 1.0 + log(tf), "d": 1.0 + log(1.0 + log(tf))}[letter]

    def idf(self, letter, term):
        N, df = len(self.lengths), self.df[term]
        if letter == "p":
            return self.log((N - df) / df) if 2 * df < N else 0.0
        return 1.0 if letter == "n" else self.log(N / df)

    def vector(self, counts, side, doc=None):
        """Return each term's weight before the norm, and the norm."""
        weights = {term: self.tf(side[0], tf, counts) * self.idf(side[1], term) for term, tf in counts.items()}
        norm = 1.0
        if side[2] == "c":
            norm = math.sqrt(_plain_sum([weight * weight for weight in weights.values()])) or 1.0
        if side[2] == "u":
            norm = (1.0 - self.slope) * self.pivot + self.slope * len(counts)
        if side[2] == "b":
            norm = max(self.bytes[doc], 1) ** self.alpha
        return weights, norm

    def parts(self, query, doc):
        known = Counter(term for term in query if term in self.df)
        weights, norm = self.vector(known, self.queries_side)
        sides, doc_norm = self.weights[doc]
        return [weight / norm * (sides[term] / doc_norm) for term, weight in weights.items() if term in sides]


class LogCountOracle(_Oracle):
    """ln(tf + 1) * idf on both sides, negative idf set to 0."""

    def weight(self, tf, term):
        N, df = len(self.lengths), self.df[term]
        return math.log(tf + 1.0), max(math.log((N - df + 0.5) / (df + 0.5)), 0.0)

    def parts(self, query, doc):
        parts = []
        for term, count in Counter(term for term in query if term in self.df).items():
            if tf := self.counts[doc][term]:
                factor, idf = self.weight(count, term)
                parts.append(factor * idf * (self.weight(tf, term)[0] * idf))
        return parts
