"""Texts, or lists of terms, to term ids: what stands between the analyzer and a lexical index. Knows no postings."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from twotower.errors import InputTypeError
from twotower.text import Analyzer, TermIds, Vocabulary

_CHUNK = 2048
"""Documents analysed in one go: the ids of all documents are held at once, never all texts or terms."""


def analyse_documents(texts: Iterable[Any], analyzer: Analyzer) -> tuple[TermIds, Vocabulary]:
    """Return the term ids of documents, and the vocabulary of all their terms in order of first appearance.

    Parameters
    ----------
    texts : iterable of str, or of list of str
        Texts are analysed; lists are terms as they are. Consumed once, in chunks.
    analyzer : Analyzer

    Raises
    ------
    InputTypeError
        If `texts` is a single string or no iterable, an element is neither a string nor a list of strings, or both
        sorts come.
    """
    items = _iterate(texts, "texts")
    first = next(items, None)
    if first is None:
        return TermIds(np.zeros(0, np.int32), np.zeros(1, np.int64)), Vocabulary()
    items = chain([first], items)
    if isinstance(first, str):
        vocabulary = Vocabulary()
        chunks = [analyzer.term_ids(chunk, vocabulary, grow=True) for chunk in _chunks(_texts(items, "texts"))]
        return _join(chunks), vocabulary
    places: dict[str, int] = {}
    chunks = [
        _ids_of([[places.setdefault(term, len(places)) for term in terms] for terms in chunk])
        for chunk in _chunks(_term_lists(items, "texts"))
    ]
    return _join(chunks), Vocabulary(places)


def as_queries(queries: Any) -> tuple[list[Any], bool]:
    """Return a list of queries, and whether a single string came.

    Raises
    ------
    InputTypeError
        If `queries` is neither a string nor an iterable.
    """
    if isinstance(queries, str):
        return [queries], True
    return list(_iterate(queries, "queries")), False


def analyse_queries(queries: Sequence[Any], analyzer: Analyzer, vocabulary: Vocabulary) -> TermIds:
    """Return the term ids of queries; -1 keeps the place of a term that the vocabulary lacks.

    Parameters
    ----------
    queries : sequence of str, or of list of str
        Texts are analysed; lists are terms as they are.

    Raises
    ------
    InputTypeError
        If an element is neither a string nor a list of strings, or both sorts come.
    """
    if not queries or isinstance(queries[0], str):
        return analyzer.term_ids(list(_texts(queries, "queries")), vocabulary, grow=False)
    return _ids_of([[vocabulary.id(term) for term in terms] for terms in _term_lists(queries, "queries")])


def _iterate(values: Any, name: str) -> Iterator[Any]:
    if isinstance(values, str | bytes | dict):
        raise InputTypeError(f"{name} is one {type(values).__name__}: give an iterable of strings or of lists of terms")
    try:
        return iter(values)
    except TypeError:
        came = type(values).__name__
        raise InputTypeError(f"{name} is {came}: give an iterable of strings or of lists of terms") from None


def _texts(items: Iterable[Any], name: str) -> Iterator[str]:
    for i, text in enumerate(items):
        if not isinstance(text, str):
            raise InputTypeError(f"{name}[{i}] is {type(text).__name__}, after a string: give strings throughout")
        yield text


def _term_lists(items: Iterable[Any], name: str) -> Iterator[Sequence[str]]:
    for i, terms in enumerate(items):
        if not isinstance(terms, list | tuple):
            raise InputTypeError(f"{name}[{i}] is {type(terms).__name__}: give strings, or lists of terms, throughout")
        for j, term in enumerate(terms):
            if not isinstance(term, str):
                raise InputTypeError(f"{name}[{i}][{j}] is {type(term).__name__}: terms are strings")
        yield terms


def _chunks(items: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(items, _CHUNK)):
        yield chunk


def _ids_of(lists: Sequence[Sequence[int]]) -> TermIds:
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum([len(ids) for ids in lists], out=offsets[1:])
    return TermIds(np.fromiter(chain.from_iterable(lists), np.int32, int(offsets[-1])), offsets)


def _join(chunks: Sequence[TermIds]) -> TermIds:
    starts = np.cumsum([0, *(len(chunk.ids) for chunk in chunks)])
    offsets = [chunk.offsets[1:] + start for chunk, start in zip(chunks, starts, strict=False)]
    return TermIds(np.concatenate([chunk.ids for chunk in chunks]), np.concatenate([np.zeros(1, np.int64), *offsets]))
