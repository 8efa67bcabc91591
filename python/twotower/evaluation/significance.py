"""How sure a mean difference is: resampled queries, flipped signs, several tests at once.

Columns are differences to be judged at once on the same resamples, so that the figures of one do not depend on what else stands
in the table. Legend: Q queries, M differences.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
_CELLS = 4_000_000  # random numbers held at once


def bootstrap_intervals(
    paired: Values, n_resamples: int, confidence: float, rng: np.random.Generator
) -> tuple[Values, Values]:
    """Return the lower and upper ends [M] of the percentile bootstrap intervals of the column means of `paired` [Q, M].

    Notes
    -----
    A resample draws Q queries with replacement; only how often each was drawn matters, which makes it one product of matrices.
    """
    n = len(paired)
    means = []
    for size in _blocks(n_resamples, n):
        drawn = rng.integers(n, size=(size, n)) + np.arange(size)[:, np.newaxis] * n
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means.append(times.astype(np.float64) @ paired / n)
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail], axis=0)
    return low, high


def randomisation_p(paired: Values, n_resamples: int, rng: np.random.Generator) -> Values:
    """Return for each column of `paired` [Q, M] how often flipping signs at random gives a mean as far from 0; [M].

    The observed signs count as one of the flips, so that no p-value is 0.
    """
    n = len(paired)
    total = paired.sum(axis=0)
    # Equal sums may differ in the last bits with the order of addition; a tie must count.
    observed = np.abs(total) - 1e-12 * np.abs(paired).sum(axis=0)
    extreme = np.ones(paired.shape[1])
    for size in _blocks(n_resamples, n):
        bits = rng.integers(256, size=(size, (n + 7) // 8), dtype=np.uint8)
        kept = np.unpackbits(bits, axis=1, count=n).astype(np.float64)
        extreme += (np.abs(2 * (kept @ paired) - total) >= observed).sum(axis=0)
    return extreme / (n_resamples + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down corrected p-values, in the given order.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for step, at in enumerate(order.tolist()):
        highest = max(highest, min(1.0, p_values[at] * (len(p_values) - step)))
        corrected[at] = highest
    return corrected


def _blocks(n_resamples: int, n_queries: int) -> Iterator[int]:
    step = max(1, _CELLS // n_queries)
    return (min(step, n_resamples - start) for start in range(0, n_resamples, step))
