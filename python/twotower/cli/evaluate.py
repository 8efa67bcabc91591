"""`twotower evaluate`: measure a run file, an engine, or plain BM25."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twotower.cli.options import common, emit, log, use_threads

if TYPE_CHECKING:
    from twotower.types import Collection, Qrels, Run

MEASURES = ("nDCG@10", "RR@10", "R@100", "AP")
DEPTH = 1000  # a hybrid lists fewer: what its searchers bring


@click.command()
@click.argument("source", required=False)
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option(
    "--engine", "engine_folder", type=click.Path(path_type=Path), help="Engine to measure. Without: BM25 is built."
)
@click.option("--run", "run_file", type=click.Path(path_type=Path), help="TREC run to measure instead.")
@click.option("--qrels", "qrels_file", type=click.Path(path_type=Path), help="TREC qrels for --run, instead of SOURCE.")
@click.option("--split", "splits", multiple=True, help="Judgements to use; may be given several times. [default: test]")
@click.option(
    "-m",
    "--measure",
    "measures",
    multiple=True,
    help=f"ir-measures name; several allowed. [default: {' '.join(MEASURES)}]",
)
@click.option("--inside-records", is_flag=True, help="Also rank each query's own candidate passages (MS MARCO v1.1).")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the run of the last split as a TREC file."
)
@common
def evaluate(
    source: str | None, config: str | None, engine_folder: Path | None, run_file: Path | None, qrels_file: Path | None,
    splits: tuple[str, ...], measures: tuple[str, ...], inside_records: bool, out: Path | None,
    threads: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Measure ranked lists.

    Either `twotower evaluate SOURCE [--engine FOLDER | --run FILE]`, where SOURCE is a collection with judgements, or
    `twotower evaluate --run FILE --qrels FILE`.
    """
    from twotower.data import load_collection, read_qrels, read_run, write_run

    measures, splits = measures or MEASURES, splits or ("test",)
    if run_file is not None and (engine_folder is not None or inside_records):
        raise click.UsageError("--run is measured as it is: leave out --engine and --inside-records")
    if source is None:
        if run_file is None or qrels_file is None:
            raise click.UsageError("give a SOURCE with judgements, or both --run and --qrels")
        if out is not None:
            raise click.UsageError("--out writes the run of a SOURCE: with --run there is one already")
        rows = [_measure("run", str(qrels_file), read_run(run_file), read_qrels(qrels_file), measures)]
    else:
        if qrels_file is not None:
            raise click.UsageError("SOURCE has judgements of its own: leave out --qrels")
        threads = use_threads(threads)
        log(f"reading {source}")
        collection = load_collection(source, config=config)
        if run_file is not None:
            run = read_run(run_file)
            rows = [_measure("run", split, run, collection.split(split), measures) for split in splits]
        else:
            rows, run = _search_and_measure(collection, engine_folder, splits, measures, inside_records, threads)
        if out is not None:
            write_run(run, out)
            log(f"wrote {out}")
    emit(rows, as_json, _table(rows, measures))


def _search_and_measure(
    collection: "Collection", engine_folder: Path | None, splits: tuple[str, ...], measures: tuple[str, ...],
    inside_records: bool, threads: int,
) -> "tuple[list[dict[str, Any]], Run]":  # fmt: skip
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
        for name, searcher in searchers.items():
            run = search_split(searcher, collection, split, k=DEPTH)
            rows.append(_measure(name, split, run, collection.split(split), measures))
        if inside_records:
            where = f"{split}, inside the records"
            rows.append(_chance(collection, split, where, measures))
            for name, searcher in searchers.items():
                ranked = rank_candidates(searcher, collection, split)
                rows.append(_measure(name, where, ranked, collection.split(split), measures))
    return rows, run


def _chance(collection: "Collection", split: str, where: str, measures: tuple[str, ...]) -> dict[str, Any]:
    """Return what a random order of each record reaches: exact for RR and RR@k, absent for other measures."""
    from twotower.evaluation import parse_measure
    from twotower.search import expected_random_rr

    qrels = collection.split(split)
    row: dict[str, Any] = {"searcher": "random order, expected", "split": where, "queries": len(qrels)}
    for measure in map(parse_measure, measures):
        if measure.metric == "RR":
            expected = 0.0
            for query_id, judged in qrels.items():
                inside = collection.candidates.get(query_id, [])
                n_relevant = sum(judged.get(doc_id, 0) >= measure.rel for doc_id in inside)
                expected += expected_random_rr(len(inside), n_relevant, measure.k) / len(qrels)
            row[measure.name] = expected
    return row


def _measure(name: str, where: str, run: "Run", qrels: "Qrels", measures: tuple[str, ...]) -> dict[str, Any]:
    from twotower.evaluation import evaluate as means

    return {"searcher": name, "split": where, "queries": len(qrels), **means(run, qrels, measures)}


def _table(rows: list[dict[str, Any]], measures: tuple[str, ...]) -> str:
    lines = [f"| split | queries | searcher | {' | '.join(measures)} |", "|---|---|---|" + "---|" * len(measures)]
    for row in rows:
        figures = " | ".join(f"{row[measure]:.4f}" if measure in row else "" for measure in measures)
        lines.append(f"| {row['split']} | {row['queries']} | {row['searcher']} | {figures} |")
    return "\n".join(lines)
