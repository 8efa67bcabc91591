"""Files of runs and judgements, fed chunk by chunk to the C++ core.

Knows how an error of the core is said: as `twotower.data.trec` says it, which is the oracle of the core's reader. Holds no more of
a file than one chunk.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, TypeVar

from twotower.data.beir import beir_row, is_beir_header
from twotower.data.rows import StrPath, byte_chunks, decoded, lines
from twotower.data.trec import qrels_row, run_row
from twotower.errors import DataFormatError
from twotower.evaluation.native import core

Result = TypeVar("Result", covariant=True)


class Reader(Protocol[Result]):
    """What takes the bytes of a file."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def finish(self) -> Result:
        """Take the end of the file."""


def is_path(value: object) -> bool:
    """Tell whether a value names a file."""
    return isinstance(value, str | PathLike)


def feed_run(path: StrPath, reader: Reader[Result]) -> Result:
    """Give all of a run file to `reader` and return what it finishes with; plain, .gz or .xz.

    Raises
    ------
    DataFormatError, FileError, CorruptFileError
        As `twotower.read_run`.
    """
    with _said(Path(path), run_row):
        return _feed(Path(path), reader)


def feed_qrels(path: StrPath, reader: Reader[Result]) -> Result:
    """Give all of a file of judgements, TREC or BEIR, to `reader`; errors as `twotower.read_qrels`."""
    path = Path(path)
    first = next(lines(path), None)
    beir = first is not None and is_beir_header(first[1])
    with _said(path, beir_row if beir else qrels_row):
        return _feed(path, reader)


def _feed(path: Path, reader: Reader[Result]) -> Result:
    for chunk in byte_chunks(path):
        reader.feed(chunk)
    return reader.finish()


@contextmanager
def _said(path: Path, row: Callable[[str, str], Any]) -> Iterator[None]:
    """Say a bad line as `row`, which reads one line in Python, says it."""
    try:
        yield
    except core.BadLine as error:
        number, raw, why = error.args
    else:
        return
    where = f"{path}, line {number}"
    row(decoded(raw, where), where)
    raise DataFormatError(f"{where}: {why}")
