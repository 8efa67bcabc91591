"""Question: what does fusing cost on top of the searches that it fuses?

Data: 20,000 made-up texts of 40 words over a Zipf vocabulary, 200 queries of 3 words; embeddings from a seed. BM25, dense, and both fused,
by reciprocal rank and linearly, k=10, one thread. Baseline: the two searches on their own, in the same run.
Command: pytest benchmarks/bench_search.py --benchmark-enable
"""

import numpy as np
import pytest

import twotower as tt

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
@pytest.mark.parametrize("name", ["bm25", "dense", "rrf", "linear"])
def test_search(benchmark, parts, name):
    bm25, dense, queries = parts
    searcher = {"bm25": bm25, "dense": dense}.get(name) or tt.Hybrid([bm25, dense], fusion=name)
    hits = benchmark(searcher.search, queries, 10)
    assert hits.docs.shape == (N_QUERIES, 10)
    benchmark.extra_info["queries"] = N_QUERIES
