"""Is one run better than another? Paired differences over queries, with intervals, tests, and what the test set can show.

Knows no file. Legend: Q queries, M differences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation import compare_tables, tables
from twotower.evaluation.rankings import AnyQrels, Values
from twotower.evaluation.seeds import AnyRuns, SeedSummary, SeedValues, seed_values
from twotower.evaluation.significance import (
    bootstrap_intervals,
    cautious_ends,
    detectable_effect,
    holm,
    paired_t_p,
    randomisation_p,
    verdict,
)

Pair = tuple[str, str, str]
"""Name, baseline, measure."""
_TIE = 1e-12  # a mean over seeds of equal values may differ from them in the last bits


@dataclass(frozen=True)
class Options:
    """How differences are judged; see `compare`."""

    n_resamples: int
    confidence: float
    margin: float | None
    seed: int

    def __post_init__(self) -> None:
        if not isinstance(self.n_resamples, int) or not isinstance(self.confidence, int | float):
            raise InputTypeError(
                f"n_resamples is {self.n_resamples!r} and confidence {self.confidence!r}: give an integer and a number"
            )
        if self.n_resamples < 1 or not 0 < self.confidence < 1:
            raise InvalidInputError(
                f"n_resamples {self.n_resamples} must be at least 1, and confidence {self.confidence} between 0 and 1"
            )
        if not 0.01 <= self.confidence <= 0.9999:
            raise InvalidInputError(f"confidence {self.confidence} must lie between 0.01 and 0.9999")
        if self.margin is not None and not 0 < self.margin < float("inf"):
            raise InvalidInputError(f"margin {self.margin} must be a finite number above 0")

    def generators(self) -> list[np.random.Generator]:
        """Return one generator for intervals and one for tests, so that neither depends on the other."""
        return list(np.random.default_rng(self.seed).spawn(2))


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
    p_t, p_t_holm : float
        Two-sided paired t-test, and the same after Holm's correction.
    wins, ties, losses : int
        Queries on which `name` has the larger, the same, the smaller value.
    detectable : float
        The smallest true difference that these queries would show, with a probability of 80 %, at the level of the interval.
    verdict : str
        What the interval and the corrected randomisation test say: see `twotower.evaluation.significance.verdict`.
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
    p_t: float
    p_t_holm: float
    wins: int
    ties: int
    losses: int
    detectable: float
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    means : dict of str to dict of str to float
        Run name to measure to mean, over finished seeds too where several runs were given; without names that failed.
    spread : dict of str to dict of str to float
        Standard deviation of the mean over seeds; only for names with several finished runs.
    differences : list of Difference
    confidence : float
        Of the intervals.
    seeds : dict of str to SeedSummary
        Run name to how many runs there were, how many failed, and their extremes.
    measures : list of str
    margin : float or None
        What was asked for.
    notes : list of str
        Signs that a run and the judgements do not belong together, and judged queries that a run lacks: they count 0.
    """

    means: dict[str, dict[str, float]]
    spread: dict[str, dict[str, float]]
    differences: list[Difference]
    confidence: float
    seeds: dict[str, SeedSummary] = field(default_factory=dict)
    measures: list[str] = field(default_factory=list)
    margin: float | None = None
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON-able values."""
        return asdict(self)

    def to_markdown(self) -> str:
        """Return tables: means, seeds where there are several, and differences."""
        return "\n\n".join([tables.to_markdown(compare_tables.all_tables(self)).rstrip("\n"), *self.notes])

    def to_latex(self) -> str:
        """Return the same tables as plain ``tabular`` environments; see `twotower.evaluation.tables.to_latex`."""
        return tables.to_latex(compare_tables.all_tables(self))

    def to_csv(self) -> str:
        """Return one table in full precision: a row for each run and measure, repeated for each of its differences.

        See `twotower.evaluation.tables.to_csv` for what happens to names that look like formulas.
        """
        return tables.to_csv(compare_tables.CSV_HEADER, compare_tables.csv_rows(self))


def compare(
    runs: Mapping[str, AnyRuns],
    qrels: AnyQrels,
    measures: Sequence[str] = ("nDCG@10",),
    *,
    baseline: str | None = None,
    all_pairs: bool = False,
    margin: float | None = None,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare runs on the same queries.

    Parameters
    ----------
    runs : mapping of str to run, or to a sequence of runs
        Several runs of one name are seeds: their values are averaged for each query before pairing. None is a run that failed;
        averages are over the others, and a name whose runs all failed is listed without a difference.
    qrels : mapping of query_id to mapping of doc_id to grade
        Two queries or more. One that a run lacks counts 0.
    measures : sequence of str
    baseline : str, optional
        A name in `runs`; default: the first.
    all_pairs : bool
        Compare each run with every one before it, instead of all with one baseline.
    margin : float, optional
        Above 0: a loss too small to matter. A run whose interval lies above -margin is "not worse by" it (non-inferiority).
    n_resamples : int
        Bootstrap samples, and random sign flips.
    confidence : float in (0, 1)
    seed : int

    Raises
    ------
    InvalidInputError
        If there are fewer than two names or two queries, no such baseline, a run without any judged query, or an option is out
        of range.

    Notes
    -----
    The interval resamples queries (percentile bootstrap; Sakai 2006), the randomisation test flips signs of the paired
    differences (Smucker, Allan and Carterette 2007) and counts the observed one; Student's t-test stands beside it. Holm 1979
    for several differences, within each test. Over seeds, queries are what is sampled: the interval speaks of other queries,
    not of other seeds; `spread` and `seeds` show those. Intervals speak of one row each; verdicts use the corrected p-value.

    Examples
    --------
    >>> qrels = {f"q{i}": {"good": 1} for i in range(20)}
    >>> right = {query: {"good": 2.0, "bad": 1.0} for query in qrels}
    >>> wrong = {query: {"good": 1.0, "bad": 2.0} for query in qrels}
    >>> found = compare({"wrong": wrong, "right": right}, qrels, ["RR"]).differences[0]
    >>> found.difference, found.wins, found.verdict
    (0.5, 20, 'better')
    """
    if baseline is not None and all_pairs:
        raise InvalidInputError(f"all_pairs compares with every run: leave out the baseline {baseline!r}")
    baseline = check_baseline(list(runs), baseline)
    check_queries(qrels)
    options = Options(n_resamples, confidence, margin, seed)
    values = {name: seed_values(name, run, qrels, measures) for name, run in runs.items()}
    return compare_values(values, pairs_of(values, None if all_pairs else baseline), options)


def compare_values(values: Mapping[str, SeedValues], pairs: Sequence[Pair], options: Options) -> Comparison:
    """Return what `compare` returns, of runs that have been measured."""
    return Comparison(
        means={name: system.means() for name, system in values.items() if system.n_finished},
        spread={name: system.spread() for name, system in values.items() if system.n_finished > 1},
        differences=judge(pairs, paired_values(values, pairs), options) if pairs else [],
        confidence=options.confidence,
        seeds={name: system.summary() for name, system in values.items()},
        measures=list(next(iter(values.values())).by_measure),
        margin=options.margin,
        notes=[note for system in values.values() for note in system.notes],
    )


def check_baseline(names: Sequence[str], baseline: str | None) -> str:
    """Return the name of the baseline, the first if it is None; refuse an unknown one, and fewer than two names."""
    if len(names) < 2:
        raise InvalidInputError(f"{len(names)} runs: give at least two, one of them the baseline")
    if baseline is not None and baseline not in names:
        raise InvalidInputError(f"no run is named {baseline!r}: choose one of {', '.join(names)}")
    return names[0] if baseline is None else baseline


def check_queries(qrels: AnyQrels) -> None:
    """Refuse what are no judgements, and judgements of fewer than two queries."""
    if not isinstance(qrels, Mapping):
        raise InputTypeError(f"qrels is {type(qrels).__name__}: give query_id to doc_id to grade, as read_qrels does")
    if not qrels:
        raise InvalidInputError("qrels has no query: there is nothing to compare on")
    if len(qrels) < 2:
        raise InvalidInputError("qrels has one query: a paired comparison needs two or more")


def pairs_of(values: Mapping[str, SeedValues], baseline: str | None) -> list[Pair]:
    """Return what is compared with what (all with all if `baseline` is None), without systems that have no finished run."""
    names = [name for name, system in values.items() if system.n_finished]
    both = (
        [(name, earlier) for earlier, name in combinations(names, 2)]
        if baseline is None
        else [(name, baseline) for name in names if name != baseline and baseline in names]
    )
    return [(name, other, measure) for name, other in both for measure in values[name].by_measure]


def paired_values(values: Mapping[str, SeedValues], pairs: Sequence[Pair]) -> Values:
    """Return the differences by query, seeds averaged; [Q, M]."""
    return np.column_stack([values[name].by_query(m) - values[other].by_query(m) for name, other, m in pairs])


def judge(pairs: Sequence[Pair], paired: Values, options: Options) -> list[Difference]:
    """Return all that can be said of the columns of `paired` [Q, M]."""
    n_resamples, level = options.n_resamples, 1 - options.confidence
    for_intervals, for_tests = options.generators()
    low, high = (e.tolist() for e in bootstrap_intervals(paired, n_resamples, options.confidence, for_intervals))
    p, p_t = randomisation_p(paired, n_resamples, for_tests).tolist(), paired_t_p(paired).tolist()
    p_holm, p_t_holm = holm(p), holm(p_t)
    least = cautious_ends(paired, level)
    detectable = detectable_effect(1.0, len(paired), alpha=level) * paired.std(axis=0, ddof=1)
    return [
        Difference(
            *pair,
            difference=float(column.mean()),
            low=low[at],
            high=high[at],
            p=p[at],
            p_holm=p_holm[at],
            n_queries=len(paired),
            p_t=p_t[at],
            p_t_holm=p_t_holm[at],
            wins=int((column > _TIE).sum()),
            ties=int((np.abs(column) <= _TIE).sum()),
            losses=int((column < -_TIE).sum()),
            detectable=float(detectable[at]),
            verdict=verdict(low[at], high[at], p_holm[at], level, options.margin, min(low[at], least[at])),
        )
        for at, (pair, column) in enumerate(zip(pairs, paired.T, strict=True))
    ]
