"""Is one system better than another over several test collections? Each collection counts the same.

Knows no file. Legend: Q queries, M differences, C collections.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation import tables
from twotower.evaluation.compare import (
    Comparison,
    Difference,
    Options,
    Pair,
    check_baseline,
    check_queries,
    compare_values,
    paired_values,
    pairs_of,
)
from twotower.evaluation.rankings import AnyQrels, Values
from twotower.evaluation.seeds import AnyRuns, seed_values
from twotower.evaluation.significance import detectable_effect, holm, randomisation_p, stratified_interval, verdict


@dataclass(frozen=True)
class PooledDifference:
    """`name` minus `baseline` on one measure: the mean over collections of their mean differences.

    Attributes
    ----------
    difference, low, high : float
        Mean over collections, and the ends of the interval from queries resampled within their collection.
    p, p_holm : float
        Paired randomisation test of that mean, and after Holm's correction over all pooled differences.
    n_queries, n_collections : int
    detectable : float
        The smallest true mean that these collections would show, with a probability of 80 %.
    verdict : str
        As of `twotower.evaluation.Difference`.
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
    n_collections: int
    detectable: float
    verdict: str


@dataclass(frozen=True)
class PooledComparison:
    """What `compare_pooled` found: the comparison of each collection, and the pooled differences."""

    collections: dict[str, Comparison]
    differences: list[PooledDifference]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON-able values."""
        return asdict(self)

    def to_markdown(self) -> str:
        """Return one table: for each difference a row a collection, then the pooled row."""
        return tables.to_markdown([self._table()])

    def to_latex(self) -> str:
        """Return the same as a plain ``tabular`` environment."""
        return tables.to_latex([self._table()])

    def _table(self) -> tables.Table:
        confidence = next(iter(self.collections.values())).confidence
        header = [
            "difference", "measure", "collection", "queries", "mean", f"{confidence * 100:g}% interval", "p (randomisation)",
            "Holm", "detectable", "verdict",
        ]  # fmt: skip
        rows: dict[Pair, list[list[str]]] = {}
        for where, comparison in self.collections.items():
            for d in comparison.differences:
                rows.setdefault((d.name, d.baseline, d.measure), []).append(_row(d, where))
        for pooled in self.differences:
            mean = f"mean of {pooled.n_collections}"
            rows[pooled.name, pooled.baseline, pooled.measure].append(_row(pooled, mean))
        note = (
            "Each collection counts the same, however many queries it has. Holm's correction: a collection's rows among "
            "themselves, the pooled rows among themselves. A system that failed in a collection has no pooled row."
        )
        return tables.Table(header, [row for group in rows.values() for row in group], [note])


def compare_pooled(
    collections: Mapping[str, tuple[Mapping[str, AnyRuns], AnyQrels]],
    measures: Sequence[str] = ("nDCG@10",),
    *,
    baseline: str | None = None,
    margin: float | None = None,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> PooledComparison:
    """Compare runs with a baseline on several test collections.

    Parameters
    ----------
    collections : mapping of str to (runs, qrels)
        What `compare` takes, by name of the collection; the same names of runs in each.
    measures, baseline, margin, n_resamples, confidence, seed
        As of `compare`.

    Raises
    ------
    InvalidInputError
        If there is no collection, one lacks a run that another has, or as `compare`.

    Notes
    -----
    The pooled figure is the mean over collections of the mean difference (a macro average). Its interval resamples queries
    within their collection (`twotower.evaluation.significance.stratified_interval`), and the test flips signs of queries with the
    weight that their collection gives them. Both speak of other queries of the same collections, not of other collections.
    """
    if not collections:
        raise InvalidInputError("no collection: give at least one, as name: (runs, qrels)")
    names = list(next(iter(collections.values()))[0])
    for where, (runs, qrels) in collections.items():
        if missing := set(names) ^ set(runs):
            raise InvalidInputError(f"collection {where!r} and the first one differ in the runs {sorted(missing)}")
        check_queries(qrels)
    baseline = check_baseline(names, baseline)
    options = Options(n_resamples, confidence, margin, seed)
    values = {
        where: {name: seed_values(name, runs[name], qrels, measures) for name in names}
        for where, (runs, qrels) in collections.items()
    }
    comparisons = {where: compare_values(v, pairs_of(v, baseline), options) for where, v in values.items()}
    finished = [set(pairs_of(v, baseline)) for v in values.values()]
    pairs = [pair for pair in pairs_of(next(iter(values.values())), baseline) if all(pair in f for f in finished)]
    strata = [paired_values(v, pairs) for v in values.values()] if pairs else []
    return PooledComparison(comparisons, _judge(pairs, strata, options) if pairs else [])


def _judge(pairs: Sequence[Pair], strata: Sequence[Values], options: Options) -> list[PooledDifference]:
    """Return all that can be said of the columns of the `strata`, each [Q, M], taken together."""
    level = 1 - options.confidence
    n_queries = sum(map(len, strata))
    # A mean over collections of means is a sum over queries, each with the weight that its collection gives it.
    p = randomisation_p(np.concatenate([s / len(s) for s in strata]), options.n_resamples, options.generators()[1])
    p_holm = holm(p.tolist())
    error = np.sqrt(sum(s.var(axis=0, ddof=1) / len(s) for s in strata)) / len(strata)
    detectable = detectable_effect(1.0, n_queries, alpha=level) * np.sqrt(n_queries) * error
    found = []
    for at, pair in enumerate(pairs):
        mean, low, high = stratified_interval(
            [s[:, at] for s in strata], options.n_resamples, options.confidence, options.generators()[0]
        )
        found.append(
            PooledDifference(
                *pair,
                difference=mean,
                low=low,
                high=high,
                p=float(p[at]),
                p_holm=p_holm[at],
                n_queries=n_queries,
                n_collections=len(strata),
                detectable=float(detectable[at]),
                verdict=verdict(low, high, p_holm[at], level, options.margin),
            )
        )
    return found


def _row(d: Difference | PooledDifference, where: str) -> list[str]:
    return [
        f"{d.name} - {d.baseline}", d.measure, where, str(d.n_queries), f"{d.difference:+.4f}",
        f"{d.low:+.4f} to {d.high:+.4f}", f"{d.p:.4f}", f"{d.p_holm:.4f}", f"{d.detectable:.4f}", d.verdict,
    ]  # fmt: skip
