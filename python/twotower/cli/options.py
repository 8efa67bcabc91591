"""Options and output that every verb shares."""

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def common(command: Command) -> Command:
    """Add `--json --seed --threads` to a verb."""
    for option in (
        click.option("--threads", type=click.IntRange(0), default=0, show_default=True, help="0: every core."),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all chance."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output."),
    ):
        command = option(command)
    return command


def log(message: str) -> None:
    """Write a line of progress to standard error."""
    click.echo(message, err=True)


def emit(document: Any, as_json: bool, text: str) -> None:
    """Print the result of a verb: one JSON document, or its text form."""
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else text)


def interactive() -> bool:
    """Tell whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def use_threads(threads: int) -> int:
    """Give torch the asked number of threads (0: every core) and return it."""
    import torch

    from twotower.hardware import backend

    threads = threads or backend().threads
    torch.set_num_threads(threads)
    return threads
