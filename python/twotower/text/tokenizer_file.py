"""Reads and writes the file of a tokenizer, a tokenizer.json. Knows JSON, and nothing of what the fields mean."""

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from twotower.errors import DataFormatError, FileError, InputTypeError, InvalidInputError
from twotower.storage import write_file_atomically


def is_document(path: str | PathLike[str]) -> bool:
    """Tell whether a name is that of a tokenizer.json: it ends in .json, in small letters or capitals."""
    return checked_path(path).name.lower().endswith(".json")


def check_document_name(path: str | PathLike[str]) -> None:
    """Refuse to write a tokenizer.json under a name by which it would be read as a vocab.txt.

    Raises
    ------
    InvalidInputError
        If the name does not end in .json.
    """
    if not is_document(path):
        raise InvalidInputError(
            f"the name {str(path)!r} does not end in .json, by which from_file knows a tokenizer.json"
        )


def checked_path(path: Any) -> Path:
    """Return the path of a file.

    Raises
    ------
    InputTypeError
        If it is neither a str nor a path of str.
    InvalidInputError
        If it has a null character.
    """
    name = path.__fspath__() if isinstance(path, PathLike) else path
    if not isinstance(name, str):
        raise InputTypeError(f"path is of type {type(path).__name__}: give a str or a Path")
    if "\0" in name:
        raise InvalidInputError(f"path is {name!r}: a name of a file has no null character")
    return Path(name)


def read_text(path: str | PathLike[str]) -> str:
    """Read a file of UTF-8.

    Raises
    ------
    FileError
        If the file cannot be read.
    DataFormatError
        If it is not UTF-8.
    """
    file = checked_path(path)
    name = str(file)
    try:
        return file.read_bytes().decode("utf-8")
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
    check_document_name(path)
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    write_file_atomically(path, text.encode())


def _without_repeats(pairs: Sequence[tuple[str, Any]], name: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise DataFormatError(f"{name} has the field {repeated!r} twice in one object")
    return found
