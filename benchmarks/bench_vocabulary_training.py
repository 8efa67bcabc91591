"""Question: how long does it take to learn a vocabulary from texts in memory, a list of str, through Python?

Data: all texts of scifact (7 MB) and of pubmed-titles (44 MB). Peer: the trainers of `tokenizers`, one thread each.
Check before anything is timed: tokens a word on a tenth of the texts that was held out are within 2 % of the peer's
(vocabulary_quality.py has the whole table).
Rounds are interleaved on one core, chosen by affinity, except for two threads; a ratio is that of the medians.
Command: pytest benchmarks/bench_vocabulary_training.py -s      (a JSON line for each case; -k scifact: minutes)
"""

import json
import os
import platform
import statistics
import sys
import time
from contextlib import contextmanager
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the peer reads these once, at its first batch
os.environ["RAYON_NUM_THREADS"] = "1"

import pytest

import twotower as tt

sys.path.insert(0, str(Path(__file__).parent))
import functools
import operator

import vocabulary_quality as quality

from real_data import require

pytestmark = pytest.mark.data
pytest.importorskip("tokenizers", reason="the peer is the package tokenizers")

PEERS = {"wordpiece": quality.peer_wordpiece, "bpe": quality.peer_bpe}
CASES = [
    pytest.param("scifact", "scifact", 8_000, 5),
    pytest.param("pubmed", "pubmed-titles", 30_000, 3),
]


def train(kind, documents, size, threads=1):
    if kind == "wordpiece":
        return tt.WordPiece.train(documents, size, threads=threads)
    return tt.BPE.train(documents, size, special_tokens=[], threads=threads)


@contextmanager
def one_core():
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def seconds(run, *arguments):
    started = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - started


def report(kind, collection, size, documents, times, peer, peer_times, **more):
    ratios = [theirs / ours for ours, theirs in zip(times, peer_times, strict=True)]
    line = {
        "what": "vocabulary training",
        "kind": kind,
        "collection": collection,
        "MB": round(sum(len(text.encode()) for text in documents) / 1e6, 1),
        "tokens": size,
        "s": round(statistics.median(times), 3),
        "peer": peer,
        "peer_s": round(statistics.median(peer_times), 3),
        "ratio_of_medians": round(statistics.median(peer_times) / statistics.median(times), 2),
        "ratio_spread": [round(min(ratios), 2), round(max(ratios), 2)],
        "isa": tt.backend().isa,
        "machine": platform.machine(),
        **more,
    }
    print(json.dumps(line))


@pytest.mark.parametrize("kind", list(PEERS))
@pytest.mark.parametrize(("collection", "folder", "size", "rounds"), CASES)
def test_one_thread_against_tokenizers(kind, collection, folder, size, rounds, tmp_path):
    require(folder)
    found = quality.KINDS[kind](collection, size)
    ratio = found["default"][0] / found["tokenizers"][0]
    assert ratio <= 1.02
    documents = functools.reduce(operator.iadd, quality.texts(collection), [])
    times, peer_times = [], []
    with one_core():
        for _ in range(rounds):
            times.append(seconds(train, kind, documents, size))
            peer_times.append(seconds(PEERS[kind], documents, size, tmp_path))
    report(kind, collection, size, documents, times, "tokenizers", peer_times, tokens_a_word_ratio=round(ratio, 4))


@pytest.mark.parametrize("kind", list(PEERS))
@pytest.mark.parametrize(("collection", "folder", "size", "rounds"), CASES)
def test_two_threads_against_one(kind, collection, folder, size, rounds):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one core")
    require(folder)
    documents = functools.reduce(operator.iadd, quality.texts(collection), [])
    times = {1: [], 2: []}
    for _ in range(2 * rounds):
        for threads in times:
            times[threads].append(seconds(train, kind, documents, size, threads))
    best = min(times[1]) / min(times[2])
    report(kind, collection, size, documents, times[2], "one thread", times[1], ratio_of_best=round(best, 2))
