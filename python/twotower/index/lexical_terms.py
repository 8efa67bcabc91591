"""Texts, or lists of terms, to term ids: what stands between the analyzer and a lexical index. Knows no postings."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from twotower.errors import InputTypeError
from twotower.text import Analyzer, TermIds, Vocabulary

_CHUNK = 2048
"""Documents analysed in one go: only the ids of all documents are held at once, never all texts or terms."""

_ONE_SORT = "give strings, or lists of terms, all of one sort"


def analyse_documents(texts: Iterable[Any], analyzer: Analyzer) -> tuple[TermIds, Vocabulary]:
    """Return the term ids of documents, and the vocabulary of all their terms in order of first appearance.

    Parameters
    ----------
    texts : iterable of str, or iterable of list of str
        Texts are analysed; lists are terms as they are. Consumed once, in chunks.
    analyzer : Analyzer

    Raises
    ------
    InputTypeError
        If `texts` is a single string or no iterable, or an element is neither a string nor a list of strings, or the
        two are mixed.
    """
    items = _iterate(texts, "texts")
    first = next(items, "")
    items = chain([first], items) if first != "" else items
    raise NotImplementedError
