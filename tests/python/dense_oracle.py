"""What exact means, in NumPy alone: float64, dimensions from 0 up, rounded once; best score first, then DocId."""

import numpy as np


def scores(vectors, queries, metric="inner_product"):
    """Float32 [Q, N]."""
    x, q = vectors.astype(np.float64), queries.astype(np.float64)
    total = np.zeros((len(q), len(x)))
    squares = [np.zeros(len(q)), np.zeros(len(x))]
    for d in range(x.shape[1]):
        if metric == "l2":
            total += (q[:, d, None] - x[None, :, d]) ** 2
        else:
            total += q[:, d, None] * x[None, :, d]
            squares[0] += q[:, d] ** 2
            squares[1] += x[:, d] ** 2
    if metric == "cosine":
        roots = np.sqrt(squares[0])[:, None] * np.sqrt(squares[1])[None]
        total = np.where(roots == 0, 0, total / np.where(roots == 0, 1, roots))
    with np.errstate(over="ignore"):
        return (0 - total if metric == "l2" else total).astype(np.float32)


def search(vectors, queries, k, metric="inner_product", allowed=None):
    """(scores [Q, k], docs [Q, k]), padded with -inf and -1; `allowed` is None or bool [N]."""
    return best(scores(vectors, queries, metric), k, allowed)


def best(all_scores, k, allowed=None):
    """The best k of float32 [Q, N], as `search` returns them."""
    docs = np.arange(all_scores.shape[1]) if allowed is None else np.flatnonzero(allowed)
    all_scores = all_scores[:, docs]
    order = np.argsort(-all_scores, axis=1, kind="stable")[:, :k]
    missing = k - order.shape[1]
    return (
        np.pad(np.take_along_axis(all_scores, order, 1), [(0, 0), (0, missing)], constant_values=-np.inf),
        np.pad(docs[order], [(0, 0), (0, missing)], constant_values=-1),
    )


def adversarial(name, rng):
    """(vectors, queries) on which a float32 search goes wrong, by name."""
    x = rng.standard_normal((6000, 24)).astype(np.float32)
    q = rng.standard_normal((11, 24)).astype(np.float32)
    with np.errstate(over="ignore"):
        match name:
            case "random":
                pass
            case "duplicates":
                x = x[rng.integers(0, 40, len(x))]
            case "all equal":
                x[:] = x[0]
            case "last bits":
                x = (1 + rng.integers(0, 3, x.shape) * 2.0**-23).astype(np.float32)
            case "large norms":
                x[::3] *= np.float32(1e20)
                q[::2] *= np.float32(1e20)
            case "overflow":
                x, q = np.clip(x, -3, 3) * np.float32(1e38), q * np.float32(2)
            case "denormals":
                x, q = x * np.float32(1e-42), q
            case "products underflow":
                x, q = np.abs(x) * np.float32(2.0**-75), np.abs(q) * np.float32(2.0**-75)
            case "mixed scales":
                x = (x * 10.0 ** rng.uniform(-38, 37, (len(x), 1))).astype(np.float32)
            case "mixed dimensions":
                x = (x * 10.0 ** rng.uniform(-20, 20, (1, 24))).astype(np.float32)
            case "cancellation":
                x[:, 12:] = np.float32(1e-6) * x[:, 12:] - x[:, :12]
                q[:, 12:] = q[:, :12]
            case "zero queries":
                q[::2] = 0
            case _:
                raise AssertionError(name)
    assert np.isfinite(x).all()
    assert np.isfinite(q).all()
    return x, q


ADVERSARIAL = (
    "random",
    "duplicates",
    "all equal",
    "last bits",
    "large norms",
    "overflow",
    "denormals",
    "products underflow",
    "mixed scales",
    "mixed dimensions",
    "cancellation",
    "zero queries",
)
