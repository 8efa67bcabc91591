"""Every query algorithm against the oracle "exhaustive": the same documents and scores, bit for bit.

The full product is every query of scifact, cranfield, cacm and msmarco-passage-32k x every variant and tf-idf x k in
{1, 10, 100, 1000, N}, and 2,000 random corpora, for every instruction set of this machine:

    PYTHONPATH=tests/python python tests/python/index/lexical_product.py (10 to 15 minutes an instruction set)
    (the same) --pairwise (under a minute: each pair of collection, variant and k once)

test_lexical_algorithms.py runs the second. "exhaustive" itself is compared with plain Python in test_lexical_oracle.py.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

from random_corpora import random_corpus
from real_data import require
from twotower.hardware import backend
from twotower.index import BM25Index, HashedNgramIndex, TfidfIndex
from twotower.index.native import core
from twotower.text import Analyzer

COLLECTIONS = ("scifact", "cranfield", "cacm", "msmarco-passage-32k")
METHODS = (*core.bm25_variants(), "tfidf", "tfidf Lnu.ltu", "tfidf apn.dtc", "hashed")
KS = (1, 10, 100, 1000, None)  # None: N
CELLS = 2_000_000  # of one search: bounds the memory where k is N


def algorithms():
    return ["auto", *(name for name in core.query_algorithms() if name != "exhaustive")]


def build(terms, method, **bm25):
    """Return an index; "tfidf" may name SMART letters. Hashed n-grams are made of terms as they are, by their weights alone."""
    name, _, smart = method.partition(" ")
    if name == "tfidf":
        return TfidfIndex.build(terms, smart=smart or "ltc.ltc")
    if name == "hashed":
        return HashedNgramIndex.build(terms)
    return BM25Index.build(terms, **({"variant": method, "k1": 1.2, "b": 0.75} | bm25))


def compare(index, queries, k, where=None):
    """Return how many queries differ from the oracle, over all algorithms, and the number of comparisons."""
    k = len(index) if k is None else k
    step = max(1, CELLS // max(k, 1))
    differ = compared = 0
    for first in range(0, len(queries), step):
        some = queries[first : first + step]
        expected = index.search(some, k, algorithm="exhaustive", where=where)
        for name in algorithms():
            hits = index.search(some, k, algorithm=name, where=where)
            same = (hits.docs == expected.docs).all(1) & (hits.scores == expected.scores).all(1)
            differ += int((~same).sum())
            compared += len(some)
    return differ, compared


def read(name):
    """Return the terms of a collection's documents and of its queries."""
    analyzer = Analyzer("english")
    texts = {}
    for part in ("corpus", "queries"):
        with (require(name) / f"{part}.jsonl").open() as file:
            rows = map(json.loads, file)
            texts[part] = [f"{row['title']} {row['text']}" if row.get("title") else row["text"] for row in rows]
    return analyzer.analyze_batch(texts["corpus"]), analyzer.analyze_batch(texts["queries"])


def check_collections(pairwise):
    """Yield (what was compared, differences, comparisons)."""
    for c, name in enumerate(COLLECTIONS):
        documents, queries = read(name)
        for m, method in enumerate(METHODS):
            index = None
            for i, k in enumerate(KS):
                if pairwise and (m + i) % len(COLLECTIONS) != c:
                    continue
                index = index or build(documents, method)
                some = queries[: 10 if k is None else 60] if pairwise else queries
                yield (name, method, k or "N"), *compare(index, some, k)


def check_random(n_corpora, seed=0):
    """Return differences and comparisons over random corpora, variants, options and filters."""
    random = np.random.default_rng(seed)
    differ = compared = 0
    for number in range(n_corpora):
        documents, queries = random_corpus(random)
        method = METHODS[number % len(METHODS)]
        index = build(documents, method, k1=random.uniform(0, 3), b=random.uniform(0, 1))
        where = random.random(len(documents)) < 0.3 if number % 4 == 0 else None
        for k in KS:
            more, of = compare(index, queries, k, where)
            differ, compared = differ + more, compared + of
    return differ, compared


def run(pairwise, check_collections, check_random):
    """Print what each part compared, and return how many answers differ."""
    started, differ, compared = time.perf_counter(), 0, 0
    for what, more, of in check_collections(pairwise):
        differ, compared = differ + more, compared + of
        if more or not pairwise:
            print(json.dumps({"part": what, "comparisons": of, "different": more}), flush=True)
    more, of = check_random(60 if pairwise else 2000)
    result = {
        "isa": backend().isa,
        "collections": {"comparisons": compared, "different": differ},
        "random_corpora": {"comparisons": of, "different": more},
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(result), flush=True)
    return differ + more


def main(script, description, check_collections, check_random):
    """Run a script's checks on every instruction set, each in a process of its own; return the exit code."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairwise", action="store_true")
    parser.add_argument("--one-isa", action="store_true", help="only the one in use")
    args = parser.parse_args()
    if args.one_isa:
        return 1 if run(args.pairwise, check_collections, check_random) else 0
    command = [sys.executable, script, "--one-isa", *(["--pairwise"] if args.pairwise else [])]
    codes = [subprocess.run(command, env={**os.environ, "TWOTOWER_ISA": isa}).returncode for isa in core.isa_names()]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(__file__, __doc__, check_collections, check_random))
