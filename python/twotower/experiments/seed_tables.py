"""Tables of finished pieces: means over seeds with their spread, and paired differences over queries. Knows no model and no index."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation.compare import Options, compare_values
from twotower.evaluation.seeds import SeedValues

Rows = dict[str, dict[str, SeedValues]]
"""Name of a row to test to values by seed and query."""

Pair = tuple[str, str]


def rows_of(records: Iterable[Mapping[str, Any]]) -> Rows:
    """Gather the rows of finished pieces; a row that comes several times has so many seeds.

    Parameters
    ----------
    records : iterable of mapping
        Each with "rows": row to test to measure to values by query, as `Measuring` makes them.

    Raises
    ------
    InvalidInputError
        If the seeds of a row were measured on different numbers of queries.
    """
    gathered: dict[str, dict[str, dict[str, list[list[float]]]]] = {}
    for record in records:
        for row, by_test in record["rows"].items():
            for test, by_measure in by_test.items():
                for measure, values in by_measure.items():
                    gathered.setdefault(row, {}).setdefault(test, {}).setdefault(measure, []).append(values)
    return {
        row: {test: _seed_values(row, test, by_measure) for test, by_measure in by_test.items()}
        for row, by_test in gathered.items()
    }


def _seed_values(row: str, test: str, by_measure: Mapping[str, list[list[float]]]) -> SeedValues:
    lengths = {len(values) for seeds in by_measure.values() for values in seeds}
    if len(lengths) != 1:
        raise InvalidInputError(
            f"{row!r} on {test!r} has values of {sorted(lengths)} queries: pieces of two test sets were mixed"
        )
    n_seeds = max(len(seeds) for seeds in by_measure.values())
    return SeedValues(n_seeds, {measure: np.array(seeds, np.float64) for measure, seeds in by_measure.items()})


def means_table(rows: Rows, test: str, measures: Sequence[str], order: Sequence[str] | None = None) -> str:
    """Return a Markdown table: a line a row, the mean of each measure, "±" the standard deviation over seeds where there are some.

    Rows that were not measured on `test` are left out; so are those not in `order`, where given.
    """
    shown = [name for name in (order if order is not None else rows) if test in rows.get(name, {})]
    n_queries = next((rows[name][test].by_query(measures[0]).size for name in shown), 0)
    lines = [f"| {test}, {n_queries} queries | seeds | {' | '.join(measures)} |", "|---|---|" + "---|" * len(measures)]
    for name in shown:
        values = rows[name][test]
        spread = values.spread() if values.n_finished > 1 else {}
        figures = [f"{mean:.4f}" for mean in (values.means()[m] for m in measures)]
        figures = [f"{f} ± {spread[m]:.4f}" if m in spread else f for f, m in zip(figures, measures, strict=True)]
        lines.append(f"| {name} | {values.n_finished} | {' | '.join(figures)} |")
    return "\n".join(lines)


def differences_table(rows: Rows, tests: Sequence[str], pairs: Sequence[Pair], measures: Sequence[str]) -> str:
    """Return a Markdown table of paired differences: seeds averaged for each query, 95 % bootstrap interval over queries.

    p is the paired randomisation test, Holm's correction is over the differences of one test and measure. Pairs of which a row was
    not measured are left out.
    """
    lines = ["| test | difference | measure | mean | 95 % interval | p | p (Holm) |", "|---|---|---|---|---|---|---|"]
    for test in tests:
        there = [(name, other) for name, other in pairs if test in rows.get(name, {}) and test in rows.get(other, {})]
        values = {name: rows[name][test] for pair in there for name in pair}
        for measure in measures:
            asked = [(name, other, measure) for name, other in there]
            found = compare_values(values, asked, Options(10_000, 0.95, None, 0)).differences if asked else []
            lines += [
                f"| {test} | {d.name} - {d.baseline} | {d.measure} | {d.difference:+.4f} | {d.low:+.4f} to {d.high:+.4f} "
                f"| {d.p:.4f} | {d.p_holm:.4f} |"
                for d in found
            ]
    return "\n".join(lines)


def without_queries(rows: Rows, test: str, query_ids: Sequence[str], dropped: Iterable[str]) -> Rows:
    """Return the rows measured on `test` without the queries `dropped`; `query_ids` are those of the qrels, in their order."""
    gone = set(dropped)
    kept = np.array([query_id not in gone for query_id in query_ids], bool)
    return {
        name: {
            test: SeedValues(v.n_runs, {measure: values[:, kept] for measure, values in v.by_measure.items()}, v.notes)
        }
        for name, by_test in rows.items()
        if (v := by_test.get(test)) is not None
    }
