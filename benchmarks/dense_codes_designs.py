"""Question: which code of a vector leaves the fewest bytes to read for an exact answer?

Each design gives every row an interval that surely contains its score. Printed: bytes a row, the mean half-width of the interval, and
the share of rows whose upper end reaches the exact k-th best score (so the threshold is perfect; a search's is a little lower).
NumPy alone, float64. Legend: N rows, D dimensions, Q queries, G groups of dimensions with an error norm each.

    python benchmarks/dense_codes_designs.py VECTORS.npy QUERIES.npy [--rows 40000] [--queries 64]
    python benchmarks/dense_codes_designs.py 40000x768                       # independent normal numbers
    python benchmarks/dense_codes_designs.py VECTORS.npy QUERIES.npy --rows 100000 --prefixes

`--prefixes` asks what a batch could skip: whole bytes of the first dimensions by PCA, and the norm of the others. Printed for each
number of dimensions: the share of the rows' length that they hold; the rows that they leave to a query where the threshold is perfect,
and where it is the k-th best of the rows before, as in a scan; tiles of 8 rows and 16 queries with such a row; and the rows that
upper halves of all dimensions leave to a single query when both parts are rotated for themselves.
"""

import argparse
import itertools

import numpy as np

KS = (1, 10, 100)
CLIPS = (
    0.27,
    0.35,
    0.45,
    0.55,
    0.65,
    0.75,
    0.85,
    1.0,
)  # of a row's greatest dimension: the best step of few bits is found by trying
STEPS = {
    2: 0.9957,
    3: 0.586,
    4: 0.3352,
    5: 0.1881,
    6: 0.1041,
    8: 0.0308,
}  # the best uniform step of a normal variable, in sigmas


def by_row(rows, bits):
    """Each row rounded with a step of its own."""
    half = 2 ** (bits - 1)
    greatest = np.abs(rows).max(1, keepdims=True)
    best, least = None, None
    for clip in (1.0,) if bits == 8 else CLIPS:
        step = np.maximum(greatest * clip / (half - 0.5), 1e-300)
        near = step * np.clip(np.floor(rows / step) + 0.5, 0.5 - half, half - 0.5)
        error = ((rows - near) ** 2).sum(1, keepdims=True)
        best = near if best is None else np.where(error < least, near, best)
        least = error if least is None else np.minimum(error, least)
    return best


def by_dimension(rows, bits):
    """Each dimension rounded with a step of its own; `bits` [D], 0 drops one."""
    near = np.zeros_like(rows)
    for width in sorted(set(bits.tolist()) - {0}):
        chosen = np.flatnonzero(bits == width)
        half, step = 2 ** (width - 1), rows[:, chosen].std(0) * STEPS[width]
        near[:, chosen] = step * np.clip(np.floor(rows[:, chosen] / step) + 0.5, 0.5 - half, half - 0.5)
    return near


class Table:
    def __init__(self, rows, queries):
        self.exact = queries @ rows.T
        self.kth = {k: np.partition(self.exact, -k, axis=1)[:, -k, None] for k in KS}

    def add(self, name, n_bytes, rows, queries, near, offset, groups=1):
        ends = np.linspace(0, rows.shape[1], groups + 1).astype(int)
        width = sum(
            np.linalg.norm(queries[:, a:b], axis=1)[:, None] * np.linalg.norm((rows - near)[:, a:b], axis=1)
            for a, b in itertools.pairwise(ends)
        )
        middle = queries @ near.T + offset
        assert (np.abs(self.exact - middle) <= width + 1e-9).all()
        shares = " ".join(f"{100 * (middle + width >= self.kth[k]).mean():9.4f} %" for k in KS)
        print(f"{name:42s} {n_bytes:6.0f} {width.mean():8.4f} {shares}", flush=True)


def rotations(rows, queries):
    """(name, rows, queries, offset) of each space in which codes are made."""
    mean = rows.mean(0)
    offset, centred = (queries @ mean)[:, None], rows - mean
    random = np.linalg.qr(np.random.default_rng(0).standard_normal((rows.shape[1],) * 2))[0]
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    yield "as it is", rows, queries, 0.0
    yield "centred", centred, queries, offset
    yield "random rotation", centred @ random, queries @ random, offset
    yield "PCA", centred @ axes, queries @ axes, offset


def turned(part, rng):
    """A random rotation [part, part]."""
    return np.linalg.qr(rng.standard_normal((part, part)))[0] if part else np.zeros((0, 0))


def stream_thresholds(scores, k, block=480):
    """The k-th best of the rows before each block, [Q, N]."""
    kth, best = np.empty_like(scores), np.full((len(scores), k), -np.inf)
    for start in range(0, scores.shape[1], block):
        kth[:, start : start + block] = best.min(1)[:, None]
        best = -np.sort(-np.hstack([best, scores[:, start : start + block]]), axis=1)[:, :k]
    return kth


def prefixes(rows, queries, k=10, query_error=2**-7):
    """Print what each size of a prefix leaves; `query_error` is what the rounding of a query counts of its norm."""
    rng, dim = np.random.default_rng(0), rows.shape[1]
    rows, queries = list(rotations(rows, queries))[-1][1:3]
    exact = queries @ rows.T
    perfect, stream = np.partition(exact, -k, axis=1)[:, -k, None], stream_thresholds(exact, k)
    print(f"{'dims':>5s} {'length':>8s} {'perfect':>10s} {'in a scan':>10s} {'tiles':>10s} {'one query':>10s}")
    for size in sorted({dim * part // 24 // 8 * 8 for part in (12, 13, 14, 15, 16, 18, 20, 24)}):
        axes = np.zeros((dim, dim))
        axes[:size, :size], axes[size:, size:] = turned(size, rng), turned(dim - size, rng)
        x, q = rows @ axes, queries @ axes
        near, halves = by_row(x, 8), by_row(x, 4)

        def upper(code, n, x=x, q=q):
            error, length = np.linalg.norm((x - code)[:, :n], axis=1), np.linalg.norm(x[:, :n], axis=1)
            middle = q[:, :n] @ code[:, :n].T
            middle += np.outer(np.linalg.norm(q[:, :n], axis=1), error + query_error * (length + error))
            middle += np.outer(np.linalg.norm(q[:, n:], axis=1), np.linalg.norm(x[:, n:], axis=1))
            return middle

        ends = upper(near, size)
        left = ends >= stream
        tiles = left[: len(left) // 16 * 16, : left.shape[1] // 8 * 8].reshape(len(left) // 16, 16, -1, 8).any((1, 3))
        length = (x[:, :size] ** 2).sum() / (x**2).sum()
        shares = ((ends >= perfect).mean(), left.mean(), tiles.mean(), (upper(halves, dim) >= perfect).mean())
        print(f"{size:5d} {100 * length:6.1f} % " + " ".join(f"{100 * share:8.3f} %" for share in shares), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="+")
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--queries", type=int, default=64)
    parser.add_argument("--prefixes", action="store_true")
    options = parser.parse_args()
    if len(options.data) == 2:
        rows, queries = (np.load(path, mmap_mode="r") for path in options.data)
    else:
        n, dim = map(int, options.data[0].split("x"))
        rng = np.random.default_rng(1)
        rows, queries = rng.standard_normal((n, dim)) / dim**0.5, rng.standard_normal((options.queries, dim)) / dim**0.5
    rows, queries = rows[: options.rows].astype(np.float64), queries[: options.queries].astype(np.float64)
    if options.prefixes:
        prefixes(rows, queries)
        return
    table, dim = Table(rows, queries), rows.shape[1]
    print(
        f"{options.data} {rows.shape}\n{'design':42s} {'bytes':>6s} {'width':>8s} "
        + " ".join(f"{'k=' + str(k):>11s}" for k in KS)
    )
    for name, of_rows, of_queries, offset in rotations(rows, queries):
        for bits in (8, 6, 5, 4, 2, 1) if name == "random rotation" else (8, 4):
            table.add(f"{name}, {bits} bits", dim * bits / 8, of_rows, of_queries, by_row(of_rows, bits), offset)
    for share, bits in ((1 / 3, 8), (1 / 2, 8), (2 / 3, 8), (1 / 2, 4), (3 / 4, 4)):
        first = int(dim * share)
        near = np.hstack([by_row(of_rows[:, :first], bits), np.zeros((len(rows), dim - first))])
        table.add(
            f"PCA, first {first} at {bits} bits, tail norms", first * bits / 8, of_rows, of_queries, near, offset, 12
        )
    for plan in (
        (4,) * 8,
        (5, 5, 4, 4, 4, 4, 3, 3),
        (8, 4, 4, 4, 4, 4, 2, 2),
        (4, 4, 4, 4, 4, 4, 0, 0),
        (8, 4, 4, 4, 2, 2, 2, 2),
    ):
        bits = np.repeat(plan, dim // 8)
        near = by_dimension(of_rows[:, : len(bits)], bits)
        near = np.hstack([near, np.zeros((len(rows), dim - len(bits)))])
        table.add(f"PCA, bits {' '.join(map(str, plan))}, G=8", bits.sum() / 8, of_rows, of_queries, near, offset, 8)


if __name__ == "__main__":
    main()
