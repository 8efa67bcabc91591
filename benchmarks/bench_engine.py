"""Question: what does a person wait for, from a query to hits with titles and snippets, and to load a saved engine?

Data: 5,000 made-up documents of 60 words with titles; BM25 alone.
Command: pytest benchmarks/bench_engine.py --benchmark-enable
"""

import numpy as np
import pytest

import twotower as tt

N_DOCS = 5_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    rng = np.random.default_rng(0)
    words = np.minimum(rng.zipf(1.3, (N_DOCS, 60)), 20_000).tolist()
    source = [tt.Document(" ".join(f"w{word}" for word in row), f"document {i}") for i, row in enumerate(words)]
    folder = tmp_path_factory.mktemp("engine")
    tt.Engine.build(source).save(folder)
    return folder


@pytest.mark.quick
def test_search(benchmark, folder):
    engine = tt.Engine.load(folder)
    hits = benchmark(engine.search, "w7 w30 w99", 10)
    assert len(hits) == 10


@pytest.mark.quick
def test_load(benchmark, folder):
    engine = benchmark(tt.Engine.load, folder)
    assert len(engine) == N_DOCS
