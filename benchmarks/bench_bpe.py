"""Question: how many megabytes of UTF-8 a second become byte-level BPE ids, through Python, from a list of str?

Data: the 52 MB of bench_wordpiece.py. Vocabulary: 50,000 tokens, trained by `tokenizers` on 40,000 texts of the same
collections (or GPT2_FOLDER with encoder.json and vocab.bpe, GPT-2's own), in the files of GPT-2, ModernBERT and Llama 3.
Peers, each with one thread: gigatoken (encode_batch, its fastest way from a list of str), tokie (encode_batch_flat), and
`tokenizers` (encode_batch_fast, on the first 2,500 documents, for it is slow). A peer that is absent is left out. The
load of the vocabulary is not timed.
Cold: a new tokenizer each round, so that its cache has met no word. Warm: a tokenizer that has read the same text before.
Check: ids of every document against `tokenizers` before anything is timed; the number of wrong ones is in the lines.
Rounds are interleaved; a ratio is that of the medians. Beside it stands the share of the read bandwidth that one core
reaches. One core is chosen by affinity, except for two threads. BENCH_CLOCK=cpu takes the CPU time of the process in
place of the time on the wall, for a machine that others use.
Command: pytest benchmarks/bench_bpe.py -s      (a JSON line for each case)
"""

import json
import os
import statistics
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

import twotower as tt
from real_data import ROOT, require
from text.bpe_oracle import families, gpt2_document, train, training_texts
from text.tokenizer_benchmark import megabytes, one_core, read_bandwidth, texts
from text.wordpiece_oracle import differences

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the peers read these once, at their first batch
os.environ["RAYON_NUM_THREADS"] = "1"

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
N_SLOW = 2500
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(find_spec("tokenizers") is None, reason="trains its vocabulary with tokenizers"),
]
CLOCK = time.process_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.perf_counter


@cache
def file_of(family):
    require("wiki-passages")
    path = Path(mkdtemp()) / "tokenizer.json"
    document = families(_trained())[family]
    if folder := os.environ.get("GPT2_FOLDER"):
        document = gpt2_document(Path(folder), document)
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


@cache
def _trained():
    return train(training_texts(ROOT, 20_000), 50_000)


def ours(family):
    return tt.BPE.from_file(file_of(family))


def peers(family):
    """Return name -> (make a tokenizer, read documents with it, ids and lengths of what it gives)."""
    found = {}
    if find_spec("gigatoken"):
        import gigatoken

        found["gigatoken"] = (
            lambda: gigatoken.Tokenizer(str(file_of(family))),
            lambda tokenizer, documents: tokenizer.encode_batch(documents, parallel=False),
            lambda rows: [np.asarray(row) for row in rows],
        )
    if find_spec("tokie"):
        import tokie

        found["tokie"] = (
            lambda: tokie.Tokenizer.from_json(str(file_of(family))),
            lambda tokenizer, documents: tokenizer.encode_batch_flat(documents),
            lambda batch: np.split(batch[0], np.cumsum(batch[1].astype(np.int64))[:-1]),
        )
    return found


def oracle(family):
    import tokenizers

    return tokenizers.Tokenizer.from_file(str(file_of(family)))


def seconds(run, *arguments, **options):
    started = CLOCK()
    run(*arguments, **options)
    return CLOCK() - started


def wrong_documents(family):
    documents, checker, tokenizer = texts(), oracle(family), ours(family)
    return sum(
        len(differences(tokenizer, checker, documents[i : i + 20_000], spans=False))
        for i in range(0, len(documents), 20_000)
    )


def report(case, size_mb, times, **more):
    speeds = [size_mb / t for t in times]
    line = {"what": "bpe", "case": case, "MB": round(size_mb, 1), "MB_per_s": round(statistics.median(speeds), 1)}
    line |= {"MB_per_s_range": [round(min(speeds), 1), round(max(speeds), 1)], "isa": tt.backend().isa, **more}
    print(json.dumps(line))


@pytest.mark.parametrize("family", ["GPT-2", "ModernBERT", "Llama 3"])
def test_one_thread_against_peers(family):
    documents = texts()
    few = documents[:N_SLOW]
    wrong = wrong_documents(family)
    assert wrong == 0
    size, few_size = megabytes(documents), megabytes(few)
    others, slow = peers(family), oracle(family)
    plain = ours(family).encode_batch(documents, add_special_tokens=False)
    with one_core():
        limit = read_bandwidth()
        warm = {"twotower": ours(family), **{name: make() for name, (make, _, _) in others.items()}}
        warm["twotower"].encode_batch(documents, threads=1)
        peer_wrong = {}
        for name, (_, read, rows) in others.items():
            found = rows(read(warm[name], documents))
            peer_wrong[name] = sum(
                not np.array_equal(row, mine) and not np.array_equal(row[1:-1], mine)  # with special tokens
                for row, mine in zip(found, plain, strict=True)
            )
        times = {f"{name} {case}": [] for name in warm for case in ("cold", "warm")}
        slow_times = []
        for _ in range(ROUNDS):
            cold = ours(family)
            times["twotower cold"].append(seconds(cold.encode_batch, documents, threads=1))
            times["twotower warm"].append(seconds(warm["twotower"].encode_batch, documents, threads=1))
            for name, (make, read, _) in others.items():
                other = make()
                times[f"{name} cold"].append(seconds(read, other, documents))
                times[f"{name} warm"].append(seconds(read, warm[name], documents))
            slow_times.append(seconds(slow.encode_batch_fast, few))
    slow_speed = few_size / statistics.median(slow_times)
    for case in ("cold", "warm"):
        median = statistics.median(times[f"twotower {case}"])
        ratios = {}
        for name in others:
            peer = times[f"{name} {case}"]
            spread = [p / t for p, t in zip(peer, times[f"twotower {case}"], strict=True)]
            ratios[name] = {
                "MB_per_s": round(size / statistics.median(peer), 1),
                "ratio_of_medians": round(statistics.median(peer) / median, 2),
                "ratio_spread": [round(min(spread), 2), round(max(spread), 2)],
                "wrong": peer_wrong[name],
            }
        ratios["tokenizers"] = {
            "MB_per_s": round(slow_speed, 2),
            "ratio_of_medians": round(size / median / slow_speed, 1),
        }
        share = {"share_of_read_bandwidth": round(size / 1000 / median / limit, 4), "read_GB_per_s": round(limit, 1)}
        report(f"{family}, {case}, one thread", size, times[f"twotower {case}"], peers=ratios, wrong=wrong, **share)


@pytest.mark.parametrize("case", ["warm", "cold"])
def test_two_threads_against_one(case):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one core")
    documents = texts()
    size = megabytes(documents)
    warm = ours("GPT-2")
    warm.encode_batch(documents)
    times = {1: [], 2: []}
    for _ in range(2 * ROUNDS):
        for threads in times:
            tokenizer = warm if case == "warm" else ours("GPT-2")
            started = time.perf_counter()
            tokenizer.encode_batch(documents, threads=threads)
            times[threads].append(time.perf_counter() - started)
    medians = statistics.median(times[1]) / statistics.median(times[2])
    report(
        f"{case}, two threads",
        size,
        times[2],
        ratio_of_best=round(min(times[1]) / min(times[2]), 2),
        ratio_of_medians=round(medians, 2),
    )


@pytest.mark.parametrize("unit", ["a", "ab", "é", " "])
def test_hostile_word(unit):
    """One word of up to a megabyte: its merges go through a heap."""
    tokenizer = ours("GPT-2")
    for length in (1 << 16, 1 << 18, 1 << 20):
        text = [unit * (length // len(unit.encode()))]
        times = [seconds(tokenizer.encode_batch, text, threads=1) for _ in range(ROUNDS)]
        report(f"word of {length} bytes, {unit!r} again and again", length / 1e6, times)
