"""The tables of a comparison: means, seeds, differences. Knows what the figures mean, not how a format is written."""

from typing import TYPE_CHECKING

from twotower.evaluation.tables import Cell, Table

if TYPE_CHECKING:
    from twotower.evaluation.compare import Comparison, Difference

CSV_HEADER = (
    "name", "measure", "n_runs", "n_failed", "mean", "spread", "lowest", "highest", "failures_as_zero", "baseline",
    "difference", "low", "high", "wins", "ties", "losses", "p_t", "p_t_holm", "p", "p_holm", "detectable", "verdict",
    "n_queries",
)  # fmt: skip


def all_tables(comparison: "Comparison") -> list[Table]:
    """Return the tables in the order in which they are read."""
    several = any(summary.n_runs > 1 or summary.n_failed for summary in comparison.seeds.values())
    return [
        means_table(comparison),
        *([seeds_table(comparison)] if several else []),
        *([differences_table(comparison)] if comparison.differences else []),
    ]


def means_table(comparison: "Comparison") -> Table:
    """Return a row for each run: the mean of each measure, with its standard deviation over seeds."""
    rows = []
    for name in comparison.seeds:
        means, spread = comparison.means.get(name), comparison.spread.get(name, {})
        cells = [
            "failed" if means is None else f"{means[m]:.4f}" + (f" ± {spread[m]:.4f}" if m in spread else "")
            for m in comparison.measures
        ]
        rows.append([name + failures(comparison, name), *cells])
    return Table(["run", *comparison.measures], rows)


def failures(comparison: "Comparison", name: str) -> str:
    """Return how many seeds of a name failed, in words; nothing if none did."""
    summary = comparison.seeds[name]
    if not summary.n_failed or summary.n_runs == 1:
        return ""
    finished = summary.n_runs - summary.n_failed
    return f" ({finished} of {summary.n_runs} seeds, {summary.n_failed} failed)"


def seeds_table(comparison: "Comparison") -> Table:
    """Return a row for each run and measure: how many seeds, their extremes, and their mean if failures count 0."""
    rows = []
    for name, summary in comparison.seeds.items():
        for m in comparison.measures:
            extremes = f"{summary.lowest[m]:.4f} to {summary.highest[m]:.4f}" if m in summary.lowest else ""
            counts = [str(summary.n_runs - summary.n_failed), str(summary.n_failed)]
            rows.append([name, m, *counts, extremes, f"{summary.failures_as_zero[m]:.4f}"])
    note = (
        "Means and differences are over finished seeds, averaged for each query before pairing: intervals speak of other "
        "queries, ± and lowest to highest of other seeds."
    )
    return Table(["run", "measure", "finished", "failed", "lowest to highest", "mean, failures as 0"], rows, [note])


def differences_table(comparison: "Comparison") -> Table:
    """Return a row for each difference."""
    header = [
        "difference", "measure", "mean", f"{comparison.confidence * 100:g}% interval", "wins/ties/losses",
        "p (t)", "Holm", "p (randomisation)", "Holm", "detectable", "verdict",
    ]  # fmt: skip
    note = (
        f"{comparison.differences[0].n_queries} queries. Verdicts better and worse need both the interval on one side of 0 and "
        f"p (randomisation), after Holm's correction over these rows, below "
        f"{1 - comparison.confidence:g}. Detectable: the true difference that so many queries show with a probability of 80 %; "
        "undecided is not equal."
    )
    return Table(header, [_row(d) for d in comparison.differences], [note])


def _row(d: "Difference") -> list[str]:
    return [
        f"{d.name} - {d.baseline}", d.measure, f"{d.difference:+.4f}", f"{d.low:+.4f} to {d.high:+.4f}",
        f"{d.wins}/{d.ties}/{d.losses}", f"{d.p_t:.4f}", f"{d.p_t_holm:.4f}", f"{d.p:.4f}", f"{d.p_holm:.4f}",
        f"{d.detectable:.4f}", d.verdict,
    ]  # fmt: skip


def csv_rows(comparison: "Comparison") -> list[list[Cell]]:
    """Return the rows under `CSV_HEADER`; a run without a difference has one for each measure, its other fields empty."""
    rows: list[list[Cell]] = []
    for name, summary in comparison.seeds.items():
        for m in comparison.measures:
            own: list[Cell] = [
                name, m, summary.n_runs, summary.n_failed, comparison.means.get(name, {}).get(m),
                comparison.spread.get(name, {}).get(m), summary.lowest.get(m), summary.highest.get(m),
                summary.failures_as_zero[m],
            ]  # fmt: skip
            differences = [d for d in comparison.differences if (d.name, d.measure) == (name, m)]
            missing: list[Cell] = [None] * (len(CSV_HEADER) - len(own))
            rows += [own + _full(d) for d in differences] or [own + missing]
    return rows


def _full(d: "Difference") -> list[Cell]:
    return [
        d.baseline, d.difference, d.low, d.high, d.wins, d.ties, d.losses, d.p_t, d.p_t_holm, d.p, d.p_holm,
        d.detectable, d.verdict, d.n_queries,
    ]  # fmt: skip
