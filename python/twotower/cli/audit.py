"""`twotower audit`: evidence for and against a claim of learning."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twotower.cli.options import common, emit, log, use_threads

if TYPE_CHECKING:
    from twotower.types import Run


@click.command()
@click.argument("source")
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option("--split", "tests", multiple=True, help="Test split; several allowed. [default: all but train and valid]")
@click.option("--train", "train_split", default="train", show_default=True, help="Split that is learned from.")
@click.option("--valid", "valid_split", default="valid", show_default=True, help="Split that is chosen on.")
@click.option("--run", "run_files", multiple=True, metavar="NAME=FILE", help="TREC run to look at; several allowed.")
@click.option(
    "--model",
    "model_folder",
    type=click.Path(path_type=Path, exists=True),
    help="Trained model to set against its twins, instead of training recipes.",
)
@click.option("--recipe", "recipe_names", multiple=True, help="Tower to train beside its twins. [default: average]")
@click.option("--no-training", is_flag=True, help="Train nothing: leave the twins out.")
@click.option(
    "--seeds", default=3, show_default=True, type=click.IntRange(1), help="Train with so many seeds from --seed on."
)
@click.option("-m", "--measure", "measures", multiple=True, help="ir-measures name; verdicts speak of the first.")
@click.option("--seen", multiple=True, help="Pretrained model, training set, or file of texts that a model has seen.")
@click.option("--derived-from", multiple=True, help="Training set that the collection was made from.")
@click.option("--groups", "groups_file", type=click.Path(path_type=Path), help="Lines of doc_id, tab, page or record.")
@click.option("--check", "checks", multiple=True, help="Run this check alone; several allowed. [default: all]")
@click.option("--table", is_flag=True, help="Print the table of verdicts alone.")
@click.option("--strict", is_flag=True, help="Exit with 1 if there is a problem.")
@common
def audit(
    source: str, config: str | None, tests: tuple[str, ...], train_split: str, valid_split: str, run_files: tuple[str, ...],
    model_folder: Path | None, recipe_names: tuple[str, ...], no_training: bool, seeds: int, measures: tuple[str, ...],
    seen: tuple[str, ...], derived_from: tuple[str, ...], groups_file: Path | None, checks: tuple[str, ...], table: bool,
    strict: bool, threads: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Look for reasons not to believe a claim of learning, and print one page of verdicts.

    SOURCE is a collection with judgements. Twins that learned nothing, query-blind controls, leaks between what is learned from and
    what is tested, contamination, saturation, and the smallest difference that the test set can show.
    """
    if model_folder is not None and (recipe_names or no_training):
        raise click.UsageError("--model is set against its own twins: leave out --recipe and --no-training")
    if no_training and recipe_names:
        raise click.UsageError("--no-training leaves the twins out: leave out --recipe")
    from twotower.data import load_collection
    from twotower.experiments import RECIPES
    from twotower.experiments.audit import MEASURES
    from twotower.experiments.audit import audit as run_audit
    from twotower.registry import choose

    threads = use_threads(threads)
    runs = _runs(run_files)
    groups = _groups(groups_file) if groups_file is not None else None
    recipes = [] if no_training else [choose(RECIPES, name, "recipe") for name in recipe_names or ("average",)]
    model = None
    if model_folder is not None:
        from twotower.towers import TwoTower

        model = TwoTower.from_pretrained(model_folder)
    log(f"reading {source}")
    result = run_audit(
        load_collection(source, config=config), tests=tests or None, train=train_split, valid=valid_split, runs=runs, model=model,
        recipes=recipes, seeds=range(seed, seed + seeds), measures=measures or MEASURES, seen=seen, derived_from=derived_from,
        groups=groups, checks=checks or None, threads=threads, log=log,
    )  # fmt: skip
    emit(result.to_dict(), as_json, result.to_table() if table else result.to_markdown())
    if strict and result.problems():
        raise SystemExit(1)


def _runs(files: tuple[str, ...]) -> "dict[str, Run]":
    from twotower.data import read_run

    runs: dict[str, Run] = {}
    for item in files:
        name, equals, file = item.partition("=")
        if not equals or not name or not file:
            raise click.UsageError(f"--run {item!r}: write NAME=FILE, such as MiniLM=minilm.trec")
        runs[name] = {**runs.get(name, {}), **read_run(file)}  # one file a split may come under one name
    return runs


def _groups(path: Path) -> dict[str, str]:
    from twotower.data.rows import lines
    from twotower.errors import DataFormatError

    groups = {}
    for where, line in lines(path):
        doc_id, tab, group = line.partition("\t")
        if line and not (tab and doc_id and group):
            raise DataFormatError(f"{where}: must be doc_id, tab, group, got {line[:80]!r}")
        if line:
            groups[doc_id] = group
    return groups
