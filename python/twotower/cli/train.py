"""`twotower train`: train a tower, and show it beside its twins."""

from pathlib import Path
from typing import Any

import click

from twotower.cli.options import OutFolder, common, emit, log, use_threads


@click.command()
@click.argument("source")
@click.option(
    "--out",
    type=OutFolder(),
    help="Folder to save the trained model in (the first one), with its learning curves as metrics.jsonl.",
)
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option("--tower", "towers", multiple=True, help="Recipe; may be given several times. [default: average]")
@click.option("--test", "tests", multiple=True, help="Test split; may be given several times. [default: test]")
@click.option(
    "--seeds", default=1, show_default=True, type=click.IntRange(1), help="Train with so many seeds from --seed on."
)
@click.option("--epochs", type=click.IntRange(1), help="Instead of the recipe's.")
@click.option("--loss", help="Instead of the recipe's: in_batch or triplet.")
@common
def train(
    source: str, out: Path | None, config: str | None, towers: tuple[str, ...], tests: tuple[str, ...], seeds: int,
    epochs: int | None, loss: str | None, threads: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Train towers on the split "train", choose on "valid", and print the table of the test splits.

    Each trained tower stands beside its twins: untrained, and trained on shuffled pairs; with random, query-blind, BM25 and hybrid rows.
    """
    from dataclasses import replace

    from twotower.data import load_collection
    from twotower.experiments import RECIPES, learning_experiment
    from twotower.registry import choose

    threads = use_threads(threads)
    chosen: dict[str, Any] = {key: value for key, value in (("epochs", epochs), ("loss", loss)) if value is not None}
    recipes = [choose(RECIPES, name, "recipe") for name in towers or ("average",)]
    recipes = [replace(recipe, training={**recipe.training, **chosen}) for recipe in recipes]
    if out is not None:
        from twotower.towers.saving import check_target

        check_target(out)
    log(f"reading {source}")
    collection = load_collection(source, config=config)
    result = learning_experiment(
        collection, recipes, tests=tests or ("test",), seeds=range(seed, seed + seeds), threads=threads, log=log
    )
    emit(result.to_dict(), as_json, result.to_markdown())
    if out is not None:
        from twotower.training.log import write_history

        result.models[0].save_pretrained(out)
        write_history(result.histories[0], out / "metrics.jsonl")
        log(f"saved the model to {out}")
