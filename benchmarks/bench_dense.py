"""Question: how near is exact dense search to the limits of the machine, and how far ahead of other exact searches?

Data: real sentence embeddings (minilm_vectors.py makes wiki100k.npy and queries1000.npy, 100,000 x 384), or normal random
vectors of length 1, "NxD". Baselines: dense_peers.py, one at a time beside FlatIndex, same core, runs in turns. Limits: machine_limits.py.
Answers are checked before they are timed.

    python -m pytest benchmarks/bench_dense.py --benchmark-enable                      # pytest-benchmark's table
    python benchmarks/bench_dense.py --data $TWOTOWER_CACHE --peer faiss --batch 1 32  # a JSON line a batch
    python benchmarks/bench_dense.py --data 1000000x768 --threads 2                    # against its own single thread
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np
import pytest
from dense_peers import INEXACT, PEERS, installed
from machine_limits import measure

import twotower as tt
from twotower.index.flat_storage import METRICS, STORAGES

N, D, K = 100_000, 384, 10
BATCHES = (1, 32, 256)
CODED_QUERIES = 5
"""From so many queries on, rows of every storage are multiplied as 8-bit integers where the processor has such products."""


def make_data(n=N, dim=D, n_queries=256):
    """Return normal vectors of length 1, read-only, and queries."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((n, dim), np.float32)
    for first in range(0, n, 4096):  # bounded memory
        part = vectors[first : first + 4096]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    vectors.flags.writeable = False
    queries = rng.standard_normal((n_queries, dim), np.float32)
    return vectors, queries / np.linalg.norm(queries, axis=1, keepdims=True)


def read_data(name, n_queries):
    """Return vectors and queries: of a folder that minilm_vectors.py wrote, or made from "NxD"."""
    if not Path(name).is_dir():
        n, dim = map(int, name.split("x"))
        return make_data(n, dim, n_queries)
    vectors = np.load(Path(name, "wiki100k.npy"), allow_pickle=False)
    vectors.flags.writeable = False
    queries = np.load(Path(name, "queries1000.npy"), allow_pickle=False)
    return vectors, np.ascontiguousarray(np.resize(queries, (n_queries, queries.shape[1])))


def check_answers(index, queries):
    """Compare with float64 on a part of the documents."""
    part = np.arange(len(index)) < 20_000
    exact = queries[:4].astype(np.float64) @ index.vectors[:20_000].astype(np.float64).T
    found = index.search(queries[:4], k=K, where=part)
    assert (found.docs == np.argsort(-exact, axis=1, kind="stable")[:, :K]).mean() > 0.99  # NumPy sums in another order
    assert (index.score(queries[:4], found.docs) == found.scores).all()


def overlap(found, expected):
    """Return the share of expected DocIds that were found."""
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, expected, strict=True)]))


@pytest.fixture(scope="module")
def data():
    return make_data()


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("n_queries", BATCHES)
def test_flat_search(benchmark, data, storage, n_queries):
    index = tt.FlatIndex.build(data[0], storage=storage)
    check_answers(index, data[1])
    benchmark(index.search, data[1][:n_queries], k=K)


@pytest.mark.quick
@pytest.mark.parametrize("metric", METRICS)
def test_flat_search_quick(benchmark, metric):
    vectors, queries = make_data(10_000)
    benchmark(tt.FlatIndex.build(vectors, metric=metric).search, queries[:32], k=K)


@pytest.mark.quick
def test_save_and_load(benchmark, tmp_path):
    index = tt.FlatIndex.build(make_data(20_000)[0])

    def save_and_load():
        index.save(tmp_path)
        tt.FlatIndex.load(tmp_path)

    benchmark(save_and_load)


def in_turns(functions, repeats, budget):
    """Return the wall seconds of each function, [repeats, functions]; fewer repeats where they would take too long."""
    times = []
    began = time.perf_counter()
    for _ in range(repeats):
        row = []
        for function in functions:
            start = time.perf_counter()
            function()
            row.append(time.perf_counter() - start)
        times.append(row)
        if len(times) >= 3 and time.perf_counter() - began > budget:
            break
    return np.array(times)


def shares(seconds, index, n_queries, limits):
    """Return the speed of a search, and its share of the physical limits."""
    stored = index._stored.rows
    operations, read = 2 * stored.size * n_queries / seconds, stored.nbytes / seconds
    coded = n_queries >= CODED_QUERIES and tt.backend().isa in ("avx512vnni", "avx512bf16")
    peak = limits["int8" if coded else "float32" if index.storage == "float16" else index.storage]
    return {
        "gb_s": round(read / 1e9, 1),
        "g_op_s": round(operations / 1e9, 1),
        "of_read": limits["read"] and round(read / limits["read"], 3),
        "of_peak": peak and round(operations / peak, 3),
    }


def main():
    """Print one JSON line for each number of queries."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of minilm_vectors.py, or NxD")
    parser.add_argument("--peer", choices=PEERS, help="the library to compare with")
    parser.add_argument("--storage", choices=STORAGES, default="float32")
    parser.add_argument("--batch", type=int, nargs="+", default=list(BATCHES))
    parser.add_argument("--k", type=int, default=K)
    parser.add_argument(
        "--threads", type=int, default=1, help="2 and more: compared with one thread, if no peer is named"
    )
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--budget", type=float, default=12, help="seconds for each number of queries")
    arguments = parser.parse_args()
    vectors, queries = read_data(arguments.data, max(arguments.batch))
    limits = measure(256)
    index = tt.FlatIndex.build(vectors, storage=arguments.storage)
    check_answers(index, queries)
    peer = installed([arguments.peer], vectors, arguments.k).get(arguments.peer) if arguments.peer else None
    machine = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "isa": tt.backend().isa}
    rates = {name: limit and round(limit / 1e9, 1) for name, limit in limits.items()}
    print(json.dumps({"limits_g_s": rates, **machine}))
    for n_queries in arguments.batch:
        batch = queries[:n_queries]
        row = {"data": Path(arguments.data).name, "storage": arguments.storage, "queries": n_queries, "k": arguments.k}
        runs = [lambda b=batch: index.search(b, arguments.k, arguments.threads)]
        if peer is not None:
            runs.append(lambda b=batch: peer(b))
            row["same"] = round(overlap(peer(batch), index.search(batch, arguments.k).docs), 4)
            least = 0 if arguments.storage == "int8" else INEXACT.get(arguments.peer, 0.99)
            assert row["same"] >= least or arguments.storage != "float32", row
        elif arguments.threads != 1:
            runs.append(lambda b=batch: index.search(b, arguments.k, 1))
        times = in_turns(runs, arguments.repeats, arguments.budget)
        seconds = float(np.median(times[:, 0]))
        row |= {"threads": arguments.threads, "ms": round(seconds * 1e3, 2)}
        row |= shares(float(times[:, 0].min()), index, n_queries, limits)
        if len(runs) > 1:
            ratio = times[:, 1] / times[:, 0]
            row |= {"peer": arguments.peer or "one thread", "peer_ms": round(float(np.median(times[:, 1])) * 1e3, 2)}
            row |= {
                "ratio": round(float(np.median(ratio)), 2),
                "spread": np.round(np.quantile(ratio, [0.1, 0.9]), 2).tolist(),
            }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
