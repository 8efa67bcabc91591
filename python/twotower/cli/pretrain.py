"""`twotower pretrain`: a model from texts alone, to search with or to start `twotower train` from."""

from pathlib import Path
from typing import Any

import click

from twotower.cli.options import OutFolder, common, emit, log, use_threads

STEPS = ("word2vec", "ict", "titles")


@click.command()
@click.argument("sources", nargs=-1, required=True)
@click.option("--out", type=OutFolder(), required=True, help="Folder to save the model in.")
@click.option(
    "--step",
    "steps",
    multiple=True,
    type=click.Choice(STEPS),
    help="What to learn, in this order; may be given several times. [default: ict]",
)
@click.option("--start", type=click.Path(), help="Folder of a model to go on with, instead of a new average tower.")
@click.option("--tokens", type=click.IntRange(1), help="Read subwords of a vocabulary of this size, instead of words.")
@click.option("--dim", default=256, show_default=True, type=click.IntRange(1), help="Width of the new tower.")
@click.option("--epochs", default=3, show_default=True, type=click.IntRange(1), help="Of each step.")
@click.option(
    "--batch-size", default=1024, show_default=True, type=click.IntRange(2), help="Pairs that meet in a step."
)
@click.option("--lr", default=0.1, show_default=True, type=float, help="Of ict and titles.")
@common
def pretrain(
    sources: tuple[str, ...], out: Path, steps: tuple[str, ...], start: str | None, tokens: int | None, dim: int, epochs: int,
    batch_size: int, lr: float, threads: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Learn from the texts of SOURCES, without a label, and save the model.

    The vocabulary comes from all texts; where a source has a split "valid", the first such chooses the best epoch of ict and
    titles. Then: twotower train SOURCE --start OUT.
    """
    from twotower.data import load_collection
    from twotower.pretraining.run import joined_corpora, new_model, run_step
    from twotower.towers import TwoTower
    from twotower.towers.saving import check_target

    threads = use_threads(threads)
    check_target(out)
    collections = []
    for source in sources:
        log(f"reading {source}")
        collections.append(load_collection(source))
    corpus = joined_corpora(collections)
    model = (
        TwoTower.from_pretrained(start) if start is not None else new_model(corpus, dim=dim, n_tokens=tokens, seed=seed)
    )
    labelled = next((collection for collection in collections if "valid" in collection.qrels), None)
    done: list[dict[str, Any]] = []
    for step in steps or ("ict",):
        log(f"{step}: {len(corpus.corpus)} texts")
        settings = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed, "threads": threads}
        done.append(run_step(model, step, corpus, labelled, **settings))
        log(", ".join(f"{name} {value}" for name, value in done[-1].items()))
    model.save_pretrained(out)
    document = {"out": str(out), "n_texts": len(corpus.corpus), "n_terms": model.reader.n_terms, "steps": done}
    emit(document, as_json, f"saved the model to {out}; go on with: twotower train {sources[0]} --start {out}")
