"""Question: how many megabytes of UTF-8 a second become stemmed terms, through Python, from a list of str?

Data: 54 MB of real text, 24 % of the documents not ASCII, shuffled: every seventh of wiki-passages (up to 60,000),
msmarco-passage-32k and every second abstract of pubmed-titles.
Ours: Analyzer("english").term_ids, to ids of a new vocabulary. Cold: a new analyzer each round, so that its cache has met
no word. Warm: an analyzer and a vocabulary that have read the same text before.
Peers, on the first 8,000 documents, for they are slow, with our stop list: tantivy (en_stem: simple tokenizer, lower case,
stop words, English stemmer; one call a text, for it has no batch; `pre_tokenize`, which makes no Python list and is its
faster way, and `analyze`), bm25s.tokenize with PyStemmer. Neither keeps anything from round to round.
Check: terms of every 50th document against the plain-Python oracle before anything is timed. How far the peers' terms
agree with ours is in the lines: their words are not ours (docs/decisions/words.md).
Rounds are interleaved; a ratio is that of the medians. On a machine that others use, too, the ratio of the processor
times of the same rounds says more than that of the clock: both are in the lines. Beside them stands the share of the
read bandwidth that one core reaches (a sum over 256 MB). One core is chosen by affinity, except for two threads.
Command: pytest benchmarks/bench_text.py -s      (a JSON line for each case)
"""

import json
import os
import platform
import statistics
import time
from functools import cache

import pytest
import Stemmer

import twotower as tt
from text.oracle import analyze
from text.tokenizer_benchmark import megabytes, one_core, read_bandwidth, texts
from twotower.text import STOP_WORDS

pytestmark = [pytest.mark.data]
ROUNDS = 7
N_SLOW = 8000
ENGLISH = list(STOP_WORDS["english"])


def tantivy_analyzer():
    tantivy = pytest.importorskip("tantivy", reason="the peer tantivy is absent: pip install tantivy")
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.remove_long(40))
    builder = builder.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.custom_stopword(ENGLISH))
    return builder.filter(tantivy.Filter.stemmer("English")).build()


def bm25s_tokenize(documents, **options):
    import bm25s

    return bm25s.tokenize(
        documents, stopwords=ENGLISH, stemmer=Stemmer.Stemmer("english"), show_progress=False, **options
    )


def seconds(run, *arguments, **options):
    started = time.perf_counter()
    run(*arguments, **options)
    return time.perf_counter() - started


def read_all(analyzer, documents, vocabulary=None, threads=1):
    return analyzer.term_ids(documents, tt.Vocabulary() if vocabulary is None else vocabulary, True, threads)


@cache
def check_terms():
    """Hold ours against the oracle; return the share of each peer's documents whose terms are ours."""
    some, few = texts()[::50], texts()[:N_SLOW]
    assert tt.Analyzer("english").analyze_batch(some) == [analyze(text) for text in some]
    ours = tt.Analyzer("english").analyze_batch(few)
    rust = tantivy_analyzer()
    theirs = {
        "tantivy": [rust.analyze(text) for text in few],
        "bm25s": bm25s_tokenize(few, return_ids=False),
    }
    return {
        name: round(sum(a == b for a, b in zip(ours, terms, strict=True)) / len(few), 3)
        for name, terms in theirs.items()
    }


def report(case, size_mb, times, peers=(), **more):
    speeds = [size_mb / t for t in times]
    line = {
        "what": "analyzer",
        "case": case,
        "MB": round(size_mb, 1),
        "MB_per_s": round(statistics.median(speeds), 1),
        "MB_per_s_range": [round(min(speeds), 1), round(max(speeds), 1)],
        "isa": tt.backend().isa,
        "machine": platform.machine(),
        **more,
    }
    for name, (peer_times, peer_mb) in dict(peers).items():
        ratios = [(size_mb / t) / (peer_mb / p) for t, p in zip(times, peer_times, strict=True)]
        speed = statistics.median(peer_mb / p for p in peer_times)
        line[name] = {
            "MB_per_s": round(speed, 1),
            "ratio_of_medians": round(statistics.median(speeds) / speed, 2),
            "ratio_spread": [round(min(ratios), 2), round(max(ratios), 2)],
        }
    print(json.dumps(line))


def test_one_thread_against_the_peers():
    agreement = check_terms()
    documents, few = texts(), texts()[:N_SLOW]
    size, few_size = megabytes(documents), megabytes(few)
    rust = tantivy_analyzer()
    runs = {
        "cold": lambda: read_all(tt.Analyzer("english"), documents),
        "warm": lambda: read_all(warm, documents, vocabulary),
        "tantivy pre_tokenize": lambda: [rust.pre_tokenize(text) for text in few],
        "tantivy analyze": lambda: [rust.analyze(text) for text in few],
        "bm25s": lambda: bm25s_tokenize(few),
    }
    times, cpu = {name: [] for name in runs}, {name: [] for name in runs}
    with one_core():
        limit = read_bandwidth()
        warm, vocabulary = tt.Analyzer("english"), tt.Vocabulary()
        read_all(warm, documents, vocabulary)
        for _ in range(ROUNDS):
            for name, run in runs.items():
                before = time.process_time()
                times[name].append(seconds(run))
                cpu[name].append(time.process_time() - before)
    peers = {name: (times[name], few_size) for name in runs if name not in ("cold", "warm")}
    for case in ("cold", "warm"):
        share = size / 1000 / statistics.median(times[case]) / limit
        speed = {name: (size if name in ("cold", "warm") else few_size) / statistics.median(cpu[name]) for name in cpu}
        report(
            f"{case}, one thread",
            size,
            times[case],
            peers,
            cpu_MB_per_s={name: round(speed[name], 1) for name in (case, *peers)},
            cpu_ratio={name: round(speed[case] / speed[name], 1) for name in peers},
            documents=len(documents),
            documents_equal=agreement,
            share_of_read_bandwidth=round(share, 4),
            read_GB_per_s=round(limit, 1),
        )


@pytest.mark.parametrize("case", ["warm", "cold"])
def test_two_threads_against_one(case):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one core")
    documents = texts()
    size = megabytes(documents)
    warm, vocabulary = tt.Analyzer("english"), tt.Vocabulary()
    read_all(warm, documents, vocabulary, threads=0)
    times = {1: [], 2: []}
    for _ in range(2 * ROUNDS):
        for threads in times:
            fresh = case == "cold"
            analyzer = tt.Analyzer("english") if fresh else warm
            times[threads].append(seconds(read_all, analyzer, documents, None if fresh else vocabulary, threads))
    best = min(times[1]) / min(times[2])
    report(f"{case}, two threads", size, times[2], {"one thread": (times[1], size)}, ratio_of_best=round(best, 2))


@pytest.mark.parametrize("threads", [1, 2])
def test_building_an_index(threads):
    """BM25Index.build from raw text, analysis and inversion together."""
    documents = texts()
    times = [seconds(tt.BM25Index.build, documents, threads=threads) for _ in range(3)]
    report(f"BM25Index.build, {threads} thread(s)", megabytes(documents), times, seconds=round(min(times), 2))


@pytest.mark.quick
def test_short_queries():
    """One query a call: what an index pays before it searches."""
    queries = [text[:40] for text in texts()[:2000]]
    analyzer, vocabulary = tt.Analyzer("english"), tt.Vocabulary()
    read_all(analyzer, texts()[:N_SLOW], vocabulary)
    times = [
        seconds(lambda: [analyzer.term_ids([query], vocabulary, False) for query in queries]) for _ in range(ROUNDS)
    ]
    report("one short query a call", megabytes(queries), times, us_a_query=round(min(times) / len(queries) * 1e6, 1))
