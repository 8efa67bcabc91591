"""What exact means, in NumPy alone: float64, dimensions from 0 up, rounded once; best score first, then DocId."""

import numpy as np


def scores(vectors, queries):
    """Float32 [Q, N]."""
    total = np.zeros((len(queries), len(vectors)))
    for d in range(vectors.shape[1]):
        total += queries[:, d, None].astype(np.float64) * vectors[None, :, d].astype(np.float64)
    with np.errstate(over="ignore"):
        return total.astype(np.float32)


def search(vectors, queries, k):
    """(scores [Q, k], docs [Q, k]), padded with -inf and -1."""
    all_scores = scores(vectors, queries)
    order = np.argsort(-all_scores, axis=1, kind="stable")[:, :k]
    missing = k - order.shape[1]
    return (
        np.pad(np.take_along_axis(all_scores, order, 1), [(0, 0), (0, missing)], constant_values=-np.inf),
        np.pad(order, [(0, 0), (0, missing)], constant_values=-1),
    )


def adversarial(name, rng):
    """(vectors, queries) on which a float32 search goes wrong, by name."""
    x = rng.standard_normal((3000, 24)).astype(np.float32)
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
                x, q = x * np.float32(1e-25), q * np.float32(1e-20)
            case "mixed scales":
                x = (x * 10.0 ** rng.uniform(-38, 37, (len(x), 1))).astype(np.float32)
            case "mixed dimensions":
                x = (x * 10.0 ** rng.uniform(-20, 20, (1, 24))).astype(np.float32)
            case "cancellation":
                x[:, 12:], q[:, 12:] = -x[:, :12], q[:, :12] * np.float32(1 + 2.0**-22)
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
