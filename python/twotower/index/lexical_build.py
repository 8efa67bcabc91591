"""Documents stream into an inverted index, in bounded memory. Knows no formula and no saved folder's name.

Legend: N documents, V vocabulary, P postings.
"""

import operator
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from twotower.errors import FileError, InputTypeError, InvalidInputError
from twotower.index.arguments import check_threads
from twotower.index.native import core
from twotower.text import Analyzer, TermIds, Vocabulary

Progress = Callable[[int], object]
"""Called with the number of documents taken so far, every few thousand."""

OUTSIDE_BYTES = 96 << 20
"""Bytes beside the postings: a batch of texts and its ids, the analyzer's cache of words."""
MOST_BYTES = 2**62
"""Largest limit that is taken."""
TERM_BYTES = 64
"""Bytes of a term in the vocabulary while it grows, and in the copy that is saved."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes
    ----------
    documents, terms, postings : int
    seconds : float
        From the first text to the saved index.
    spilled_bytes : int
        Written to the temporary file because of the memory limit.
    disk_bytes : dict of str to int
        Of each array of the saved index, by its name in docs/formats/lexical.md.
    """

    documents: int
    terms: int
    postings: int
    seconds: float
    spilled_bytes: int
    disk_bytes: dict[str, int]


def invert(
    items: Iterable[Any],
    analyzer: Analyzer,
    *,
    threads: int,
    memory_limit: int | None,
    progress: Progress | None,
    spill_folder: str | PathLike[str] | None = None,
    held: Callable[[], int] | None = None,
) -> tuple[Any, Any, Vocabulary]:
    """Analyse and invert documents as they come.

    Parameters
    ----------
    items : iterable of str, or iterable of list of str
    analyzer : Analyzer
    threads : int
        0 for every core.
    memory_limit : int or None
        Bytes.
    progress : callable or None
    spill_folder : path, optional
        An existing folder for the temporary file; the system's one if absent.
    held : callable, optional
        Gives the bytes of the limit that the caller holds himself so far.

    Returns
    -------
    builder : LexicalBuilder
        Finished: it can fill arrays or save them.
    counts : BuildCounts
    vocabulary : Vocabulary

    Raises
    ------
    InputTypeError
        If an item is neither a text nor a list of terms, `memory_limit` no integer, or `progress` no function.
    InvalidInputError
        If `memory_limit` is too small; the message names the least that works.
    """
    limit = check_memory_limit(memory_limit)
    if progress is not None and not callable(progress):
        raise InputTypeError(
            f"progress is {progress!r} ({type(progress).__name__}): give a function of one int, or None"
        )
    builder = core.LexicalBuilder(limit, check_threads(threads), spill_folder or tempfile.gettempdir())
    vocabulary = Vocabulary()
    n_documents = 0
    for batch in stream_term_ids(items, analyzer, vocabulary, threads):
        builder.reserve(OUTSIDE_BYTES + TERM_BYTES * len(vocabulary) + (held() if held else 0))
        builder.add(batch.ids, batch.offsets, len(vocabulary))
        n_documents += len(batch.offsets) - 1
        if progress is not None:
            progress(n_documents)
    return builder, builder.finish(), vocabulary


def stream_term_ids(
    items: Iterable[Any], analyzer: Analyzer, vocabulary: Vocabulary, threads: int
) -> Iterator[TermIds]:
    """Yield the ids of texts, which are analysed, or of lists of terms as they are, a few thousand at a time.

    The first item tells which of the two comes. The vocabulary grows.
    """
    stream = iter(items)
    first = list(islice(stream, 1))
    check_first(first)
    if first and not isinstance(first[0], str):
        return vocabulary.stream_ids(chain(first, stream), grow=True)
    return analyzer.stream_term_ids(chain(first, stream), vocabulary, grow=True, threads=threads)


def check_first(first: list[Any]) -> None:
    """Raise InputTypeError if the first document, where there is one, is neither a text nor a list of terms."""
    for item in first:
        if isinstance(item, bytes) or not isinstance(item, Sequence):
            raise InputTypeError(f"text 0 is of type {type(item).__name__}: give strings, or lists of terms")


def folder_beside(folder: str | PathLike[str]) -> Path:
    """Return the nearest folder above `folder` that exists.

    Raises
    ------
    FileError
        If the path is relative and the working directory was deleted.
    """
    try:
        return next(place for place in Path(folder).absolute().parents if place.is_dir())
    except OSError as error:
        raise FileError(f"{folder} cannot be found from the working directory ({error}): give a whole path") from error


def check_memory_limit(memory_limit: Any) -> int:
    """Return a limit in bytes as an int; 0 for None, which is no limit.

    Raises
    ------
    InputTypeError
        If it is no integer.
    InvalidInputError
        If no build works with so little, or no machine has so much.
    """
    if memory_limit is None:
        return 0
    if isinstance(memory_limit, bool | np.bool_) or not hasattr(memory_limit, "__index__"):
        raise InputTypeError(f"memory_limit is {memory_limit!r} ({type(memory_limit).__name__}): give bytes as an int")
    limit = operator.index(memory_limit)
    if limit < OUTSIDE_BYTES:
        raise InvalidInputError(
            f"memory_limit is {limit} bytes: a build needs {OUTSIDE_BYTES} beside its postings, and more for each "
            "document and term"
        )
    if limit > MOST_BYTES:
        raise InvalidInputError(f"memory_limit is {limit} bytes: give at most {MOST_BYTES}, or None for no limit")
    return limit
