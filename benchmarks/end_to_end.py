"""How long do an index and a tower take from raw text? For comparing two versions of the package.

Data      100,000 passages of wiki-passages (34.8 MB) for BM25, 20,000 abstracts of pubmed-titles (20.5 MB) for an average tower over
          words (256 dimensions).
Measure   Processor time of one process on one thread, medians. Run both versions in turn, twice or more.
Command   PYTHONPATH=<tree with its extension built>/python python benchmarks/end_to_end.py $DATA
"""

import gzip
import json
import lzma
import statistics
import sys
import time
from itertools import islice
from pathlib import Path

import torch

import twotower as tt
from twotower.text import Analyzer, Vocabulary
from twotower.towers import TwoTower


def seconds(run, rounds):
    """Return the median processor time of `run`."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return round(statistics.median(times), 3)


def main():
    """Print one JSON line."""
    torch.set_num_threads(1)
    data = Path(sys.argv[1])
    with lzma.open(data / "wiki-passages" / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        passages = [json.loads(line)["text"] for line in islice(lines, 100_000)]
    with gzip.open(data / "pubmed-titles" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        abstracts = [json.loads(line)["text"] for line in islice(lines, 20_000)]
    vocabulary = Vocabulary.count(abstracts, Analyzer("english"), min_count=2)

    def tower():
        return TwoTower.average(vocabulary, Analyzer("english"), dim=256)

    warm = tower()
    warm.encode_documents(abstracts)
    found = {
        "bm25_build_s": seconds(lambda: tt.BM25Index.build(passages, threads=1), 3),
        "count_vocabulary_s": seconds(lambda: Vocabulary.count(abstracts, Analyzer("english"), min_count=2), 3),
        "encode_cold_s": seconds(lambda: tower().encode_documents(abstracts), 5),
        "encode_warm_s": seconds(lambda: warm.encode_documents(abstracts), 5),
        "of_that_reading_s": seconds(lambda: warm.reader.read(abstracts), 5),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
