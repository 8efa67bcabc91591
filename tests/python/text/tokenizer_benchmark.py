"""What the benchmarks of the tokenizers share: the texts that they read, one core, and how fast it reads memory."""

import gzip
import json
import lzma
import os
import random
import time
from contextlib import contextmanager
from functools import cache
from itertools import islice

import numpy as np

from real_data import require


@cache
def texts():
    with lzma.open(require("wiki-passages") / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        found = [json.loads(line)["text"] for line in islice(lines, 0, 420_000, 7)]
    with (require("msmarco-passage-32k") / "corpus.jsonl").open(encoding="utf-8") as lines:
        found += [json.loads(line)["text"] for line in lines]
    with gzip.open(require("pubmed-titles") / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        found += [f"{row['title']} {row['text']}" for row in map(json.loads, islice(lines, 0, None, 2))]
    random.Random(0).shuffle(found)
    return found


def megabytes(documents):
    return sum(len(document.encode()) for document in documents) / 1e6


@contextmanager
def one_core():
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def read_bandwidth():
    """GB/s at which one core reads memory: the best of five sums over 256 MB."""
    data = np.ones(1 << 25, np.uint64)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        data.sum()
        times.append(time.perf_counter() - started)
    return data.nbytes / 1e9 / min(times)
