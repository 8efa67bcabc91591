"""Reads a stream of texts for the training of a vocabulary, and shows how far it is. Knows no kind of tokenizer."""

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import Any

import numpy as np
from tqdm import tqdm

from twotower.errors import InputTypeError
from twotower.text.native import NativeLearner, NativeWordCounter, NativeWordCounts
from twotower.text.text_columns import Texts, native_texts

_BATCH_TEXTS = 4096
_BATCH_CHARS = 1 << 24
_MERGES = 1000  # between two updates of the bar


def count_words(
    counter: NativeWordCounter, texts: Iterable[str] | Texts, threads: int, progress: bool | None
) -> NativeWordCounts:
    """Return the distinct words of all texts and their counts. A stream is read in batches and not kept.

    Raises
    ------
    InputTypeError
        If `texts` is no such column or stream, or a text is no str; the message names its number.
    InvalidInputError
        If a text is not Unicode text, or there are too many distinct words.
    """
    total = len(texts) if isinstance(texts, Sized) and not isinstance(texts, tuple) else None
    with tqdm(total=total, desc="counting words", unit="text", disable=_hidden(progress), file=sys.stderr) as bar:
        first = 0
        for views in _batches(texts):
            for begin in range(0, len(views), _BATCH_TEXTS):
                end = min(begin + _BATCH_TEXTS, len(views))
                counter.add(views, begin, end, first, threads)
                bar.update(end - begin)
            first += len(views)
    return counter.take()


def _batches(texts: Iterable[str] | Texts) -> Iterator[Any]:
    """Yield views of columns as they are, and of streams of str in batches."""
    if isinstance(texts, (str, bytes)):
        raise InputTypeError(f"texts is one {type(texts).__name__}: give a list or a stream of texts")
    column: Any = texts
    if _is_column(column):
        yield native_texts(column, "text")
        return
    for batch in _batches_of_stream(column):
        yield native_texts(batch, "text")


def _is_column(texts: Any) -> bool:
    pair = isinstance(texts, tuple) and len(texts) == 2 and not isinstance(texts[0], str)
    arrow = hasattr(texts, "__arrow_c_array__") or hasattr(texts, "__arrow_c_stream__")
    return pair or arrow or isinstance(texts, np.ndarray) or not isinstance(texts, Iterable)


def _batches_of_stream(texts: Iterable[Any]) -> Iterator[list[str]]:
    batch: list[str] = []
    n_chars = 0
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputTypeError(f"text {number} is of type {type(text).__name__}: every text must be a str")
        batch.append(text)
        n_chars += len(text)
        if len(batch) == _BATCH_TEXTS or n_chars >= _BATCH_CHARS:
            yield batch
            batch, n_chars = [], 0
    yield batch


def _hidden(progress: bool | None) -> bool | None:
    return None if progress is None else not progress  # None: tqdm looks for a terminal


def learn(learner: NativeLearner, n_tokens: int, progress: bool | None) -> None:
    """Make merges until there are `n_tokens` tokens, or no pair is left."""
    fixed = learner.n_fixed()
    with tqdm(
        total=n_tokens - fixed, desc="learning tokens", unit="token", disable=_hidden(progress), file=sys.stderr
    ) as bar:  # fmt: skip
        more = True
        while more:
            more = learner.run(_MERGES)
            bar.update(len(learner) - fixed - bar.n)
