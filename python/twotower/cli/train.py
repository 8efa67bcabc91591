"""`twotower train`: train a tower, and show it beside its twins."""

from pathlib import Path
from typing import Any

import click

from twotower.cli.options import OutFolder, common, emit, log, use_threads
from twotower.losses import LOSSES
from twotower.negatives import NEGATIVES
from twotower.registry import choose


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
@click.option("--loss", help=f"Instead of the recipe's: one of {', '.join(sorted(LOSSES))}.")
@click.option(
    "--start",
    type=click.Path(),
    help="Folder of a model, such as `twotower pretrain` makes: every tower starts with its weights.",
)
@click.option("--negatives", help=f"Besides those of the batch: one of {', '.join(sorted(NEGATIVES))}.")
@common
def train(
    source: str, out: Path | None, config: str | None, towers: tuple[str, ...], tests: tuple[str, ...], seeds: int,
    epochs: int | None, loss: str | None, start: str | None, negatives: str | None, threads: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Train towers on the split "train", choose on "valid", and print the table of the test splits.

    Each trained tower stands beside its twins: untrained, and trained on shuffled pairs; with random, query-blind, BM25 and hybrid rows.
    """
    from dataclasses import replace

    from twotower.data import load_collection
    from twotower.experiments import RECIPES, learning_experiment

    threads = use_threads(threads)
    given = {"epochs": epochs, "loss": loss, "negatives": negatives}
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    for registry, name, kind in ((LOSSES, loss, "loss"), (NEGATIVES, negatives, "negatives")):
        if name is not None:
            choose(registry, name, kind)
    recipes = [choose(RECIPES, name, "recipe") for name in towers or ("average",)]
    recipes = [replace(recipe, start=start, training={**recipe.training, **chosen}) for recipe in recipes]
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
