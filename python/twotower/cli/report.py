"""`twotower report`: one HTML page about runs."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from twotower.cli.evaluate import MEASURES
from twotower.cli.options import OutFile, common, emit, log


class NamedPath(click.Path):
    """NAME=PATH, or PATH alone, which the file's name without its ending names."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return (name, path)."""
        if isinstance(value, tuple):
            return value
        name, equals, path = value.partition("=")
        if not equals:
            name, path = Path(value).stem, value
        if not name or not path:
            self.fail(f"{value!r}: write NAME=PATH, such as bm25=bm25.trec", param, ctx)
        return name, Path(path)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=NamedPath(), metavar="NAME=RUN...")
@click.option("--collection", "source", help="Collection with judgements and texts.")
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option("--split", default="test", show_default=True, help="Judgements of the collection to use.")
@click.option("--qrels", "qrels_file", type=click.Path(path_type=Path), help="TREC qrels instead: no texts.")
@click.option("--baseline", help="Name of the run to compare with. [default: the first]")
@click.option(
    "-m",
    "--measure",
    "measures",
    multiple=True,
    help=f"ir-measures name; several allowed, the first orders queries. [default: {' '.join(MEASURES)}]",
)
@click.option(
    "--history", "histories", multiple=True, type=NamedPath(), metavar="NAME=PATH",
    help="A training to draw: its metrics.jsonl, or the folder (of the run, or of the model) that holds it.",
)  # fmt: skip
@click.option(
    "--worst", default=10, show_default=True, type=click.IntRange(0, 100), help="Queries to show of each run."
)
@click.option("--out", required=True, type=OutFile(), help="HTML file to write.")
@common
def report(
    runs: tuple[tuple[str, Path], ...], source: str | None, config: str | None, split: str, qrels_file: Path | None,
    baseline: str | None, measures: tuple[str, ...], histories: tuple[tuple[str, Path], ...], worst: int, out: Path,
    threads: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Write one self-contained page about ranked lists: NAME=run.trec, one or several.

    Means with intervals, comparison with a baseline, precision and recall curves, differences by query, scores, learning curves, and
    the worst queries with their texts and why. Needs the libraries of `pip install "twotower[report]"`.
    """
    from twotower.data import load_collection, read_qrels, read_run
    from twotower.reporting import report as make

    if (source is None) == (qrels_file is None):
        raise click.UsageError("give either --collection SOURCE, for judgements and texts, or --qrels FILE")
    judged: Any = load_collection(source, config=config) if source is not None else read_qrels(str(qrels_file))
    page = make(
        {name: read_run(path) for name, path in _by_name(runs, "run").items()}, judged,
        split=split, measures=measures or MEASURES, baseline=baseline, histories=_by_name(histories, "history"),
        worst=worst, seed=seed, threads=threads, name=str(qrels_file), command=shlex.join(["twotower", *sys.argv[1:]]),
    )  # fmt: skip
    page.save(out)
    log(f"wrote {out}, {len(page.html.encode()):,} bytes")
    emit(page.figures.to_dict(), as_json, _table(page.figures))


def _by_name(pairs: tuple[tuple[str, Path], ...], what: str) -> dict[str, Path]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise click.UsageError(f"two {what} files are named {twice!r}: write NAME=PATH with different names")
    return named


def _table(figures: Any) -> str:
    lines = [f"| run | {' | '.join(figures.measures)} |", "|---" * (1 + len(figures.measures)) + "|"]
    for run in figures.runs:
        means = [run.means[measure] for measure in figures.measures]
        lines.append(f"| {run.name} | {' | '.join(f'{m.mean:.4f} ({m.low:.4f} to {m.high:.4f})' for m in means)} |")
    return "\n".join(lines)
