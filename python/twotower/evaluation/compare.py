"""Is one run better than another? Paired differences over queries, with intervals and tests.

Q queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation.evaluate import query_values
from twotower.evaluation.rankings import AnyQrels, AnyRun, Values
from twotower.evaluation.significance import bootstrap_intervals, holm, randomisation_p


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
        """Return two tables: means, with their spread over seeds, and differences."""
        measures = list(dict.fromkeys(d.measure for d in self.differences))
        lines = [f"| run | {' | '.join(measures)} |", "|---" * (1 + len(measures)) + "|"]
        for name, means in self.means.items():
            spread = {m: f" ± {s:.4f}" for m, s in self.spread.get(name, {}).items()}
            figures = " | ".join(f"{means[m]:.4f}{spread.get(m, '')}" for m in measures)
            lines.append(f"| {name} | {figures} |")
        lines += [
            "",
            f"| difference | measure | mean | {self.confidence:.0%} interval | p | p (Holm) |",
            "|---|---|---|---|---|---|",
        ]
        for d in self.differences:
            figures = f"{d.difference:+.4f} | {d.low:+.4f} to {d.high:+.4f} | {d.p:.4f} | {d.p_holm:.4f}"
            lines.append(f"| {d.name} - {d.baseline} | {d.measure} | {figures} |")
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
    pairs = [(name, measure) for name in names if name != baseline for measure in dict.fromkeys(measures)]
    paired = np.column_stack([values[name][m].mean(axis=0) - values[baseline][m].mean(axis=0) for name, m in pairs])
    for_intervals, for_tests = np.random.default_rng(seed).spawn(2)
    low, high = bootstrap_intervals(paired, n_resamples, confidence, for_intervals)
    p_values = randomisation_p(paired, n_resamples, for_tests).tolist()
    figures = zip(
        pairs, paired.mean(axis=0).tolist(), low.tolist(), high.tolist(), p_values, holm(p_values), strict=True
    )
    differences = [
        Difference(name, baseline, measure, mean, start, end, p, p_holm, len(paired))
        for (name, measure), mean, start, end, p, p_holm in figures
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
    tables = [query_values(run, qrels, measures) for run in seeds]
    return {measure: np.array([table[measure] for table in tables]) for measure in measures}
