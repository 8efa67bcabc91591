"""Several runs of one system: the values of its finished seeds, and what its failed ones leave to say.

Legend: Q judged queries, S finished seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.evaluate import evaluate_table
from twotower.evaluation.measures import check_order
from twotower.evaluation.query_table import QueryTable
from twotower.evaluation.rankings import AnyQrels, AnyRun, Values

AnyRuns = AnyRun | None | Sequence[AnyRun | None]
"""One run, or one a seed; None stands for a run that failed."""


@dataclass(frozen=True)
class SeedSummary:
    """How the seeds of one system did.

    Attributes
    ----------
    n_runs, n_failed : int
        Seeds asked for, and those among them that brought no run.
    lowest, highest : dict of str to float
        Measure to the least and greatest mean of a finished seed; empty if all failed.
    failures_as_zero : dict of str to float
        Measure to the mean over all seeds where a failed one counts 0: what a user gets who trains once and takes what comes.
    """

    n_runs: int
    n_failed: int
    lowest: dict[str, float]
    highest: dict[str, float]
    failures_as_zero: dict[str, float]


@dataclass(frozen=True)
class SeedValues:
    """Values by query of one system: measure to float64 [S, Q], and how many runs were asked for."""

    n_runs: int
    by_measure: dict[str, Values]
    notes: tuple[str, ...] = ()

    @property
    def n_finished(self) -> int:
        """S."""
        return len(next(iter(self.by_measure.values())))

    def by_query(self, measure: str) -> Values:
        """Return the mean over finished seeds for each query, [Q]; there must be one."""
        means: Values = self.by_measure[measure].mean(axis=0)
        return means

    def means(self) -> dict[str, float]:
        """Return measure to mean over finished seeds and queries."""
        return {measure: float(values.mean()) for measure, values in self.by_measure.items()}

    def spread(self) -> dict[str, float]:
        """Return measure to the standard deviation of the mean over finished seeds, of which there must be two."""
        return {measure: float(values.mean(axis=1).std(ddof=1)) for measure, values in self.by_measure.items()}

    def summary(self) -> SeedSummary:
        """Return counts and extremes."""
        means = {measure: values.mean(axis=1) for measure, values in self.by_measure.items()}
        return SeedSummary(
            n_runs=self.n_runs,
            n_failed=self.n_runs - self.n_finished,
            lowest={m: float(v.min()) for m, v in means.items() if len(v)},
            highest={m: float(v.max()) for m, v in means.items() if len(v)},
            failures_as_zero={m: float(v.sum()) / self.n_runs for m, v in means.items()},
        )


def seed_values(name: str, runs: AnyRuns, qrels: AnyQrels, measures: Sequence[str]) -> SeedValues:
    """Measure the runs of one system.

    Raises
    ------
    InvalidInputError
        If there is no run or measure, or a run that holds queries has none that is judged.
    """
    if not isinstance(runs, Mapping | list | tuple | None):
        raise InputTypeError(
            f"run {name!r} is {type(runs).__name__}: give query_id to doc_id to score, as read_run does, or a list of such runs"
        )
    seeds = [runs] if runs is None or isinstance(runs, Mapping) else list(runs)
    if not seeds or not measures:
        raise InvalidInputError(f"run {name!r}: give at least one run and one measure")
    finished = [run for run in seeds if run is not None]
    for run in finished:
        if not isinstance(run, Mapping):
            raise InputTypeError(f"a run of {name!r} is {type(run).__name__}: give query_id to doc_id to score")
        if run and qrels.keys().isdisjoint(run):
            raise InvalidInputError(
                f"run {name!r} answers none of the {len(qrels)} judged queries: its first is {next(iter(run))!r}, theirs "
                f"{next(iter(qrels))!r}: give judgements of the same queries"
            )
    parsed = check_order(measures)
    found = [evaluate_table(run, qrels, measures) for run in finished]
    notes = tuple(f"Run {name!r}: {note}." for table in found for note in _notes(table, qrels))
    tables = [{measure: table.column(measure) for measure in table.names} for table in found]
    names = list(tables[0]) if tables else list(dict.fromkeys(measure.name for measure in parsed))
    return SeedValues(
        len(seeds),
        {m: np.array([t[m] for t in tables], np.float64).reshape(len(tables), len(qrels)) for m in names},
        notes,
    )


def _notes(table: QueryTable, qrels: AnyQrels) -> list[str]:
    missing = [f"{table.n_missing} of {len(qrels)} judged queries are missing and count 0"] if table.n_missing else []
    return [*table.warnings, *missing]
