"""Question: how many queries a second does exact BM25 answer, against bm25s with numba?

Data: msmarco-passage-32k, 32,276 passages and all its 1,947 queries, analysed by the "english" analyzer; both sides get
the same lists of terms and return the k best DocIds and scores; string ids are not made. k1=.9, b=.4, one thread.
Baseline: bm25s, backend "numba", warmed up. Rounds are interleaved; the result is the ratio of medians.
lexical_speed.py compares at larger sizes and with more peers.
Answers are checked first: the same scores to 1e-4 relative (bm25s stores float32), for every place.
Command: pytest benchmarks/bench_lexical.py -m quick -s      (a JSON line for each k)
"""

import json
import platform
import statistics
import time
from functools import cache

import numpy as np
import pytest

import twotower as tt
from real_data import require
from twotower.index.bm25 import BM25Index
from twotower.text import Analyzer

bm25s = pytest.importorskip("bm25s", reason="the peer bm25s is absent: pip install '.[bench]'")
pytest.importorskip("numba", reason="bm25s needs numba for its fast path: pip install '.[bench]'")

pytestmark = [pytest.mark.data, pytest.mark.quick]
ROUNDS = 7


def read_texts(path):
    with path.open() as file:
        for row in map(json.loads, file):
            yield f"{row['title']} {row['text']}" if row.get("title") else row["text"]


@cache
def prepared():
    """Both indexes over the same terms, and the queries' terms."""
    folder = require("msmarco-passage-32k")
    analyzer = Analyzer("english")
    documents = analyzer.analyze_batch(read_texts(folder / "corpus.jsonl"))
    queries = [terms for terms in analyzer.analyze_batch(read_texts(folder / "queries.jsonl")) if terms]
    peer = bm25s.BM25(method="lucene", k1=0.9, b=0.4, backend="numba")
    peer.index(documents, show_progress=False)
    return BM25Index.build(documents), peer, queries


def queries_per_second(search, n_queries):
    started = time.perf_counter()
    search()
    return n_queries / (time.perf_counter() - started)


@pytest.mark.parametrize("k", [10, 100, 1000])
def test_search_against_bm25s(k):
    index, peer, queries = prepared()

    def ours():
        return index.search(queries, k=k, threads=1).scores

    def theirs():
        return peer.retrieve(queries, k=k, n_threads=1, show_progress=False).scores

    mine = ours()
    found = np.isfinite(mine)
    np.testing.assert_allclose(mine[found], theirs()[found], rtol=1e-4)
    rounds = [(queries_per_second(ours, len(queries)), queries_per_second(theirs, len(queries))) for _ in range(ROUNDS)]
    ratios = sorted(a / b for a, b in rounds)
    medians = [statistics.median(side) for side in zip(*rounds, strict=True)]
    row = {
        "benchmark": "bm25 search, one thread",
        "k": k,
        "documents": len(index),
        "queries": len(queries),
        "twotower_queries_per_s": round(medians[0]),
        f"bm25s_{bm25s.__version__}_queries_per_s": round(medians[1]),
        "ratio_of_medians": round(medians[0] / medians[1], 2),
        "ratio_spread": [round(ratios[0], 2), round(ratios[-1], 2)],
        "machine": platform.processor() or platform.machine(),
        "isa": tt.backend().isa,
    }
    print("\n" + json.dumps(row))


def test_build(benchmark):
    """From texts to an index that can be searched: analysis and inversion."""
    texts = list(read_texts(require("msmarco-passage-32k") / "corpus.jsonl"))
    index = benchmark.pedantic(BM25Index.build, (texts,), rounds=3)
    assert len(index) == len(texts)


def test_search_one_query(benchmark):
    """The latency of one query, from its text to its hits."""
    index, _, _ = prepared()
    assert benchmark(index.search, "what is a corporation", k=10)
