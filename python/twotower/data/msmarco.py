"""Records of the MS MARCO v1.1 schema: a query with its own candidate passages and a flag on those that answer it.

Knows the schema and what becomes of it; not where the rows come from (`hub`, `record_files`, or Python values). This is
the question-answering release (about 10 passages a query), not the passage ranking collection of 8.8 million passages.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from twotower.data.normalise import normalise, text_id
from twotower.data.rows import Located, Row, as_object, as_text, kind, text_field
from twotower.errors import DataFormatError
from twotower.types import Collection, Document

LISTS = ("is_selected", "passage_text", "url")


class Record(NamedTuple):
    """One checked row: the passages and, for each, whether it was selected as holding the answer."""

    query_id: str
    query: str
    passages: list[str]
    selected: list[bool]


def collection_from_records(
    rows: Iterable[Row], name: str = "records", split: str = "train", *, where: str = "records"
) -> Collection:
    """Make a collection of mappings with the fields ``query_id``, ``query`` and ``passages``.

    Parameters
    ----------
    rows : iterable of mappings
        ``passages`` is a mapping to three lists of one length: ``is_selected`` (0 or 1), ``passage_text``, ``url``.
    name : str
        Name of the collection.
    split : str
        The split that the judgements belong to.
    where : str
        What error messages call the rows.

    Raises
    ------
    DataFormatError
        If a row is malformed; the message names row, query_id and field.
    """
    return gather(name, {split: ((f"{where}, row {number}", row) for number, row in enumerate(rows, 1))})


def gather(name: str, splits: Mapping[str, Iterable[Located]]) -> Collection:
    """Make one collection of the rows of all splits.

    Passages with equal normalised text are one document, whose id hangs on that text alone. All passages are in the
    corpus; a query without a selected passage is in `queries` and `candidates` but has no judgements, so that its
    passages distract. Passages that were not selected are unjudged, *maybe* negatives: they are in `candidates` only.
    Splits may share passages, as in the original data.
    """
    collection = Collection(name, {}, {})
    places: dict[str, str] = {}
    for split, rows in splits.items():
        qrels = collection.qrels.setdefault(split, {})
        for where, row in rows:
            record = as_record(row, where)
            if record.query_id in places:
                raise DataFormatError(
                    f"{where}: query_id {record.query_id} stands already at {places[record.query_id]}"
                )
            places[record.query_id] = where
            relevant = _add(collection, record)
            if relevant:
                qrels[record.query_id] = dict.fromkeys(relevant, 1)
    return collection


def as_record(row: Row, where: str) -> Record:
    """Check one row.

    Raises
    ------
    DataFormatError
        If a field is missing or of another type, or the three lists of ``passages`` differ in length.
    """
    query_id = row.get("query_id")
    if isinstance(query_id, bool) or not isinstance(query_id, int | str):
        raise DataFormatError(f"{where}, field 'query_id': must be an integer or a string, got {kind(query_id)}")
    where = f"{where} (query_id {query_id})"
    query = text_field(row, "query", where)
    passages = as_object(row.get("passages"), f"{where}, field 'passages'")
    columns = {name: _list(passages, name, where) for name in LISTS}
    if len({len(column) for column in columns.values()}) != 1:
        counts = ", ".join(f"{len(column)} {name}" for name, column in columns.items())
        raise DataFormatError(
            f"{where}, field 'passages': {counts}: the lists must have one length; mend or drop the row"
        )
    texts = [as_text(text, _place(where, "passage_text", i)) for i, text in enumerate(columns["passage_text"])]
    return Record(str(query_id), query, texts, list(_flags(columns["is_selected"], where)))


def _list(passages: Row, name: str, where: str) -> list[Any]:
    column = passages.get(name)
    if not isinstance(column, list | tuple):
        raise DataFormatError(f"{where}, field 'passages.{name}': must be a list, got {kind(column)}")
    return list(column)


def _flags(column: list[Any], where: str) -> Iterator[bool]:
    for i, flag in enumerate(column):
        if not isinstance(flag, int) or flag not in (0, 1):
            raise DataFormatError(f"{_place(where, 'is_selected', i)}: must be 0 or 1, got {kind(flag)}")
        yield bool(flag)


def _place(where: str, name: str, i: int) -> str:
    return f"{where}, field 'passages.{name}[{i}]'"


def _add(collection: Collection, record: Record) -> list[str]:
    """Add the query and its passages; return the ids of the selected ones."""
    doc_ids = []
    for passage in record.passages:
        doc_id = text_id(normalise(passage))
        collection.corpus.setdefault(doc_id, Document(passage))
        doc_ids.append(doc_id)
    collection.queries[record.query_id] = record.query
    collection.candidates[record.query_id] = list(dict.fromkeys(doc_ids))
    return [doc_id for doc_id, selected in zip(doc_ids, record.selected, strict=True) if selected]
