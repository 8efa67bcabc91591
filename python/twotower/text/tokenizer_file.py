"""Reads and writes the file of a tokenizer, a tokenizer.json. Knows JSON, and nothing of what the fields mean."""

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from twotower.errors import DataFormatError, FileError
from twotower.storage import write_file_atomically


def read_text(path: str | PathLike[str]) -> str:
    """Read a file of UTF-8.

    Raises
    ------
    FileError
        If the file cannot be read.
    DataFormatError
        If it is not UTF-8.
    """
    name = str(Path(path))
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{name}, byte {error.start}: not UTF-8") from error


def parse_json(text: str, name: str) -> Any:
    """Parse JSON in which no object has a field twice.

    Raises
    ------
    DataFormatError
        If it is something else; the message begins with `name`.
    """
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _without_repeats(pairs, name))
    except DataFormatError:
        raise
    except (ValueError, RecursionError) as error:  # a number may be too long, too
        raise DataFormatError(f"{name} is not JSON: {error}") from error


def write_document(document: Mapping[str, Any], path: str | PathLike[str]) -> None:
    """Write a tokenizer.json in one step: a kill leaves the old file or the new one."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    write_file_atomically(path, text.encode())


def _without_repeats(pairs: Sequence[tuple[str, Any]], name: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise DataFormatError(f"{name} has the field {repeated!r} twice in one object")
    return found
