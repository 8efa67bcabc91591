"""FlatIndex against the oracle of dense_oracle.py, bit for bit, over storages, metrics, sizes, k, threads and filters.

The full product of `AXES`, and N = 100,003, for every instruction set of this machine:

    PYTHONPATH=tests/python python tests/python/index/dense_product.py (hours; --part 0 100 is a hundredth)
    (the same) --pairwise (seconds: each pair of values of two axes at least once, and the kinds of CLOSE in full)

test_flat_product.py runs the second. What a storage rounds to is checked in test_flat_storage.py.
"""

import argparse
import itertools
import os
import subprocess
import sys
import time

import numpy as np

import dense_oracle
from twotower.hardware import backend
from twotower.index import FlatIndex
from twotower.index.flat_storage import METRICS, STORAGES

AXES = {
    "storage": tuple(STORAGES),
    "metric": METRICS,
    "n": (0, 1, 7, 8, 15, 16, 17, 47, 48, 49, 1000),
    "dim": (1, 3, 16, 17, 384, 768, 1000),
    "values": ("normal", "ties", "near", "scales", "rogue", "close", "close rows", "hidden"),
    "queries": (1, 2, 7, 8, 31, 32, 33, 257),
    "k": (1, 10, 100, None),  # None: N
    "threads": (1, 2),
    "filtered": (False, True),
}
OF_INDEX = ("storage", "metric", "n", "dim", "values")
LARGE = {"n": 100_003, "dim": 48, "queries": 33}
CLOSE = {"n": 1000, "dim": 384, "k": 10, "threads": 1, "filtered": False}
ASKED_BY = {"close": "close rows", "close rows": "close", "hidden": "hidden queries"}
"""Kinds of vectors whose queries are of another kind."""
GAPS = (2.0**-22, 2.0**-17, 2.0**-12, 2.0**-7)


def make_values(values, n, dim, rng):
    """Vectors [n, dim] of one kind: what is hard for a fast pass."""
    if values.startswith("close"):
        return (make_nearly_cancelling if values == "close rows" else make_mirrored)(n, dim, rng)
    if values.startswith("hidden"):
        return (make_hidden if values == "hidden" else make_seekers)(n, dim, rng)
    x = rng.standard_normal((n, dim))
    match values:
        case "ties":
            x = np.round(x)
        case "near":
            x = 1 + x * 1e-6
        case "scales":
            x *= 10.0 ** rng.uniform(-3, 3, (n, 1))
        case "rogue":
            x[:, 0] *= 50
    if values != "near" and n > 2:
        x[n // 2] = 0
    return x.astype(np.float32)


def make_mirrored(n, dim, rng):
    """Vectors whose halves are equal: integers that every storage and 8-bit codes hold, all of one length."""
    half = dim // 2
    magnitudes = 127 - np.arange(half) * 126 // max(half, 1)
    y = np.array([rng.permutation(magnitudes) for _ in range(n)]).reshape(n, half) * rng.choice([-1, 1], (n, half))
    return np.hstack([y, y, np.zeros((n, dim % 2))]).astype(np.float32)


def make_nearly_cancelling(n, dim, rng):
    """Vectors whose products with mirrored ones are tiny beside their parts: less than fast products are off.

    Vector i leaves about `GAPS`[i % 4] of the parts: below the errors of float32 sums, of those and bfloat16 products, ...
    """
    y = rng.standard_normal((n, dim // 2))
    gaps = np.resize(GAPS, (n, 1)) * rng.standard_normal((n, dim // 2))
    return np.hstack([y, -y * (1 + gaps), np.zeros((n, dim % 2))]).astype(np.float32)


def make_hidden(n, dim, rng):
    """Vectors with a rogue dimension; every second one is lost when it is rounded to 8 bits, and is among the best."""
    x = np.where(np.arange(n)[:, None] % 2, rng.uniform(0.45, 0.49, (n, dim)), rng.random((n, dim)) < 0.3)
    x = x * np.where(np.arange(dim) % 2, 1, -1)
    x[:, 0] = 127
    return x.astype(np.float32)


def make_seekers(n, dim, rng):
    """Queries along the signs of `make_hidden`, which do not ask for the rogue dimension."""
    x = rng.uniform(0.5, 1.5, (n, dim)) * np.where(np.arange(dim) % 2, 1, -1)
    x[:, 0] = 0
    return x.astype(np.float32)


class Cell:
    """One index with the oracle's scores for every query that a case may take."""

    def __init__(self, storage, metric, n, dim, values, n_queries):
        rng = np.random.default_rng([n, dim, AXES["values"].index(values)])
        self.index = FlatIndex.build(make_values(values, n, dim, rng), storage=storage, metric=metric)
        of_queries = ASKED_BY.get(values, values)
        self.queries = make_values(of_queries, n_queries, dim, rng)
        self.allowed = rng.random(n) < 0.6
        self.scores = dense_oracle.scores(self.index.vectors, self.queries, metric)

    def equal(self, queries, k, threads, filtered):
        """Whether one search gives what the oracle does."""
        n = len(self.index)
        allowed = self.allowed if filtered else None
        k = n if k is None else k
        hits = self.index.search(self.queries[:queries], k, threads, where=allowed)
        scores, docs = dense_oracle.best(self.scores[:queries], k, allowed)
        return bool((hits.docs == docs).all() and (hits.scores == scores).all())


def pairwise():
    """Cases that hold each pair of values of two axes at least once: random ones, kept where they bring a new pair."""
    rng = np.random.default_rng(0)
    names = list(AXES)
    wanted = {
        (a, i, b, j)
        for a, b in itertools.combinations(names, 2)
        for i in range(len(AXES[a]))
        for j in range(len(AXES[b]))
    }
    while wanted:
        drawn = [{name: int(rng.integers(len(AXES[name]))) for name in names} for _ in range(30)]
        pairs = [{(a, case[a], b, case[b]) for a, b in itertools.combinations(names, 2)} & wanted for case in drawn]
        chosen = max(range(len(drawn)), key=lambda i: len(pairs[i]))
        if pairs[chosen]:
            wanted -= pairs[chosen]
            yield {name: AXES[name][number] for name, number in drawn[chosen].items()}


def close():
    """Cases that a bound which is too small fails: every storage and metric, row by row and in panels."""
    for storage, metric, values, queries in itertools.product(STORAGES, METRICS, ASKED_BY, (4, 33)):
        yield {"storage": storage, "metric": metric, "values": values, "queries": queries, **CLOSE}


def compare_pairwise():
    """Return the cases that differ, and the number of cases."""
    cases = [*pairwise(), *close()]
    return [case for case in cases if not compare_one(case)], len(cases)


def compare_one(case):
    """Whether one case of the product is equal to the oracle."""
    cell = Cell(*(case[name] for name in OF_INDEX), case["queries"])
    return cell.equal(*(case[name] for name in AXES if name not in OF_INDEX))


def compare_all(part, parts):
    """The same for one of `parts` equal shares of the full product's indexes, and in part 0 the large collection."""
    of_search = [name for name in AXES if name not in OF_INDEX]
    differ, compared = [], 0
    indexes = list(itertools.product(*(AXES[name] for name in OF_INDEX)))
    np.random.default_rng(0).shuffle(indexes)
    for of_index in indexes[part::parts]:
        cell = Cell(*of_index, max(AXES["queries"]))
        for of_one in itertools.product(*(AXES[name] for name in of_search)):
            compared += 1
            if not cell.equal(*of_one):
                differ.append(dict(zip(AXES, (*of_index, *of_one), strict=True)))
    large = itertools.product(AXES["storage"], AXES["metric"], AXES["values"])
    for storage, metric, values in large if part == 0 else ():
        cell = Cell(storage, metric, LARGE["n"], LARGE["dim"], values, LARGE["queries"])
        for queries, k, threads, filtered in itertools.product((1, 33), (10, 1000), (1, 2), (False, True)):
            compared += 1
            if not cell.equal(queries, k, threads, filtered):
                differ.append({"storage": storage, "metric": metric, "values": values, **LARGE, "k": k})
    return differ, compared


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairwise", action="store_true", help="each pair once, instead of all")
    parser.add_argument(
        "--part", type=int, nargs=2, default=(0, 1), metavar=("I", "K"), help="part I of K, I from 0 up"
    )
    parser.add_argument("--isa", help="this one alone (TWOTOWER_ISA is set by this script)")
    arguments = parser.parse_args()
    if arguments.isa is None:
        part = ["--part", *map(str, arguments.part)]
        command = [sys.executable, __file__, *(["--pairwise"] if arguments.pairwise else part), "--isa"]
        codes = [
            subprocess.run([*command, isa], env={**os.environ, "TWOTOWER_ISA": isa}, check=False).returncode
            for isa in backend().isas
        ]
        raise SystemExit(max(codes))
    assert backend().isa == arguments.isa
    differ, compared = compare_pairwise() if arguments.pairwise else compare_all(*arguments.part)
    for case in differ[:20]:
        print("DIFFERENT", case)
    seconds = time.process_time()
    print(
        f"{arguments.isa}: {compared:,} searches, {len(differ)} different, {seconds:.0f} s of processor time",
        flush=True,
    )
    raise SystemExit(1 if differ else 0)


if __name__ == "__main__":
    main()
