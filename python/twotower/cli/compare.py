"""`twotower compare`: whether one run is better than another on the same queries."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twotower.cli.options import OutFile, common, emit, log

if TYPE_CHECKING:
    from twotower.evaluation import Comparison
    from twotower.types import Qrels, Run

FAILED = "FAILED"  # in the place of a file: ./FAILED is one of that name
FORMATS = ("markdown", "latex", "csv")


@click.command()
@click.argument("runs", nargs=-1, metavar="NAME=RUN...")
@click.option("--qrels", "qrels_file", type=click.Path(path_type=Path), help="Judgements: a TREC or BEIR qrels file.")
@click.option("--collection", "source", help="Collection with judgements, instead of --qrels.")
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option("--split", help="Judgements of the collection to use. [default: test]")
@click.option(
    "-m", "--measure", "measures", multiple=True, help="ir-measures name; several allowed. [default: nDCG@10]"
)
@click.option("--baseline", help="Name that the others are compared with. [default: the first]")
@click.option("--all-pairs", is_flag=True, help="Compare each run with every one before it.")
@click.option("--margin", type=float, help="A loss too small to matter: adds the verdict 'not worse by' it.")
@click.option("--confidence", default=0.95, show_default=True, help="Of the intervals, and 1 - level of the tests.")
@click.option("--resamples", default=10_000, show_default=True, type=click.IntRange(1, 10_000_000), help="Resamples.")
@click.option(
    "--format", "written_as", type=click.Choice(FORMATS), default="markdown", show_default=True, help="Of the tables."
)
@click.option("--out", type=OutFile(), help="Also write the tables to a file.")
@common
def compare(
    runs: tuple[str, ...], qrels_file: Path | None, source: str | None, config: str | None, split: str | None,
    measures: tuple[str, ...], baseline: str | None, all_pairs: bool, margin: float | None, confidence: float,
    resamples: int, written_as: str, out: Path | None, threads: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Compare TREC runs: paired tests, intervals, what the queries can show.

    A NAME given several times is a system trained with several seeds. NAME=FAILED, or a run file that is empty, is a seed
    that failed: it is shown, and the means of the others stand beside the mean that counts it as 0.
    """
    from twotower.evaluation import compare as compare_runs
    from twotower.storage import write_file_atomically

    files = _files(runs)
    if (qrels_file is None) == (source is None):
        raise click.UsageError("give the judgements: either --qrels FILE or --collection SOURCE")
    if qrels_file is not None and (config is not None or split is not None):
        raise click.UsageError("--config and --split belong to --collection: leave them out with --qrels")
    qrels = _qrels(qrels_file, source, config, split or "test")
    found = compare_runs(
        {name: [_read(name, path) for path in paths] for name, paths in files.items()},
        qrels, measures or ("nDCG@10",), baseline=baseline, all_pairs=all_pairs, margin=margin, n_resamples=resamples,
        confidence=confidence, seed=seed,
    )  # fmt: skip
    for note in found.notes:
        log(f"WARNING: {note}")
    text = _written(found, written_as)
    if out is not None:
        write_file_atomically(out, (text.rstrip("\n") + "\n").encode())
        log(f"wrote {out}")
    emit(found.to_dict(), as_json, text.rstrip("\n"))
    if not found.differences:
        log("nothing could be compared: the runs of all systems but one, or of the baseline, failed")
        raise SystemExit(1)


def _files(runs: tuple[str, ...]) -> dict[str, list[Path | None]]:
    """Return name to files, None for a run that failed; refuse what is not NAME=RUN, and a file that stands twice under one name."""
    files: dict[str, list[Path | None]] = {}
    for argument in runs:
        name, equals, path = argument.partition("=")
        if not (name.strip() and equals and path):
            raise click.UsageError(f"{argument!r} is not NAME=RUN: write such as bm25=bm25.trec")
        file = None if path == FAILED else Path(path)
        if file is not None and file in files.get(name, ()):
            raise click.UsageError(f"{path} is given twice for {name!r}: a second seed needs a run of its own")
        files.setdefault(name, []).append(file)
    return files


def _qrels(file: Path | None, source: str | None, config: str | None, split: str) -> "Qrels":
    from twotower.data import load_collection, read_qrels

    if file is not None:
        return read_qrels(file)
    log(f"reading {source}")
    return load_collection(str(source), config=config).split(split)


def _read(name: str, path: Path | None) -> "Run | None":
    """Return a run, or None for one that failed; a file that is missing or malformed is an error: it may be a slip."""
    from twotower.data import read_run
    from twotower.errors import FileError

    if path is None:
        return None
    try:
        run = read_run(path)
    except FileError as error:
        raise FileError(f"{error}. If that seed of {name} failed, write {name}={FAILED}") from error
    if not run:
        log(f"a run of {name} counts as failed: {path} is empty")
        return None
    return run


def _written(found: "Comparison", written_as: str) -> str:
    return {"markdown": found.to_markdown, "latex": found.to_latex, "csv": found.to_csv}[written_as]()
