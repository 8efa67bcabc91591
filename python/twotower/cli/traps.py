"""`twotower traps`: retrieval traps before BM25 or the parts of an engine."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twotower.cli.options import common, emit, log, use_threads

if TYPE_CHECKING:
    from twotower.experiments.traps_scorers import Scorer


@click.command()
@click.option(
    "--engine", "engine_folder", type=click.Path(path_type=Path), help="Engine to test. Without: BM25 over the traps."
)
@click.option(
    "--items", "n", default=40, show_default=True, type=click.IntRange(2, 10_000), help="Items for each subcase, even."
)
@click.option(
    "--examples", default=3, show_default=True, type=click.IntRange(0), help="Wrong items to show a searcher."
)
@common
def traps(engine_folder: Path | None, n: int, examples: int, threads: int, seed: int, as_json: bool) -> None:
    """Show what a searcher gets wrong: role swaps, negation, numbers, lexical overlap.

    Each item is a question with two passages. The breakdown stands beside shortcuts (the longer passage, common words, common
    pairs of words) and controls, whose wrong passage is about something else.
    """
    from twotower.data import trap_items
    from twotower.experiments.traps import trap_report
    from twotower.experiments.traps_scorers import engine_scorers, lexical_scorer
    from twotower.index import BM25Index

    items = trap_items(seed, n)
    scorers: dict[str, Scorer]
    if engine_folder is None:
        scorers = {"BM25": lexical_scorer(BM25Index, items)}
    else:
        from twotower.engine import Engine

        use_threads(threads)
        engine = Engine.load(engine_folder)
        log(f"indexing {len(engine):,} documents and the passages of {len(items):,} items")
        scorers = engine_scorers(engine, items)
    report = trap_report(scorers, items)
    emit(report.to_dict(), as_json, report.to_markdown(examples))
