"""Sparse vectors and BM25F: every query algorithm against the oracle "exhaustive", the same documents and scores, bit for bit.

The full product is every query of scifact, cranfield, cacm and msmarco-passage-32k as sparse vectors (tf-idf weights of
documents, queries expanded to 40 terms) and over fields, x k in {1, 10, 100, 1000, N}, and 2,000 random corpora, for every
instruction set of this machine:

    PYTHONPATH=tests/python python tests/python/index/weighted_product.py (5 minutes an instruction set)
    (the same) --pairwise (under a minute)

test_weighted_algorithms.py runs the second. "exhaustive" itself is compared with plain Python in test_sparse.py and test_bm25f.py.
"""

import json
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
from lexical_product import COLLECTIONS, KS, compare, main

from real_data import require
from twotower.index import BM25FIndex, SparseIndex
from twotower.text import Analyzer

EXPANDED = 40  # terms of a query


def read(name):
    """Return documents as dicts of two lists of terms, and queries as lists of terms."""
    analyzer = Analyzer("english")
    with (require(name) / "corpus.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    titles, texts = (analyzer.analyze_batch([row.get(field) or "" for row in rows]) for field in ("title", "text"))
    with (require(name) / "queries.jsonl").open() as file:
        queries = analyzer.analyze_batch([json.loads(line)["text"] for line in file])
    return [{"title": title, "text": text} for title, text in zip(titles, texts, strict=True)], queries


def tfidf_vectors(documents, queries):
    """Return sparse vectors of documents, and of queries expanded by the heaviest terms of their best document."""
    bags = [Counter(document["title"] + document["text"]) for document in documents]
    df = Counter(term for bag in bags for term in bag)
    idf = {term: np.log(len(bags) / n) for term, n in df.items()}
    vectors = [{term: (1 + np.log(tf)) * idf[term] for term, tf in bag.items()} for bag in bags]
    index = SparseIndex.build(vectors)
    expanded = []
    for query in queries:
        vector = {term: idf[term] for term in query if term in idf}
        for hit in index.search(vector, 1):
            heaviest = sorted(vectors[hit.doc].items(), key=lambda pair: -pair[1])[:EXPANDED]
            vector |= {term: weight / 10 for term, weight in heaviest if term not in vector}
        expanded.append(vector)
    return index, expanded


def check_collections(pairwise):
    """Yield (what was compared, differences, comparisons)."""
    for c, name in enumerate(COLLECTIONS[:2] if pairwise else COLLECTIONS):
        documents, queries = read(name)
        fielded = BM25FIndex.build(documents, fields={"title": 3.0, "text": 1.0}, b={"title": 0.2, "text": 0.6}, k1=1.5)
        for method, (index, asked) in {
            "bm25f": (fielded, queries),
            "sparse": tfidf_vectors(documents, queries),
        }.items():
            for i, k in enumerate(KS):
                if pairwise and (i + c) % 2:
                    continue
                some = asked[: 10 if k is None else 60] if pairwise else asked
                yield (name, method, k or "N"), *compare(index, some, k)


def random_sparse(random):
    """Return an index and queries: few or many documents, short or long vectors, weights of one kind of several."""
    n_docs = int(random.choice([1, 10, 100, 1000, 20_000, 35_000], p=[0.1, 0.25, 0.25, 0.36, 0.02, 0.02]))
    n_terms = int(random.choice([2, 10, 100, 2000]))
    density = min(1.0, random.choice([1, 5, 30, 120]) / n_terms)
    popularity = density * (np.arange(n_terms) + 1.0) ** -random.uniform(0, 1.5)

    def rows(n, share):
        mask = random.random((n, n_terms)) < share
        indptr = np.concatenate([[0], mask.sum(1).cumsum()])
        return indptr, np.nonzero(mask)[1], weights_of(random, kind, int(indptr[-1]))

    kind = random.integers(0, 6)
    index = SparseIndex.build(rows(n_docs, popularity if n_docs * n_terms < 2e7 else popularity / 20))
    return index, rows(4, min(1.0, random.choice([2, 8, 60]) / n_terms))


def weights_of(random, kind, n):
    """Return weights that are positive, all equal, of few values, of many magnitudes, of either sign, or of either and some 0."""
    positive = random.lognormal(0, 1, n)
    few = random.integers(1, 4, n).astype(float)
    wide = 10.0 ** random.uniform(-44, 14, n)
    either = positive * random.choice([-1, 1], n)
    return [positive, np.ones(n), few, wide, either, np.round(either)][kind].astype(np.float32)


def random_fields(random):
    """Return an index over one to four fields, and queries."""
    n_docs = int(random.choice([1, 10, 100, 1000, 20_000], p=[0.1, 0.3, 0.3, 0.28, 0.02]))
    n_terms, n_fields = int(random.choice([2, 10, 100, 2000])), int(random.integers(1, 5))
    names = np.array([str(t) for t in range(n_terms)], object)

    def column(longest):
        return [
            names[(n_terms * random.random(n) ** 3).astype(int)].tolist()
            for n in random.integers(0, longest + 1, n_docs)
        ]

    columns = {f"f{i}": column(int(random.choice([2, 5, 20]))) for i in range(n_fields)}
    documents = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    index = BM25FIndex.build(
        documents,
        fields={field: random.lognormal(0, 1) for field in columns},
        b={field: random.uniform(0, 1) for field in columns},
        k1=random.uniform(0, 3),
    )
    return index, [names[random.integers(0, n_terms, random.integers(1, 9))].tolist() for _ in range(4)]


def check_random(n_corpora, seed=0):
    """Return differences and comparisons over random corpora, options and filters."""
    random = np.random.default_rng(seed)
    differ = compared = 0
    for number in range(n_corpora):
        index, queries = random_fields(random) if number % 2 else random_sparse(random)
        where = random.random(len(index)) < 0.3 if number % 4 in (2, 3) else None
        for k in KS:
            more, of = compare(index, queries if number % 2 else as_dicts(queries), k, where)
            differ, compared = differ + more, compared + of
    return differ, compared


def as_dicts(arrays):
    indptr, indices, data = arrays
    return [dict(zip(indices[a:b].tolist(), data[a:b].tolist(), strict=True)) for a, b in pairwise(indptr.tolist())]


if __name__ == "__main__":
    sys.exit(main(__file__, __doc__, check_collections, check_random))
