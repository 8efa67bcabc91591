"""Is one run better than another? Paired differences over queries, with intervals and tests.

Q queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.evaluation.evaluate import AnyQrels, AnyRun, evaluate_queries

_CHUNK = 2_000_000  # random numbers held at once
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """`name` minus `baseline` on one measure, paired over queries.

    Attributes
    ----------
    difference : float
        Mean over queries.
    low, high : float
        Ends of the percentile bootstrap interval.
    p : float
        Two-sided paired randomisation test.
    p_holm : float
        The same after Holm's correction over all differences of the comparison.
    n_queries : int
    """

    name: str
    baseline: str
    measure: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    n_queries: int


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    means : dict of str to dict of str to float
        Run name to measure to mean, over seeds too where several runs were given.
    spread : dict of str to dict of str to float
        Standard deviation of the mean over seeds; only for names with several runs.
    differences : list of Difference
    confidence : float
        Of the intervals.
    """

    means: dict[str, dict[str, float]]
    spread: dict[str, dict[str, float]]
    differences: list[Difference]
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON-able values."""
        return asdict(self)

    def to_markdown(self) -> str:
        """Return a table of the differences."""
        lines = [
            f"| difference | measure | mean | {self.confidence:.0%} interval | p | p (Holm) |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {d.name} - {d.baseline} | {d.measure} | {d.difference:+.4f} | {d.low:+.4f} to {d.high:+.4f} | {d.p:.4f} | {d.p_holm:.4f} |"
            for d in self.differences
        ]
        return "\n".join(lines)


def compare(
    runs: Mapping[str, AnyRun | Sequence[AnyRun]],
    qrels: AnyQrels,
    measures: Sequence[str] = ("nDCG@10",),
    *,
    baseline: str | None = None,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare runs with a baseline on the same queries.

    Parameters
    ----------
    runs : mapping of str to run, or to a sequence of runs
        Several runs of one name are seeds: their values are averaged for each query before pairing.
    qrels : mapping of query_id to mapping of doc_id to grade
    measures : sequence of str
    baseline : str, optional
        A name in `runs`; default: the first.
    n_resamples : int
        Bootstrap samples, and random sign flips.
    confidence : float in (0, 1)
    seed : int

    Raises
    ------
    InvalidInputError
        If there are fewer than two names, no query, no such baseline, or an option is out of range.

    Notes
    -----
    The interval resamples queries (percentile bootstrap; Sakai 2006), the test flips signs of the paired differences (Smucker,
    Allan and Carterette 2007) and counts the observed one. Holm 1979 for several differences. Over seeds, queries are what is
    sampled: the interval speaks of other queries, not of other seeds; `spread` shows those.
    """
    names = list(runs)
    if len(names) < 2:
        raise InvalidInputError(f"{len(names)} runs: give at least two, one of them the baseline")
    baseline = names[0] if baseline is None else baseline
    if baseline not in runs:
        raise InvalidInputError(f"no run is named {baseline!r}: choose one of {', '.join(names)}")
    if not qrels:
        raise InvalidInputError("qrels has no query: there is nothing to compare on")
    if n_resamples < 1 or not 0 < confidence < 1:
        raise InvalidInputError(
            f"n_resamples {n_resamples} must be at least 1, and confidence {confidence} between 0 and 1"
        )
    values = {name: _by_seed(name, run, qrels, measures) for name, run in runs.items()}
    rng = np.random.default_rng(seed)
    found = []
    for name in names:
        if name == baseline:
            continue
        for measure in measures:
            paired = values[name][measure].mean(axis=0) - values[baseline][measure].mean(axis=0)
            low, high = bootstrap_interval(paired, n_resamples, confidence, rng)
            found.append((name, measure, paired, low, high, randomisation_p(paired, n_resamples, rng)))
    corrected = holm([p for *_, p in found])
    differences = [
        Difference(name, baseline, measure, float(paired.mean()), low, high, p, p_holm, len(paired))
        for (name, measure, paired, low, high, p), p_holm in zip(found, corrected, strict=True)
    ]
    return Comparison(
        means={name: {m: float(v.mean()) for m, v in by_measure.items()} for name, by_measure in values.items()},
        spread={
            name: {m: float(v.mean(axis=1).std(ddof=1)) for m, v in by_measure.items()}
            for name, by_measure in values.items()
            if len(next(iter(by_measure.values()))) > 1
        },
        differences=differences,
        confidence=confidence,
    )


def _by_seed(name: str, runs: AnyRun | Sequence[AnyRun], qrels: AnyQrels, measures: Sequence[str]) -> dict[str, Values]:
    """Return measure to values [seeds, Q]."""
    seeds = [runs] if isinstance(runs, Mapping) else list(runs)
    if not seeds or not measures:
        raise InvalidInputError(f"run {name!r}: give at least one run and one measure")
    tables = [evaluate_queries(run, qrels, measures) for run in seeds]
    return {measure: np.array([list(table[measure].values()) for table in tables]) for measure in measures}


def bootstrap_interval(
    paired: Values, n_resamples: int, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the ends of the percentile bootstrap interval of the mean of `paired` [Q]."""
    n = len(paired)
    step = max(1, _CHUNK // n)
    means = [
        paired[rng.integers(n, size=(min(step, n_resamples - start), n))].mean(axis=1)
        for start in range(0, n_resamples, step)
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)


def randomisation_p(paired: Values, n_resamples: int, rng: np.random.Generator) -> float:
    """Return the share of random sign flips of `paired` [Q] whose mean is at least as far from 0; the observed one counts."""
    n = len(paired)
    # Equal sums may differ in the last bits with the order of addition; a tie must count.
    observed = abs(paired.sum()) - 1e-12 * np.abs(paired).sum()
    step = max(1, _CHUNK // n)
    extreme = 1
    for start in range(0, n_resamples, step):
        signs = rng.integers(2, size=(min(step, n_resamples - start), n), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ paired) >= observed).sum())
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
