"""Triples to learn from: a query, a relevant text and, maybe, one that is not relevant.

Knows their files (.tsv, .jsonl) and how they become a collection.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from twotower.data.normalise import normalise, text_id
from twotower.data.rows import Judgements, StrPath, as_text, json_rows, kind, lines, suffix, text_field
from twotower.errors import DataFormatError, InvalidInputError
from twotower.storage import write_file_atomically
from twotower.types import Collection, Document

FIELDS = ("query", "positive", "negative")


TripleLike = tuple[str | None, ...]
"""(query, relevant) or (query, relevant, not relevant), the last maybe None."""


class Triple(NamedTuple):
    """A query, a text that is relevant to it, and one that is not (None where none is known)."""

    query: str
    positive: str
    negative: str | None = None


def read_triples(path: StrPath) -> Iterator[Triple]:
    """Yield the triples of a file, as it is read.

    Parameters
    ----------
    path : str or path
        ``.tsv``: query, positive and, optionally, negative, with tabs between and no header. ``.jsonl``: objects with
        the fields ``query``, ``positive`` and, optionally, ``negative``. Both also with ``.gz`` or ``.xz`` behind.

    Raises
    ------
    DataFormatError
        If a row has other fields; file, line and field are named.
    InvalidInputError
        If the name of the file ends otherwise.
    """
    path = Path(path)
    ending = _ending(path)
    return _tsv_triples(path) if ending == ".tsv" else _json_triples(path)


def write_triples(triples: Iterable[TripleLike], path: StrPath) -> None:
    """Write triples, atomically, as ``.tsv`` or ``.jsonl`` by the name of the file.

    Raises
    ------
    InvalidInputError
        If a text holds a tab or a line end and the file is a ``.tsv``; or the name of the file ends otherwise.
    """
    path = Path(path)
    rows = [as_triple(triple, f"triple {number}") for number, triple in enumerate(triples, 1)]
    if _ending(path, compressed=False) == ".tsv":
        text = "".join(_tsv_line(row, number) for number, row in enumerate(rows, 1))
    else:
        text = "".join(_json_line(row) for row in rows)
    write_file_atomically(path, text.encode())


def collection_from_triples(triples: Iterable[TripleLike], name: str = "triples", split: str = "train") -> Collection:
    """Make a collection: the corpus is every text once, in order of appearance.

    Queries and texts are the same one where they are equal after `normalise`; their ids hang on the text alone. A
    relevant text has grade 1, one that is not relevant grade 0; both are in `candidates`.

    Parameters
    ----------
    triples : iterable of tuples
        (query, relevant) or (query, relevant, not relevant); the last may be None.
    name, split : str
        Name of the collection, and the split that the judgements belong to.

    Raises
    ------
    DataFormatError
        If a tuple has another shape, or a text is relevant to a query in one triple and not relevant in another.
    """
    collection = Collection(name, {}, {})
    judgements = Judgements()
    for number, row in enumerate(triples, 1):
        where = f"triple {number}"
        triple = as_triple(row, where)
        query_id = text_id(normalise(triple.query))
        collection.queries.setdefault(query_id, triple.query)
        for text, grade in ((triple.positive, 1), (triple.negative, 0)):
            if text is not None:
                doc_id = text_id(normalise(text))
                collection.corpus.setdefault(doc_id, Document(text))
                judgements.add(query_id, doc_id, grade, where)
    collection.qrels[split] = judgements.qrels
    collection.candidates = {query_id: list(judged) for query_id, judged in judgements.qrels.items()}
    return collection


def as_triple(row: TripleLike, where: str) -> Triple:
    """Check one tuple of two or three strings."""
    if not isinstance(row, tuple | list) or not 2 <= len(row) <= 3:
        raise DataFormatError(f"{where}: must be (query, relevant) or (query, relevant, not relevant), got {kind(row)}")
    query, positive, *negative = row
    last = None if not negative or negative[0] is None else as_text(negative[0], f"{where}, negative")
    return Triple(as_text(query, f"{where}, query"), as_text(positive, f"{where}, positive"), last)


def _ending(path: Path, *, compressed: bool = True) -> str:
    ending = suffix(path) if compressed else path.suffix
    if ending not in (".tsv", ".jsonl"):
        raise InvalidInputError(f"{path}: triples are .tsv or .jsonl files, got {ending or 'no ending'!r}")
    return ending


def _tsv_triples(path: Path) -> Iterator[Triple]:
    for where, line in lines(path):
        fields = line.split("\t")
        if not 2 <= len(fields) <= 3:
            raise DataFormatError(f"{where}: must have 2 or 3 fields with tabs between ({FIELDS}), got {len(fields)}")
        yield Triple(*fields)


def _json_triples(path: Path) -> Iterator[Triple]:
    for where, row in json_rows(path):
        negative = None if row.get("negative") is None else text_field(row, "negative", where)
        yield Triple(text_field(row, "query", where), text_field(row, "positive", where), negative)


def _tsv_line(triple: Triple, number: int) -> str:
    texts = [text for text in triple if text is not None]
    for text in texts:
        if any(character in text for character in "\t\n\r"):
            raise InvalidInputError(f"triple {number}: a tab or line end in {text[:40]!r}: write a .jsonl file instead")
    return "\t".join(texts) + "\n"


def _json_line(triple: Triple) -> str:
    row = {name: text for name, text in zip(FIELDS, triple, strict=True) if text is not None}
    return json.dumps(row, ensure_ascii=False) + "\n"
