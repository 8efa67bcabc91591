"""Question: how many queries a second does exact BM25 answer, beside PISA, tantivy and bm25s, each on its fast path?

Data: S = the first 50,000 of wiki-passages, M = all 438,943, L = M and the sentences of the abstracts of pubmed-titles.
Queries: the first 1,000 of msmarco-passage-32k, real MS MARCO questions. Terms: the "english" analyzer, with its stop
words removed or kept; all sides get the same terms. k1=1.2, b=.75, one thread, q/s through each one's Python API from
ready query terms; string ids are not made (PISA's API always makes them).
Check: ours equal the oracle "exhaustive" bit for bit, for every query; bm25s the same scores to 1e-4; PISA and tantivy,
whose scores differ by definition (PISA clips negative idf, tantivy rounds lengths), share of the same top documents.
Time: CPU time of the process, so that other work on the machine counts less; rounds are interleaved, a ratio is that of
medians, and its spread that of the rounds. Limit: a plain loop that adds one byte's value to a u16 sum, the same run.
Command: PYTHONPATH=tests/python python benchmarks/lexical_speed.py --size M --stop-words removed --folder FOLDER
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from lexical_collections import collect
from lexical_peers import PEERS, folder_bytes, make_peer

import twotower as tt


def cpu_seconds(work):
    started = time.process_time()
    work()
    return time.process_time() - started


def add_rate(n=2_000_000, window=16_384):
    """Return postings a nanosecond of a loop that does nothing but add: the limit of scoring every posting."""
    import numba

    @numba.njit
    def add(sums, places, codes, values):
        for i in range(len(places)):
            sums[places[i]] += values[codes[i]]

    random = np.random.default_rng(0)
    places = np.sort(random.integers(0, window, (n // 1000, 1000)), 1).astype(np.uint16).ravel()
    codes, values = random.integers(0, 256, n).astype(np.uint8), np.arange(256, dtype=np.uint16)
    sums = np.zeros(65_536, np.uint16)
    add(sums, places, codes, values)
    return n / min(cpu_seconds(lambda: add(sums, places, codes, values)) for _ in range(7)) / 1e9


def check_ours(index, queries, k):
    hits, oracle = index.search(queries, k), index.search(queries, k, algorithm="exhaustive")
    assert np.array_equal(hits.docs, oracle.docs)
    assert np.array_equal(hits.scores, oracle.scores)
    return hits


def check_peer(name, peer, prepared, hits, k):
    """Return the mean share of our documents that the peer lists too; bm25s must have the same scores."""
    found = peer.search(prepared, k)
    docs, scores = peer.rows(found) if name == "pisa" else found
    if name == "bm25s":
        finite = np.isfinite(hits.scores)
        np.testing.assert_allclose(hits.scores[finite], np.asarray(scores)[finite], rtol=1e-4)
    shares = [
        len(set(ours[ours >= 0].tolist()) & set(np.asarray(theirs).tolist())) / max((ours >= 0).sum(), 1)
        for ours, theirs in zip(hits.docs, docs, strict=True)
    ]
    return float(np.mean(shares))


def latencies_us(search, queries):
    times = []
    for query in queries:
        started = time.process_time_ns()
        search(query)
        times.append((time.process_time_ns() - started) / 1000)
    return [round(float(np.percentile(times, p)), 1) for p in (50, 99)]


def compare(index, queries, peers, prepared, k, rounds):
    """Return the rows of one k: ours, then each peer's."""
    hits = check_ours(index, queries, k)
    overlap = {name: check_peer(name, peer, prepared[name], hits, k) for name, peer in peers.items()}
    sides = {"twotower": lambda: index.search(queries, k)}
    sides |= {name: lambda name=name, peer=peer: peer.search(prepared[name], k) for name, peer in peers.items()}
    times = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            times[name].append(cpu_seconds(side) / len(queries) * 1e6)
    ours = statistics.median(times["twotower"])
    profile = index.profile(queries, k)[1]
    row = {
        "k": k,
        "twotower_us": round(ours, 1),
        "twotower_q_per_s": round(1e6 / ours),
        "algorithms": profile.algorithms,
    }
    row["postings_a_query"] = round(profile.postings / len(queries))
    row["scored_a_query"] = round(profile.postings_scored / len(queries))
    row["postings_per_ns"] = round(profile.postings / len(queries) / ours / 1000, 3)
    for name in peers:
        ratios = sorted(theirs / mine for theirs, mine in zip(times[name], times["twotower"], strict=True))
        median = statistics.median(times[name])
        row[name] = {
            "us": round(median, 1),
            "ratio": round(median / ours, 2),
            "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
            "same_documents": round(overlap[name], 4),
        }
    return row


def two_threads(index, queries, rounds):
    """Return wall time of one thread over that of two, by k: of medians, and of the best. Other work on the machine spoils it."""
    batch = queries * 5
    ratios = {}
    for k in (10, 100, 1000):
        times = {1: [], 2: []}
        for _ in range(3 * rounds):
            for threads, found in times.items():
                started = time.perf_counter()
                index.search(batch, k, threads=threads)
                found.append(time.perf_counter() - started)
        medians, best = ([pick(found) for found in times.values()] for pick in (statistics.median, min))
        ratios[k] = {"medians": round(medians[0] / medians[1], 2), "best": round(best[0] / best[1], 2)}
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=["S", "M", "L"], default="S")
    parser.add_argument("--stop-words", choices=["removed", "kept"], default="removed")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--k", default="10,100,1000")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--two-threads", action="store_true", help="measure two threads against one, and nothing else")
    parser.add_argument("--folder", type=Path, help="where collections and indexes are kept; else they are made anew")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made_anew:
        measure(args, args.folder or Path(made_anew))


def measure(args, folder):
    folder, collection = collect(args.size, args.stop_words, folder)
    index, queries, ids = collection.index, collection.queries, collection.query_ids
    row = {
        "benchmark": "bm25 search, one thread, CPU time",
        "size": args.size,
        "documents": len(index),
        "stop_words": args.stop_words,
        "queries": len(queries),
        "isa": tt.backend().isa,
        "machine": platform.processor() or platform.machine(),
        "memory_bytes": index.memory(),
        "disk_bytes": folder_bytes(folder / "twotower"),
        "add_limit_postings_per_ns": round(add_rate(), 2),
        "p50_p99_us_k10": latencies_us(lambda query: index.search([query], 10), queries),
    }
    if args.two_threads:
        print(json.dumps(row | {"two_threads": two_threads(index, queries, args.rounds)}), flush=True)
        return
    made = {}
    for name in filter(None, args.peers.split(",")):
        made[name] = make_peer(name, collection.documents, len(index.vocabulary), folder / name)
    peers = {name: peer for name, peer in made.items() if not isinstance(peer, str)}
    prepared = {name: peer.prepare(ids) for name, peer in peers.items()}
    for name, peer in made.items():
        row[name] = (
            peer if isinstance(peer, str) else {"name": peer.name, "memory": peer.memory_bytes, "disk": peer.disk_bytes}
        )
        if name in peers:
            row[name]["p50_p99_us_k10"] = latencies_us(
                lambda query, peer=peer: peer.search([query], 10), prepared[name]
            )
    print(json.dumps(row), flush=True)
    for k in filter(None, args.k.split(",")):
        print(json.dumps(compare(index, queries, peers, prepared, int(k), args.rounds)), flush=True)


if __name__ == "__main__":
    main()
