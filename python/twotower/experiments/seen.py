"""Texts that a model has seen, from a file: text lines, tab-separated queries, JSON lines. Knows no model."""

from pathlib import Path

from twotower.data.rows import json_rows, lines, suffix
from twotower.errors import DataFormatError

IDS = frozenset(("_id", "id", "doc_id", "docid", "query_id", "qid", "pid", "url"))
"""Fields of an object that are no text."""


def read_texts(path: Path) -> list[str]:
    """Return the texts of a file.

    Parameters
    ----------
    path : Path
        ``.jsonl`` or ``.json``: each string field that is no id is a text (query, positive, text, ...); title and text are one.
        Other files: one text a line; of a line with tabs the part behind the first, which is an id in files of queries.

    Raises
    ------
    DataFormatError
        If a line is malformed, or the file holds no text.
    FileError, CorruptFileError
        If it cannot be read.
    """
    found: list[str] = []
    if suffix(path) in (".jsonl", ".json"):
        for _, row in json_rows(path):
            title, text = row.get("title"), row.get("text")
            joined = isinstance(title, str) and isinstance(text, str)
            if joined:
                found.append(f"{title} {text}")
            found += [
                value for key, value in row.items()
                if isinstance(value, str) and key.lower() not in IDS and not (joined and key in ("title", "text"))
            ]  # fmt: skip
    else:
        found = [line.partition("\t")[2] or line for _, line in lines(path)]
    found = [text for text in found if text.strip()]
    if not found:
        raise DataFormatError(f"{path}: holds no text: give text lines, tab-separated queries, or JSON lines")
    return found
