"""Question: how near is exact dense search to the limits of memory and arithmetic?

Data: 100,000 x 384 float32 vectors of clusters (no model needed). Baseline: `queries @ vectors.T` of NumPy with
argpartition, which gives float32 scores without a promise. Answers are checked on a part before they are timed.

    python -m pytest benchmarks/bench_dense.py --benchmark-enable      # pytest-benchmark's table
    python benchmarks/bench_dense.py                                   # one JSON line a case
"""

import json
import os
import platform
import time

import numpy as np
import pytest

import twotower as tt

N, D, K = 100_000, 384, 10
BATCHES = (1, 32, 256)


def make_data(n=N):
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, D), np.float32)
    vectors = centres[rng.integers(0, 200, n)] + 0.7 * rng.standard_normal((n, D), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = vectors[rng.integers(0, n, max(BATCHES))] + 0.02 * rng.standard_normal((max(BATCHES), D), np.float32)
    return vectors, queries


def numpy_search(vectors, queries, k):
    scores = queries @ vectors.T
    part = np.argpartition(-scores, k, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, part, 1), axis=1)
    return np.take_along_axis(part, order, 1)


def check_answers(index, vectors, queries):
    exact = (queries[:4, None, :].astype(np.float64) * vectors[None, :20_000].astype(np.float64)).sum(-1)
    part = tt.FlatIndex.build(vectors[:20_000]).search(queries[:4], k=K)
    assert (part.docs == np.argsort(-exact, axis=1, kind="stable")[:, :K]).mean() > 0.99  # NumPy sums in another order
    assert (
        index.score(queries[:4], index.search(queries[:4], k=K).docs) == index.search(queries[:4], k=K).scores
    ).all()


@pytest.fixture(scope="module")
def data():
    return make_data()


@pytest.mark.parametrize("n_queries", BATCHES)
def test_flat_search(benchmark, data, n_queries):
    index = tt.FlatIndex.build(data[0])
    check_answers(index, *data)
    benchmark(index.search, data[1][:n_queries], k=K)


@pytest.mark.quick
def test_flat_search_quick(benchmark):
    vectors, queries = make_data(10_000)
    benchmark(tt.FlatIndex.build(vectors).search, queries[:32], k=K)


@pytest.mark.quick
def test_save_and_load(benchmark, tmp_path):
    index = tt.FlatIndex.build(make_data(20_000)[0])

    def save_and_load():
        index.save(tmp_path)
        tt.FlatIndex.load(tmp_path)

    benchmark(save_and_load)


def best_time(function, repeats=5):
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def main():
    vectors, queries = make_data()
    index = tt.FlatIndex.build(vectors)
    check_answers(index, vectors, queries)
    machine = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "isa": tt.backend().isa}
    for n_queries in BATCHES:
        batch = queries[:n_queries]
        for threads in (1, 0):
            seconds = best_time(lambda b=batch, t=threads: index.search(b, k=K, threads=t))
            row = {
                "case": "flat",
                "queries": n_queries,
                "threads": threads,
                "n": N,
                "dim": D,
                "k": K,
                "ms": round(seconds * 1e3, 2),
                "gb_s": round(vectors.nbytes / seconds / 1e9, 1),
                "gflop_s": round(2 * N * D * n_queries / seconds / 1e9, 1),
            }
            print(json.dumps(row | machine))
        seconds = best_time(lambda b=batch: numpy_search(vectors, b, K))
        print(json.dumps({"case": "numpy", "queries": n_queries, "ms": round(seconds * 1e3, 2)} | machine))


if __name__ == "__main__":
    main()
