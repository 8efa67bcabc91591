"""Question: how fast are exact answers from codes beside the fastest exact float32 scans, and how few rows are scored twice?

Data: sentence embeddings of 100,000 passages (`minilm`: wiki100k.npy and queries1000.npy in $TWOTOWER_CACHE) and clusters of
normalised vectors of any size. Peers, in the same run and on one thread: SVS Flat (float32), faiss IndexFlatIP with BLAS from the
first query on. Calls of all libraries alternate; the ratio is of medians. Our answers are compared with FlatIndex, all of them, and
the peers' documents with ours.

    python benchmarks/bench_dense_codes.py minilm
    python benchmarks/bench_dense_codes.py 1000000x128 --batches 1 32 256
    python benchmarks/bench_dense_codes.py 1000000x768 --folder FOLDER --peers svs  # 8 GB: one peer at a time
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np
import pytest
from dense_peers import PEERS, installed

import twotower as tt
from twotower.index import FlatCodesIndex, FlatIndex

CACHE = Path(os.environ.get("TWOTOWER_CACHE") or Path.home() / ".cache" / "twotower")


def clusters(n, dim, n_queries=1000, seed=0):
    """Normalised vectors around 200 centres, and queries near some of them."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((200, dim), np.float32)
    vectors = np.empty((n, dim), np.float32)
    for start in range(0, n, 50_000):
        part = vectors[start : start + 50_000]
        part[:] = centres[rng.integers(0, 200, len(part))]
        part += np.float32(0.7) * rng.standard_normal(part.shape, np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    queries = vectors[rng.integers(0, n, n_queries)] + np.float32(0.02) * rng.standard_normal(
        (n_queries, dim), np.float32
    )
    vectors.flags.writeable = False  # so that an index holds this array instead of a copy
    return vectors, queries


def load(name, folder=None):
    """Return an index and queries; `folder` keeps them for the next run, as large ones take longer to make than to search."""
    if folder and Path(folder, "queries.npy").exists():
        return FlatCodesIndex.load(folder), np.load(Path(folder, "queries.npy"))
    if name == "minilm":
        vectors, queries = np.load(CACHE / "wiki100k.npy"), np.load(CACHE / "queries1000.npy")
        vectors.flags.writeable = False
    else:
        n, dim = map(int, name.split("x"))
        vectors, queries = clusters(n, dim)
    index = FlatCodesIndex.build(vectors)
    if folder:
        index.save(folder)
        np.save(Path(folder, "queries.npy"), queries)
    return index, queries


def read_bandwidth(vectors):
    """GB/s of one pass of NumPy's maximum: a stream of reads."""
    flat = vectors.reshape(-1)[: 64 << 20]
    times = []
    for _ in range(3):
        began = time.perf_counter()
        flat.max()
        times.append(time.perf_counter() - began)
    return flat.nbytes / min(times) / 1e9


def check_answers(index, vectors, queries, k, peers):
    """All of ours equal FlatIndex's; a peer's float32 order may differ in its last bits."""
    expected = FlatIndex.build(vectors).search(queries, k=k)
    for part in (slice(0, 1), slice(0, 32), slice(0, len(queries))):
        hits = index.search(queries[part], k=k)
        assert (hits.docs == expected.docs[part]).all()
        assert (hits.scores == expected.scores[part]).all()
    for name, search in peers.items():
        assert np.mean(search(queries[:32]).astype(np.int64) == expected.docs[:32]) > 0.98, name


def timed(searches, batches):
    """Median seconds by name; the libraries take turns on each batch."""
    times = {name: [] for name in searches}
    for batch in batches:
        for name, search in searches.items():
            began = time.perf_counter()
            search(batch)
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def run(options):
    index, queries = load(options.data, options.folder)
    vectors = index.vectors
    peers = installed(options.peers, vectors, options.k)
    check_answers(index, vectors, queries[:64], options.k, peers)
    for size in options.batches:
        starts = [
            i * size % (len(queries) - size + 1) for i in range(options.rounds if size > 1 else 8 * options.rounds)
        ]
        batches = [np.ascontiguousarray(queries[start : start + size]) for start in starts]
        searches = {"codes": lambda batch: index.search(batch, k=options.k), **peers}
        if options.flat:
            flat = FlatIndex.build(vectors)
            searches["flat"] = lambda batch, flat=flat: flat.search(batch, k=options.k)
        seconds = timed(searches, batches)
        profile = index.profile(batches[0], k=options.k)
        row = {
            "data": options.data,
            "n": len(vectors),
            "dim": index.dim,
            "queries": size,
            "k": options.k,
            "isa": tt.backend().isa,
            "ms": {name: round(value * 1e3, 3) for name, value in seconds.items()},
            "ratio": {name: round(seconds[name] / seconds["codes"], 2) for name in seconds if name != "codes"},
            "float32_gb_s": {name: round(vectors.nbytes / value / 1e9, 1) for name, value in seconds.items()},
            "read_gb_s": round(read_bandwidth(vectors), 1),
            "codes_gop_s": round(2 * size * vectors.size / seconds["codes"] / 1e9),
            "share_refined": round(profile.share_refined, 6),
            "share_rescored": round(profile.share_rescored, 6),
        }
        print(json.dumps(row), flush=True)


@pytest.mark.quick
@pytest.mark.parametrize("n_queries", [1, 32])
def test_codes_search_quick(benchmark, n_queries):
    vectors, queries = clusters(10_000, 128)
    index = FlatCodesIndex.build(vectors)
    check_answers(index, vectors, queries[:32], 10, {})
    benchmark(index.search, queries[:n_queries], k=10)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", help="minilm, or N x D as 1000000x128")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=["svs", "faiss-blas"])
    parser.add_argument("--flat", action="store_true", help="time FlatIndex, too")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--folder", help="keeps index and queries, for runs that begin with them")
    parser.add_argument("--rounds", type=int, default=7)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
