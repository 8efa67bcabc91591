"""A collection from plain Python values: what a person has at hand before there are any files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from twotower.data.rows import as_object, as_text, kind, text_field
from twotower.errors import DataFormatError, InvalidInputError
from twotower.types import MAX_GRADE, Collection, Document, Qrels

PARTS = ("corpus", "queries", "qrels")
Named = tuple[str | None, Any]
"""An id, if the value has one, and what it stands for."""


def collection_from_values(
    corpus: Mapping[str, Any] | Iterable[Any],
    queries: Mapping[str, str] | Iterable[str] = (),
    qrels: Mapping[str, Qrels] | None = None,
    name: str = "values",
) -> Collection:
    """Make a collection of texts, and of queries and judgements where there are any.

    Parameters
    ----------
    corpus : mapping or iterable
        doc_id -> document, or documents. A document is a string, a `Document`, or a mapping with ``text`` and,
        optionally, ``title`` and (in an iterable) ``_id``. Documents without an id are called "0", "1", ... by place.
    queries : mapping or iterable of str
        query_id -> text, or texts, which are called "0", "1", ...
    qrels : mapping of str to Qrels, optional
        split -> query_id -> doc_id -> grade.
    name : str

    Raises
    ------
    DataFormatError
        If a value has another shape, an id comes twice, or a judgement names a query or document that is not there.

    Examples
    --------
    >>> shop = collection_from_values(["red shoes", "blue hat"], ["hat"], {"test": {"0": {"1": 1}}})
    >>> shop.corpus["1"]
    Document(text='blue hat', title='')
    """
    documents = _numbered(corpus, "corpus", _identified_document)
    texts = _numbered(queries, "queries", lambda value, where: (None, as_text(value, where)))
    collection = Collection(name, documents, texts)
    for split, judged in (qrels or {}).items():
        collection.qrels[as_text(split, "qrels, split")] = _checked(judged, split, collection)
    return collection


def collection_from_mapping(source: Mapping[str, Any], name: str = "values") -> Collection:
    """Make a collection of ``{"corpus": ..., "queries": ..., "qrels": ...}``; the last two are optional."""
    unknown = [key for key in source if key not in PARTS]
    if unknown or "corpus" not in source:
        raise InvalidInputError(
            f"a mapping must have the key 'corpus' and may have {PARTS[1:]}, got {list(source)[:8]}"
        )
    return collection_from_values(**source, name=name)


def _numbered(
    values: Mapping[str, Any] | Iterable[Any], what: str, read: Callable[[Any, str], Named]
) -> dict[str, Any]:
    """Return id -> value as `read` makes it; an id is a mapping's key, the value's own, or its place."""
    if isinstance(values, str):
        raise DataFormatError(f"{what}: must be a mapping or an iterable of texts, got one string: put it into a list")
    named = values.items() if isinstance(values, Mapping) else ((None, value) for value in values)
    out: dict[str, Any] = {}
    for number, (key, value) in enumerate(named):
        where = f"{what}[{number if key is None else key!r}]"
        own_id, item = read(value, where)
        item_id = as_text(next((name for name in (key, own_id) if name is not None), str(number)), f"{where}, id")
        if item_id in out:
            raise DataFormatError(f"{where}: id {item_id!r} comes twice: make ids unique")
        out[item_id] = item
    return out


def _identified_document(value: Any, where: str) -> tuple[str | None, Document]:
    if isinstance(value, Document):
        return None, Document(as_text(value.text, f"{where}, text"), as_text(value.title, f"{where}, title"))
    if isinstance(value, Mapping):
        return value.get("_id"), Document(
            text_field(value, "text", where), text_field(value, "title", where, default="")
        )
    return None, Document(as_text(value, where))


def _checked(judged: Qrels, split: str, collection: Collection) -> Qrels:
    for where, query_id, doc_id, grade in _judgements(judged, f"qrels[{split!r}]"):
        if query_id not in collection.queries:
            raise DataFormatError(f"{where}: unknown query {query_id!r}: add it to the queries")
        if doc_id not in collection.corpus:
            raise DataFormatError(f"{where}: unknown document {doc_id!r}: add it to the corpus")
        if isinstance(grade, bool) or not isinstance(grade, int):
            raise DataFormatError(f"{where}, document {doc_id!r}: the grade must be an integer, got {kind(grade)}")
        if abs(grade) > MAX_GRADE:
            raise DataFormatError(
                f"{where}, document {doc_id!r}: the grade must lie between -{MAX_GRADE} and {MAX_GRADE}, got {grade}"
            )
    return {query_id: dict(grades) for query_id, grades in judged.items()}


def _judgements(judged: Any, where: str) -> Iterator[tuple[str, Any, Any, Any]]:
    for query_id, grades in as_object(judged, where).items():
        place = f"{where}[{query_id!r}]"
        for doc_id, grade in as_object(grades, place).items():
            yield place, query_id, doc_id, grade
