"""How sure a mean difference is: resampled queries, flipped signs, several tests at once, and what a test set can show at all.

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


def stratified_interval(
    strata: Sequence[Values], n_resamples: int, confidence: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return the mean over strata of their mean differences, and the ends of its percentile bootstrap interval.

    Parameters
    ----------
    strata : sequence of ndarray of float64, shape [Q_i]
        Paired differences of each test collection. Each collection counts the same, however many queries it has.
    n_resamples : int
    confidence : float in (0, 1)
    rng : numpy.random.Generator

    Notes
    -----
    Queries are resampled within their collection, never across (Efron and Tibshirani 1993, section 8.3: several samples).
    """
    means = np.zeros(n_resamples)
    for paired in strata:
        drawn = [rng.integers(len(paired), size=(size, len(paired))) for size in _blocks(n_resamples, len(paired))]
        means += np.concatenate([paired[rows].mean(axis=1) for rows in drawn]) / len(strata)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(np.mean([paired.mean() for paired in strata])), float(low), float(high)


def paired_t_p(paired: Values) -> Values:
    """Return the two-sided p-value of Student's paired t-test for each column of `paired` [Q, M]; [M].

    1 where all differences are 0, or where there is one query only; 0 where all are equal and not 0.
    """
    from scipy.special import stdtr

    n = len(paired)
    mean = paired.mean(axis=0)
    if n < 2:
        return np.ones(paired.shape[1])
    error = paired.std(axis=0, ddof=1) / np.sqrt(n)
    constant = np.ptp(paired, axis=0) == 0  # the deviation of equal numbers is not always 0 in floating point
    t = np.divide(mean, error, out=np.zeros_like(mean), where=~constant)
    p: Values = np.where(constant, np.where(mean == 0, 1.0, 0.0), 2 * stdtr(n - 1, -np.abs(t)))
    return p


def detectable_effect(deviation: float, n_queries: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the smallest true mean difference that a two-sided paired t-test finds with probability `power`.

    Parameters
    ----------
    deviation : float
        Standard deviation of the paired differences over queries, 0 or more.
    n_queries : int
        2 or more.
    power, alpha : float in (0, 1)
        Probability to find it; level of the test.

    Notes
    -----
    Solved with the noncentral t distribution (Cohen 1988, section 2). A measured difference well below this figure is not
    evidence that two systems are equal: the test set could not have told them apart.

    Examples
    --------
    >>> round(detectable_effect(0.3, 100), 4)
    0.0849
    """
    from scipy.optimize import brentq
    from scipy.stats import nct
    from scipy.stats import t as student

    critical = float(student.ppf(1 - alpha / 2, n_queries - 1))

    def excess(shift: float) -> float:
        return float(nct.sf(critical, n_queries - 1, shift)) - power  # significance on the wrong side finds nothing

    return float(brentq(excess, 0.0, 3 * critical + 5)) * deviation / float(np.sqrt(n_queries))


def cautious_ends(paired: Values, level: float) -> list[float]:
    """Return for each column of `paired` [Q, M] a lower end of its mean that holds with few queries and few differences too.

    Notes
    -----
    The lower end of Student's interval; and since values lie between 0 and 1, if no query differs, minus the share of differing
    queries that would stay unseen in Q with probability ``level / 2`` (Clopper and Pearson 1934 for no success in Q trials).

    Examples
    --------
    >>> [round(end, 3) for end in cautious_ends(np.array([[0.0, 0.1], [0.0, 0.3]]), 0.05)]
    [-0.842, -1.071]
    """
    from scipy.special import stdtrit

    n = len(paired)
    width = float(stdtrit(n - 1, 1 - level / 2)) * paired.std(axis=0, ddof=1) / np.sqrt(n)
    unseen = 1 - (level / 2) ** (1 / n)
    ends: Values = np.where((paired == 0).all(axis=0), -unseen, paired.mean(axis=0) - width)
    return list(ends.tolist())


def verdict(
    low: float, high: float, p: float, level: float, margin: float | None = None, least: float | None = None
) -> str:
    """Return what an interval and a test say of a difference.

    Parameters
    ----------
    low, high : float
        Ends of the interval.
    p, level : float
        Corrected p-value, and the level below which it must lie.
    margin : float, optional
        A loss too small to matter.
    least : float, optional
        A more cautious lower end for the margin; default: `low`.

    Returns
    -------
    str
        "better" or "worse" if 0 lies outside the interval and the test agrees: with few queries a percentile interval is too
        narrow on its own. With a `margin`, "not worse by" it if the interval lies above -margin (non-inferiority; Walker and
        Nowacki 2011), and "worse, by less than" it for a sure loss inside it. Else "undecided", which is not "equal".

    Examples
    --------
    >>> verdict(0.001, 0.02, p=0.03, level=0.05), verdict(0.001, 0.02, p=0.09, level=0.05)
    ('better', 'undecided')
    >>> verdict(-0.004, 0.02, p=0.3, level=0.05, margin=0.01)
    'not worse by 0.01'
    """
    small_loss = margin is not None and (low if least is None else min(low, least)) > -margin
    if low > 0 and p < level:
        return "better"
    if high < 0 and p < level:
        return f"worse, by less than {margin:g}" if small_loss else "worse"
    return f"not worse by {margin:g}" if small_loss else "undecided"


def wilson_interval(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Return the ends of Wilson's score interval of a share of `n` independent trials (Wilson 1927).

    Each trial may also be a value between 0 and 1: its variance is at most that of a yes or no with the same mean, so the
    interval then covers at least as often as it says, up to the normal approximation.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_interval(0.5, 20, 0.95)]
    [0.299, 0.701]
    """
    from scipy.special import ndtri

    z = float(ndtri(0.5 + confidence / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(0.0, middle - half), min(1.0, middle + half)


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
