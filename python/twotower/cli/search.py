"""`twotower search`: ask an engine folder."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twotower.cli.options import common, emit, interactive, use_threads
from twotower.errors import DataFormatError

if TYPE_CHECKING:
    from twotower.engine import Engine, EngineHit


def show(query: str, hits: "list[EngineHit]") -> str:
    """Return the hits of a query as text: rank, score, title, id, snippet."""
    lines = [f"» {query}"]
    for rank, hit in enumerate(hits, 1):
        parts = ", ".join(f"{name} {share:.3f}" for name, share in hit.parts.items())
        lines.append(f"{rank:3}. {hit.title or hit.doc_id}   {hit.score:.4f} = {parts}")
        lines.append(f"     {hit.snippet}")
    return "\n".join(lines if hits else [*lines, "     nothing found"])


def converse(engine: "Engine", k: int) -> None:
    """Answer what a person types until an empty line or the end of input."""
    while query := click.prompt("query (empty line ends)", default="", show_default=False).strip():
        click.echo(show(query, engine.search(query, k)))


def read_lines() -> list[str]:
    """Return the lines of standard input, or stop with the number of the first that is not UTF-8."""
    lines = sys.stdin.buffer.read().split(b"\n") if sys.stdin else []
    read = []
    for number, line in enumerate(lines if not lines or lines[-1] else lines[:-1], 1):
        try:
            read.append(line.rstrip(b"\r").decode())
        except UnicodeDecodeError as error:
            raise DataFormatError(
                f"line {number} of standard input is not UTF-8 ({error.reason} at its byte {error.start}): convert the "
                "queries to UTF-8; none was searched"
            ) from error
    return read


@click.command()
@click.argument("engine_folder", type=click.Path(path_type=Path))
@click.argument("query", nargs=-1)
@click.option("-k", default=10, show_default=True, type=click.IntRange(0, 10_000), help="Hits to show.")
@common
def search(engine_folder: Path, query: tuple[str, ...], k: int, threads: int, seed: int, as_json: bool) -> None:
    """Search an engine folder. The words after it are one query; without any, queries are read line by line, as UTF-8."""
    from twotower.engine import Engine

    use_threads(threads)
    engine = Engine.load(engine_folder)
    if not query and interactive() and not as_json:
        converse(engine, k)
        return
    queries = [" ".join(query)] if query else read_lines()
    found = [engine.search(text, k) for text in queries]
    document = [
        {"query": text, "hits": [asdict(hit) for hit in hits]} for text, hits in zip(queries, found, strict=True)
    ]
    emit(document, as_json, "\n\n".join(show(text, hits) for text, hits in zip(queries, found, strict=True)))
