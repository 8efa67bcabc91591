"""Options and output that every verb shares."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def common(command: Command) -> Command:
    """Add `--json --seed --threads` to a verb."""
    for option in (
        click.option("--threads", type=click.IntRange(0, 1024), default=0, show_default=True, help="0: every core."),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all chance."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output."),
    ):
        command = option(command)
    return command


class OutFolder(click.Path):
    """A folder to write: refused before any work if it is a file or cannot be made or written."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("the name of the folder is empty", param, ctx)
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        there = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            self.fail(f"{path} cannot be written: {there} is no folder that you may write to", param, ctx)
        return path


class OutFile(click.Path):
    """A file to write: refused before any work if its folder is missing or it cannot be written."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("the name of the file is empty", param, ctx)
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        folder = path.absolute().parent
        if not folder.is_dir():
            self.fail(f"{path} cannot be written: there is no folder {folder}", param, ctx)
        if not os.access(folder, os.W_OK):
            self.fail(f"{path} cannot be written: you may not write to {folder}", param, ctx)
        return path


def log(message: str) -> None:
    """Write a line of progress to standard error."""
    click.echo(message, err=True)


def emit(document: Any, as_json: bool, text: str) -> None:
    """Print the result of a verb: one JSON document, or its text form."""
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else text)


def interactive() -> bool:
    """Tell whether a person sits at both ends."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def use_threads(threads: int) -> int:
    """Give torch the asked number of threads (0: every core) and return it."""
    import torch

    from twotower.hardware import backend

    threads = threads or backend().threads
    torch.set_num_threads(threads)
    return threads
