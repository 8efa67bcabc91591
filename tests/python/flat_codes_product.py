"""FlatCodesIndex against the oracle over sizes around every block, and on hostile numbers.

    python tests/python/flat_codes_product.py [share]     # every combination of sizes, or a random share of them

Each instruction set is a process of its own: set TWOTOWER_ISA. Legend: N documents, D dimensions, Q queries, K results.
"""

import itertools
import sys

import numpy as np

import dense_oracle
import twotower as tt
from twotower.index import FlatCodesIndex

ALL = "N"  # as many results as documents
SIZES = (
    (0, 1, 7, 8, 15, 16, 17, 47, 48, 49, 1000),  # N
    (1, 3, 16, 17, 384, 768, 1000),  # D
    (1, 2, 31, 32, 33, 257),  # Q
    (1, 10, 100, ALL),  # K
    (1, 2),  # threads
)
HOSTILE = (
    *dense_oracle.ADVERSARIAL,
    "embeddings",
    "off centre",
    "one rogue dimension",
    "constants",
    "spikes",
    "three dimensions",
)


def pairwise(seed):
    """Cases in which every two sizes occur together; a greedy choice among random ones."""
    rng = np.random.default_rng(seed)
    missing = {
        (i, a, j, b) for i, j in itertools.combinations(range(len(SIZES)), 2) for a in SIZES[i] for b in SIZES[j]
    }
    cases = []
    while missing:
        i, a, j, b = min(missing, key=str)
        tries = []
        for _ in range(30):
            case = [sizes[rng.integers(len(sizes))] for sizes in SIZES]
            case[i], case[j] = a, b
            tries.append(case)
        best = max(tries, key=lambda case: len(missing & _pairs(case)))
        missing -= _pairs(best)
        cases.append(tuple(best))
    return cases


def _pairs(case):
    return {(i, case[i], j, case[j]) for i, j in itertools.combinations(range(len(case)), 2)}


def hostile(name, rng=None):
    """(vectors, queries) by name: those of the oracle, and some on which codes go wrong."""
    rng = rng or np.random.default_rng(0)
    x, q = rng.standard_normal((2500, 48)).astype(np.float32), rng.standard_normal((11, 48)).astype(np.float32)
    match name:
        case "embeddings":  # normalised, and each query near one document
            x += x[rng.integers(0, 50, len(x))]
            x /= np.linalg.norm(x, axis=1, keepdims=True)
            q = x[: len(q)] + np.float32(0.02) * q
        case "off centre":
            x += np.float32(1000)
        case "one rogue dimension":
            x[:, 7] *= np.float32(1e6)
        case "constants":
            x[:] = rng.standard_normal((len(x), 1))
            q[::2] = 1
        case "three dimensions":  # errors come near their bound
            x, q = x[:, :3].copy(), q[:, :3].copy()
        case "spikes":
            x = np.eye(48, dtype=np.float32)[rng.integers(0, 48, len(x))] * x
            q = np.eye(48, dtype=np.float32)[:11]
        case _:
            return dense_oracle.adversarial(name, rng)
    return x, q


def check(vectors, queries, k, threads=1, index=None):
    """Compare documents, scores and types with the oracle."""
    hits = (index or FlatCodesIndex.build(vectors)).search(queries, k=k, threads=threads)
    scores, docs = dense_oracle.search(vectors, queries, k)
    np.testing.assert_array_equal(hits.docs, docs)
    np.testing.assert_array_equal(hits.scores, scores)
    assert hits.scores.dtype == np.float32
    assert hits.docs.dtype == np.int64


def check_intervals(vectors, queries, index=None, stages=(True, False)):
    """Every score of the definition, before it is rounded to float32, lies in its intervals: by halves, and by bytes."""
    codes = (index or FlatCodesIndex.build(vectors))._codes
    total = np.zeros((len(queries), len(vectors)))
    for d in range(vectors.shape[1]):
        total += queries[:, d, None].astype(np.float64) * vectors[None, :, d].astype(np.float64)
    for coarse in stages:
        lower, upper = codes.intervals(np.ascontiguousarray(queries), coarse)
        assert (lower <= total).all()
        assert (total <= upper).all()


def check_case(n, dim, n_queries, k, threads):
    """One case of `SIZES`."""
    rng = np.random.default_rng(n + dim)
    vectors, queries = rng.standard_normal((n, dim), np.float32), rng.standard_normal((n_queries, dim), np.float32)
    check(vectors, queries, n if k == ALL else k, threads)


def main():
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    rng = np.random.default_rng(0)
    cases = [case for case in itertools.product(*SIZES) if rng.random() < share]
    for case in cases:
        check_case(*case)
    for name in HOSTILE:
        check_intervals(*hostile(name))
    print(f"{tt.backend().isa}: {len(cases)} cases and the intervals of {len(HOSTILE)} hostile sets agree")


if __name__ == "__main__":
    main()
