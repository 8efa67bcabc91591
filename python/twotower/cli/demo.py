"""`twotower demo`: learn to search the Python documentation of this machine."""

import time
from dataclasses import asdict
from pathlib import Path

import click

from twotower.cli.options import OutFolder, common, emit, interactive, log, use_threads
from twotower.cli.search import converse, show

SOURCE = "python-docs"
TOWERS = ("average", "gru")
QUERIES = (
    "read a comma separated file into a table",
    "shortest path between two nodes of a weighted graph",
    "gradient of a tensor with respect to some inputs",
)


@click.command()
@click.option(
    "--out",
    type=OutFolder(),
    help="Keep the engine in this folder, for `twotower search`.",
)
@click.option("-k", default=3, show_default=True, type=click.IntRange(1, 100), help="Hits to show for a query.")
@common
def demo(out: Path | None, k: int, threads: int, seed: int, as_json: bool) -> None:
    """Learn to search the Python documentation installed on this machine. Needs no argument, network or GPU.

    The first sentence of each docstring asks for the rest of it. Two towers are trained on the train split and shown on
    held-out queries beside BM25, their untrained and shuffled twins, and the hybrid; then some queries are answered.
    """
    from twotower.data import load_collection
    from twotower.engine import Engine
    from twotower.experiments import RECIPES, learning_experiment

    started = time.perf_counter()
    threads = use_threads(threads)
    log("reading the documentation of installed packages (parsed from source, nothing is imported)")
    collection = load_collection(SOURCE)
    pairs = {split: len(collection.pairs(split)) for split in collection.qrels}
    log(f"{len(collection.corpus):,} documents; pairs: " + ", ".join(f"{split} {n:,}" for split, n in pairs.items()))
    result = learning_experiment(collection, [RECIPES[name] for name in TOWERS], seeds=[seed], threads=threads, log=log)
    engine = Engine.build(collection, model=result.models[0], threads=threads)
    answers = {query: engine.search(query, k) for query in QUERIES}
    seconds = time.perf_counter() - started
    document = {
        **result.to_dict(),
        "demo_seconds": seconds,
        "answers": {query: [asdict(hit) for hit in hits] for query, hits in answers.items()},
    }
    shown = "\n\n".join(show(query, hits) for query, hits in answers.items())
    emit(document, as_json, f"{result.to_markdown()}\n\n{shown}\n\n{seconds:.0f} s on {threads} threads, seed {seed}")
    if out is not None:
        engine.save(out)
        log(f"saved the engine to {out}")
    if interactive() and not as_json:
        converse(engine, k)
