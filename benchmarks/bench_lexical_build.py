"""Question: how fast does raw text become a saved BM25 index, how large is it, and how much memory does that take?

Data: wiki-passages; S its first 50,000 passages, M all 438,943, L with the sentences of pubmed-titles behind them. Title and
text are one string. No document ids. One core: every process is bound to it, one thread each.
Baselines: tantivy, tokenizer en_stem (its English stemmer, no stop words), index option "freq", nothing stored, a writer of one
thread with 500 MB, commit and merges waited for; bm25s with PyStemmer and its English stop words, tokenize, index and save.
Each build is a process of its own, the systems in turn; texts are in memory before the clock starts. CPU seconds stand beside
seconds of the clock, because others use the machine too; memory is the peak above what the texts and libraries took.
Answers are checked first, on S: the number of documents and the df of 100 terms against a count in plain Python of what each
system's own analyzer gives. A second row has the same terms for all: tantivy gets ours, split at spaces.
Command: pytest benchmarks/bench_lexical_build.py -s   (S and M, minutes; TWOTOWER_LARGE=1: L too)
"""

import gzip
import json
import lzma
import os
import platform
import re
import statistics
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

import twotower as tt
from real_data import require
from twotower.index.bm25 import BM25Index
from twotower.text import Analyzer

tantivy = pytest.importorskip("tantivy", reason="the peer tantivy is absent: pip install '.[bench]'")
bm25s = pytest.importorskip("bm25s", reason="the peer bm25s is absent: pip install '.[bench]'")

pytestmark = pytest.mark.data
ROUNDS = {"S": 5, "M": 3, "L": 3}
SIZES = {"S": 50_000, "M": 438_943, "L": None}

COMMON = """
    import json, os, sys, time
    from pathlib import Path

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    texts_path, folder, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    with open(texts_path) as file:
        texts = [json.loads(line) for line in file]

    def peak():
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def measured(build):
        Path("/proc/self/clear_refs").write_text("5")
        before, clock, cpu = peak(), time.perf_counter(), time.process_time()
        build()
        row = {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu, "memory": peak() - before}
        row["disk"] = sum(path.stat().st_size for path in Path(folder).iterdir())
        print(json.dumps(row))
"""
SYSTEMS = {
    "twotower": """
    from twotower.index.bm25 import BM25Index

    def build():
        BM25Index.build_to(folder, texts, threads=1, **options)

    measured(build)
    """,
    "tantivy": """
    import tantivy

    def build():
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("body", stored=False, tokenizer_name=options["tokenizer"], index_option="freq")
        index = tantivy.Index(schema.build(), path=folder)
        writer = index.writer(500_000_000, 1)
        for text in texts:
            document = tantivy.Document()
            document.add_text("body", text)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()

    measured(build)
    """,
    "bm25s": """
    import Stemmer
    import bm25s

    def build():
        tokens = bm25s.tokenize(texts, stopwords="en", stemmer=Stemmer.Stemmer("english"), show_progress=False)
        index = bm25s.BM25(method="lucene", k1=0.9, b=0.4)
        index.index(tokens, show_progress=False)
        index.save(folder, show_progress=False)

    measured(build)
    """,
}


def wiki_texts():
    with lzma.open(require("wiki-passages") / "corpus.jsonl.xz", "rt") as file:
        for row in map(json.loads, file):
            yield f"{row['title']} {row['text']}"


def pubmed_sentences():
    with gzip.open(require("pubmed-titles") / "corpus.jsonl.gz", "rt") as file:
        for row in map(json.loads, file):
            yield from re.split(r"(?<=[.!?])\s+(?=[A-Z])", row["text"])


def first_texts(size):
    wiki = wiki_texts()
    if SIZES[size] is None:
        return [*wiki, *pubmed_sentences()]
    return [next(wiki) for _ in range(SIZES[size])]


@pytest.fixture(scope="module", params=["S", "M", "L"])
def corpus(request, tmp_path_factory):
    """Path of the texts as JSON lines, their number and bytes."""
    if request.param == "L" and not os.environ.get("TWOTOWER_LARGE"):
        pytest.skip("L takes minutes: set TWOTOWER_LARGE=1")
    texts = first_texts(request.param)
    path = tmp_path_factory.mktemp("texts") / "texts.jsonl"
    path.write_text("".join(json.dumps(text) + "\n" for text in texts))
    return request.param, path, len(texts), sum(len(text.encode()) for text in texts)


def build_once(system, path, folder, **options):
    folder.mkdir()
    code = textwrap.dedent(COMMON) + textwrap.dedent(SYSTEMS[system])
    command = [sys.executable, "-c", code, path, folder, json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def medians(rows):
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def spread(ours, theirs, name):
    ratios = sorted(b[name] / a[name] for a, b in zip(ours, theirs, strict=True))
    return [round(ratios[0], 2), round(ratios[-1], 2)]


def dfs_of(documents):
    counts = Counter(term for document in documents for term in set(document))
    every = max(1, len(counts) // 100)
    return dict(sorted(counts.items())[::every][:100])


def test_counts_are_right(tmp_path):
    texts = first_texts("S")
    index = BM25Index.build(texts, threads=1)
    assert len(index) == len(texts)
    for term, df in dfs_of(Analyzer("english").analyze_batch(texts)).items():
        assert len(index.postings(term)[1]) == df, term
    (tmp_path / "texts").write_text("".join(json.dumps(text) + "\n" for text in texts))
    build_once("tantivy", tmp_path / "texts", tmp_path / "tantivy", tokenizer="en_stem")
    peer = tantivy.Index.open(str(tmp_path / "tantivy")).searcher()
    assert peer.num_docs == len(texts)
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for part in (tantivy.Filter.remove_long(40), tantivy.Filter.lowercase(), tantivy.Filter.stemmer("english")):
        builder = builder.filter(part)
    analyzer = builder.build()
    for term, df in dfs_of(analyzer.analyze(text) for text in texts).items():
        assert peer.doc_freq("body", term) == df, term


def rows_of(corpus, tmp_path, runs):
    """Build in turn, as often as `ROUNDS` says; one list of rows for each run."""
    found = {name: [] for name in runs}
    for turn in range(ROUNDS[corpus[0]]):
        for name, (system, options) in runs.items():
            found[name].append(build_once(system, corpus[1], tmp_path / f"{name}-{turn}", **options))
    return found


def test_raw_text_to_saved_index(corpus, tmp_path):
    size, _, n_texts, n_bytes = corpus
    runs = {"twotower": ("twotower", {}), "tantivy": ("tantivy", {"tokenizer": "en_stem"}), "bm25s": ("bm25s", {})}
    rows = rows_of(corpus, tmp_path, runs)
    for name, own in rows.items():
        middle = medians(own)
        line = {
            "benchmark": "raw text to saved index, one core",
            "corpus": size,
            "documents": n_texts,
            "text_mb": round(n_bytes / 1e6, 1),
            "system": name,
            "mb_per_s": round(n_bytes / 1e6 / middle["seconds"], 1),
            "mb_per_cpu_s": round(n_bytes / 1e6 / middle["cpu_seconds"], 1),
            "disk_mb": round(middle["disk"] / 1e6, 2),
            "peak_memory_mb": round(middle["memory"] / 1e6),
            "rounds": len(own),
            "isa": tt.backend().isa,
            "machine": platform.processor() or platform.machine(),
        }
        if name != "twotower":
            line["cpu_ratio_of_medians"] = round(middle["cpu_seconds"] / medians(rows["twotower"])["cpu_seconds"], 2)
            line["cpu_ratio_spread"] = spread(rows["twotower"], own, "cpu_seconds")
            line["clock_ratio_of_medians"] = round(middle["seconds"] / medians(rows["twotower"])["seconds"], 2)
            line["clock_ratio_spread"] = spread(rows["twotower"], own, "seconds")
        print("\n" + json.dumps(line))


def test_size_with_the_same_terms(corpus, tmp_path):
    size, path, n_texts, _ = corpus
    analyzer = Analyzer("english")
    same = tmp_path / "terms.jsonl"
    with path.open() as file, same.open("w") as out:
        for line in file:
            out.write(json.dumps(" ".join(analyzer.analyze(json.loads(line)))) + "\n")
    ours = build_once("twotower", path, tmp_path / "twotower")
    theirs = build_once("tantivy", same, tmp_path / "tantivy", tokenizer="whitespace")
    by_kind = Counter()
    for file in Path(tmp_path / "tantivy").iterdir():
        by_kind[file.suffix] += file.stat().st_size
    line = {
        "benchmark": "size on disk, same terms, no ids",
        "corpus": size,
        "documents": n_texts,
        "twotower_mb": round(ours["disk"] / 1e6, 2),
        "tantivy_mb": round(theirs["disk"] / 1e6, 2),
        "tantivy_mb_without_its_empty_store": round((theirs["disk"] - by_kind[".store"]) / 1e6, 2),
        "ratio": round(ours["disk"] / theirs["disk"], 3),
        "ratio_without_store": round(ours["disk"] / (theirs["disk"] - by_kind[".store"]), 3),
    }
    print("\n" + json.dumps(line))


def test_memory_limits(corpus, tmp_path):
    size, path, n_texts, _ = corpus
    for limit in (None, 400 << 20, 200 << 20):
        row = build_once("twotower", path, tmp_path / str(limit), memory_limit=limit)
        line = {
            "benchmark": "build under a memory limit",
            "corpus": size,
            "documents": n_texts,
            "limit_mb": limit and limit / 1e6,
        }
        print("\n" + json.dumps({**line, **{name: round(value, 2) for name, value in row.items()}}))
        assert limit is None or row["memory"] <= limit
