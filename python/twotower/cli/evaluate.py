"""`twotower evaluate`: measure run files, an engine, or plain BM25."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twotower.cli.options import OutFile, common, emit, log, use_threads

if TYPE_CHECKING:
    from twotower.evaluation import QrelsTable, QueryTable
    from twotower.types import Collection, Run

MEASURES = ("nDCG@10", "RR@10", "R@100", "AP")
DEPTH = 1000  # a hybrid lists fewer: what its searchers bring


@dataclass(frozen=True)
class Row:
    """One line of the result: a system on the judgements of a split."""

    searcher: str
    split: str
    queries: int
    table: "QueryTable | None" = None  # none for what is computed without a run
    expected: "dict[str, float] | None" = None

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        row: dict[str, Any] = {"searcher": self.searcher, "split": self.split, "queries": self.queries}
        if self.table is None:
            return {**row, **(self.expected or {})}
        return {**row, "missing": self.table.n_missing, "warnings": list(self.table.warnings), **self.table.means()}


@click.command()
@click.argument("source", required=False)
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option(
    "--engine", "engine_folder", type=click.Path(path_type=Path), help="Engine to measure. Without: BM25 is built."
)
@click.option(
    "--run", "runs", multiple=True, help="TREC run to measure instead: FILE or NAME=FILE; several stand side by side."
)
@click.option(
    "--qrels", "qrels_file", type=click.Path(path_type=Path), help="Qrels (TREC or BEIR) for --run, instead of SOURCE."
)
@click.option("--split", "splits", multiple=True, help="Judgements to use; may be given several times. [default: test]")
@click.option(
    "-m",
    "--measure",
    "measures",
    multiple=True,
    help=f"ir-measures name, such as \"nDCG(dcg='exp-log2')@10\"; several allowed. [default: {' '.join(MEASURES)}]",
)
@click.option("--inside-records", is_flag=True, help="Also rank each query's own candidate passages (MS MARCO v1.1).")
@click.option("--out", type=OutFile(), help="Write the run of the last split as a TREC file.")
@click.option("--per-query", type=OutFile(), help="Write the values of each query as CSV (one split).")
@common
def evaluate(
    source: str | None, config: str | None, engine_folder: Path | None, runs: tuple[str, ...], qrels_file: Path | None,
    splits: tuple[str, ...], measures: tuple[str, ...], inside_records: bool, out: Path | None, per_query: Path | None,
    threads: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Measure ranked lists.

    Either `twotower evaluate SOURCE [--engine FOLDER | --run FILE]`, where SOURCE is a collection with judgements, or
    `twotower evaluate --run FILE --qrels FILE`. A judged query that a run lacks counts 0.
    """
    from twotower.data import load_collection, write_run
    from twotower.evaluation import QrelsTable
    from twotower.evaluation.measures import parse_measures

    measures, splits = measures or MEASURES, splits or ("test",)
    parse_measures(measures)  # before any work
    files = _named_files(runs)
    if files and (engine_folder is not None or inside_records):
        raise click.UsageError("--run is measured as it is: leave out --engine and --inside-records")
    if files and out is not None:
        raise click.UsageError("--out writes the run of a SOURCE: with --run there is one already")
    if per_query is not None and (len(splits) > 1 or inside_records):
        raise click.UsageError("--per-query writes one table: give one --split, and no --inside-records")
    if source is None:
        if not files or qrels_file is None:
            raise click.UsageError("give a SOURCE with judgements, or both --run and --qrels")
        rows = list(_measure_files(files, str(qrels_file), QrelsTable.read(qrels_file), measures))
    else:
        if qrels_file is not None:
            raise click.UsageError("SOURCE has judgements of its own: leave out --qrels")
        threads = use_threads(threads)
        log(f"reading {source}")
        collection = load_collection(source, config=config)
        if files:
            tables = {split: QrelsTable.from_qrels(collection.split(split)) for split in splits}
            rows = [row for split, table in tables.items() for row in _measure_files(files, split, table, measures)]
        else:
            rows, run = _search_and_measure(collection, engine_folder, splits, measures, inside_records, threads)
            if out is not None:
                write_run(run, out)
                log(f"wrote {out}")
    if per_query is not None:
        _write_per_query(rows, per_query)
    _warn(rows)
    emit([row.to_dict() for row in rows], as_json, _table(rows, measures))


def _named_files(runs: tuple[str, ...]) -> dict[str, Path]:
    """Return name to path; the name of a file that is given without one is its stem."""
    files: dict[str, Path] = {}
    for given in runs:
        name, equals, path = given.partition("=")
        if not equals or Path(given).exists():  # a file may have "=" in its name
            name, path = ("run" if len(runs) == 1 else Path(given).stem), given
        if not name or not path:
            raise click.UsageError(f"--run {given!r}: write FILE or NAME=FILE")
        if name in files:
            raise click.UsageError(f"--run: two runs are called {name!r}: write NAME=FILE")
        files[name] = Path(path)
    return files


def _measure_files(files: dict[str, Path], where: str, qrels: "QrelsTable", measures: tuple[str, ...]) -> Iterator[Row]:
    from twotower.evaluation import evaluate_table

    for name, path in files.items():
        yield Row(name, where, len(qrels), evaluate_table(path, qrels, measures))


def _search_and_measure(
    collection: "Collection", engine_folder: Path | None, splits: tuple[str, ...], measures: tuple[str, ...],
    inside_records: bool, threads: int,
) -> "tuple[list[Row], Run]":  # fmt: skip
    from twotower.evaluation import evaluate_table
    from twotower.index import BM25Index
    from twotower.search import rank_candidates, search_split

    if engine_folder is None:
        texts = [document.full_text for document in collection.corpus.values()]
        searchers: dict[str, Any] = {"BM25": BM25Index.build(texts, list(collection.corpus), threads=threads)}
    else:
        from twotower.engine import Engine

        engine = Engine.load(engine_folder)
        searchers = engine.searchers
    rows = []
    run: Run = {}
    for split in splits:
        qrels = collection.split(split)
        for name, searcher in searchers.items():
            run = search_split(searcher, collection, split, k=DEPTH)
            rows.append(Row(name, split, len(qrels), evaluate_table(run, qrels, measures)))
        if inside_records:
            where = f"{split}, inside the records"
            rows.append(_chance(collection, split, where, measures))
            for name, searcher in searchers.items():
                ranked = rank_candidates(searcher, collection, split)
                rows.append(Row(name, where, len(qrels), evaluate_table(ranked, qrels, measures)))
    return rows, run


def _chance(collection: "Collection", split: str, where: str, measures: tuple[str, ...]) -> Row:
    """Return what a random order of each record reaches: exact for RR and RR@k, absent for other measures."""
    from twotower.evaluation import parse_measure
    from twotower.search import expected_random_rr

    qrels = collection.split(split)
    expected: dict[str, float] = {}
    for measure in map(parse_measure, measures):
        if measure.metric == "RR":
            expected[measure.name] = 0.0
            for query_id, judged in qrels.items():
                inside = collection.candidates.get(query_id, [])
                n_relevant = sum(judged.get(doc_id, 0) >= measure.rel for doc_id in inside)
                expected[measure.name] += expected_random_rr(len(inside), n_relevant, measure.k) / len(qrels)
    return Row("random order, expected", where, len(qrels), expected=expected)


def _write_per_query(rows: list[Row], path: Path) -> None:
    from twotower.evaluation.query_table import write_csv

    tables = {row.searcher: row.table for row in rows if row.table is not None}
    write_csv(tables if len(tables) > 1 else dict.fromkeys([""], *tables.values()), path)
    log(f"wrote {path}")


def _warn(rows: list[Row]) -> None:
    """Say on standard error what figures alone would hide."""
    for row in rows:
        for warning in row.table.warnings if row.table else ():
            log(f"WARNING: {row.searcher} on {row.split}: {warning}")
        if row.table and row.table.n_missing > 0 and not row.table.warnings:
            log(
                f"{row.searcher} on {row.split}: {row.table.n_missing} of {row.queries} judged queries are missing, and count 0"
            )


def _table(rows: list[Row], measures: tuple[str, ...]) -> str:
    from twotower.evaluation.tables import Table, to_markdown

    cells = []
    for row in rows:
        values = row.table.means() if row.table else row.expected or {}
        figures = [f"{values[measure]:.4f}" if measure in values else "" for measure in measures]
        missing = str(row.table.n_missing) if row.table else ""
        cells.append([row.split, str(row.queries), missing, row.searcher, *figures])
    return to_markdown([Table(["split", "queries", "missing", "searcher", *measures], cells)])
