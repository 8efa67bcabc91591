"""Lines and JSON objects of data files, plain, gzip or xz. Every error names the file, the line and the field or byte.

Knows no collection: `beir`, `msmarco`, `trec` and `triples` say what the fields mean.
"""

import gzip
import json
import lzma
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from twotower.errors import CorruptFileError, DataFormatError, FileError

StrPath = str | PathLike[str]
Row = Mapping[str, Any]
Located = tuple[str, Row]
"""Where a row stands, for error messages ("corpus.jsonl, line 3"), and the row."""

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}


def suffix(path: Path) -> str:
    """Return the suffix below a compression's: ".jsonl" for x.jsonl.gz."""
    return Path(path.stem).suffix if path.suffix in _OPENERS else path.suffix


def stem(path: Path) -> str:
    """Return the name without the suffix, and without a compression's."""
    return Path(path.stem).stem if path.suffix in _OPENERS else path.stem


def byte_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file with their ends.

    Raises
    ------
    FileError
        If the file cannot be opened or read.
    CorruptFileError
        If its compressed data is damaged or cut off.
    """
    with _opened(path) as file:
        yield from file


def byte_chunks(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    """Yield the bytes of a file, decompressed, `size` at a time; errors as `byte_lines`."""
    with _opened(path) as file:
        while chunk := file.read(size):
            yield chunk


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with _OPENERS.get(path.suffix, open)(path, "rb") as file:
            if file.peek(len(BOM_UTF8))[: len(BOM_UTF8)] == BOM_UTF8:  # a mark of the file, not a part of its first id
                file.read(len(BOM_UTF8))
            yield file
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise CorruptFileError(f"{path}: damaged {path.suffix} data ({error}): fetch the file again") from error
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield ("file, line n", text) for each line, without its end (LF or CR LF).

    Raises
    ------
    DataFormatError
        If a line is not UTF-8; the byte is counted from 1 within the line.
    """
    for number, raw in enumerate(byte_lines(path), 1):
        where = f"{path}, line {number}"
        yield where, decoded(raw, where).removesuffix("\n").removesuffix("\r")


def decoded(raw: bytes, where: str) -> str:
    """Return the text of a line; errors as `lines`."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise DataFormatError(
            f"{where}, byte {error.start + 1}: invalid UTF-8 (0x{raw[error.start]:02x}): save the file as UTF-8"
        ) from error


def json_rows(path: Path, *, one_a_line: bool = False) -> Iterator[Located]:
    """Yield the objects of a JSONL file (one a line, blank lines skipped) or of a ``.json`` file (one list of them).

    `one_a_line` reads lines whatever the suffix says.

    Raises
    ------
    DataFormatError
        If a line is not JSON or not an object.
    """
    if suffix(path) == ".json" and not one_a_line:
        yield from _list_of_objects(path)
        return
    for where, line in lines(path):
        if line and not line.isspace():
            yield where, as_object(_parse(line, where), where)


def json_document(path: Path) -> Any:
    """Return what a file that is one JSON document holds.

    Raises
    ------
    DataFormatError
        If it is not JSON.
    """
    return _parse("\n".join(line for _, line in lines(path)), str(path))


def _list_of_objects(path: Path) -> Iterator[Located]:
    rows = json_document(path)
    if not isinstance(rows, list):
        raise DataFormatError(
            f"{path}: must be one list of objects, got {kind(rows)}: use .jsonl for one object a line"
        )
    for number, row in enumerate(rows, 1):
        where = f"{path}, row {number}"
        yield where, as_object(row, where)


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text.removeprefix("\ufeff"))  # a byte order mark at the beginning of a file
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise DataFormatError(f"{where}: not JSON: {error.msg} ({place}column {error.colno})") from error
    except (RecursionError, ValueError) as error:  # nested too deep, or an integer of thousands of digits
        raise DataFormatError(f"{where}: no row of data: {error}") from error


def as_object(value: Any, where: str) -> Row:
    """Return `value` if it is a mapping."""
    if not isinstance(value, Mapping):
        raise DataFormatError(f"{where}: must be an object with named fields, got {kind(value)}")
    return value


def text_field(row: Row, name: str, where: str, default: str | None = None) -> str:
    """Return a field that must be a string; `default`, where given, stands for a missing or null one.

    Raises
    ------
    DataFormatError
        If it is missing, no string, or holds a lone surrogate.
    """
    value = row.get(name)
    if value is None and default is not None:
        return default
    if name not in row:
        raise DataFormatError(f"{where}: no field {name!r}: it has {', '.join(map(repr, row)) or 'none at all'}")
    return as_text(value, f"{where}, field {name!r}")


def as_text(value: Any, where: str) -> str:
    """Return `value` if it is a string that UTF-8 can hold."""
    if not isinstance(value, str):
        raise DataFormatError(f"{where}: must be a string, got {kind(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DataFormatError(
            f"{where}: lone surrogate {value[error.start]!r} at character {error.start + 1}: remove it"
        ) from error
    return value


def kind(value: Any) -> str:
    """Name a value in an error message: its type, and the value itself where it is short."""
    shown = repr(value)
    return f"{type(value).__name__} {shown}" if len(shown) <= 40 else type(value).__name__


class Judgements:
    """Qrels that grow row by row; a pair may come again with the same grade, not with another one."""

    def __init__(self) -> None:
        self.qrels: dict[str, dict[str, int]] = {}
        self._grades_at: dict[tuple[str, str], str] = {}

    def add(self, query_id: str, doc_id: str, grade: int, where: str) -> None:
        """Take one judgement.

        Raises
        ------
        DataFormatError
            If the pair has another grade already; both places are named.
        """
        first = self._grades_at.setdefault((query_id, doc_id), where)
        stands = self.qrels.setdefault(query_id, {}).setdefault(doc_id, grade)
        if stands != grade:
            raise DataFormatError(
                f"{where}: query {query_id!r} and document {doc_id!r} have grade {grade}, but {stands} at {first}"
            )
