"""Question: what does fusing cost on top of the searches that it fuses?

Data: 20,000 made-up texts of 40 words over a Zipf vocabulary, 200 queries of 3 words; embeddings from a seed. BM25, dense, and both under
every fusion of the registry, k=10, depth 100, one thread. Baseline: the two searches on their own, at k=10 and at the depth of 100. Each
fusion's list is checked against a sort of the scores of all listed documents before it is timed. `extra_info` holds the library's own
count of the last search: share of the time by encoding, searching, scoring the other's documents, and fusing.
Command: pytest benchmarks/bench_search.py --benchmark-enable --benchmark-json=search.json
"""

import numpy as np
import pytest

import twotower as tt
from twotower.search import FUSIONS

N_DOCS, N_QUERIES, DIM = 20_000, 200, 64


class Encoder:
    """Embeddings of known queries."""

    def __init__(self, vectors):
        self.vectors = vectors
        self.out_dim = vectors.shape[1]

    def encode_queries(self, texts):
        return self.vectors[: len(texts)]


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    words = np.minimum(rng.zipf(1.2, (N_DOCS, 40)), 50_000)
    bm25 = tt.BM25Index.build([" ".join(f"w{word}" for word in row) for row in words.tolist()])
    dense = tt.Dense(
        Encoder(rng.standard_normal((N_QUERIES, DIM), np.float32)),
        tt.FlatIndex.build(rng.standard_normal((N_DOCS, DIM), np.float32)),
    )
    queries = [" ".join(f"w{word}" for word in row) for row in rng.integers(5, 500, (N_QUERIES, 3)).tolist()]
    return bm25, dense, queries


@pytest.mark.quick
@pytest.mark.parametrize("k", [10, 100])
@pytest.mark.parametrize("name", ["bm25", "dense"])
def test_search(benchmark, parts, name, k):
    searcher = dict(zip(("bm25", "dense"), parts, strict=False))[name]
    hits = benchmark(searcher.search, parts[2], k)
    assert hits.docs.shape == (N_QUERIES, k)
    benchmark.extra_info["queries"] = N_QUERIES


@pytest.mark.quick
@pytest.mark.parametrize("fusion", sorted(FUSIONS))
def test_fusion(benchmark, parts, fusion):
    bm25, dense, queries = parts
    hybrid = tt.Hybrid([bm25, dense], fusion=fusion)
    check_order(hybrid, queries[0])
    hits = benchmark(hybrid.search, queries, 10)
    assert hits.docs.shape == (N_QUERIES, 10)
    cost, of = hybrid.cost, list(hybrid.cost.parts.values())
    benchmark.extra_info |= {
        "queries": N_QUERIES,
        "candidates_a_query": cost.candidates / N_QUERIES,
        "encode": sum(part.encode_seconds for part in of) / cost.seconds,
        "search": sum(part.search_seconds for part in of) / cost.seconds,
        "score": sum(part.score_seconds for part in of) / cost.seconds,
        "fuse": cost.fuse_seconds / cost.seconds,
    }


def check_order(hybrid, query):
    """Compare one query's list with a plain sort of the scores of all documents that a searcher lists."""
    listed = {hit.doc for searcher in hybrid.searchers for hit in searcher.search([query], hybrid.depth)[0]}
    docs = sorted(listed)
    scores = dict(zip(docs, hybrid.score([query], [docs])[0].tolist(), strict=True))
    best = sorted(docs, key=lambda doc: (-scores[doc], doc))[:10]
    assert [hit.doc for hit in hybrid.search(query, 10)] == best
