"""What a document looks like to somebody who never reads the query: its surface, and how crowded its neighbourhood is.

Legend: N documents, F features.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.index import TfidfIndex
from twotower.types import Document

PUNCTUATION = ".,;:?!'\"()-/$%&"
SURFACE = (
    "characters",
    "words",
    "characters a word",
    "has a title",
    "characters of the title",
    "lines",
    "digits",
    "capitals",
    "other than ASCII",
    "begins with a capital",
    "ends a sentence",
    *(f"share of {mark}" for mark in PUNCTUATION),
)
"""Names of the columns of `surface`."""

CROWDS = ((1, 2), (2, 6), (6, 21), (21, 101), (101, 301))
"""Ranks of neighbours whose mean similarity is one column of `crowding`; rank 0 is the document itself."""


def surface(documents: Sequence[Document]) -> npt.NDArray[np.float32]:
    """Return the columns of `SURFACE`, float32 [N, F]: sizes as log(1 + n), kinds of characters as shares of the text."""
    return np.array([_surface(document) for document in documents], np.float32).reshape(len(documents), len(SURFACE))


def crowding(index: TfidfIndex, documents: Sequence[Document], threads: int = 1) -> npt.NDArray[np.float32]:
    """Return how alike each document is to its neighbours in the index, float32 [N, F].

    A collection that was pooled around a few queries has dense crowds of passages about the same thing; a document that was
    added for a query of its own stands apart, and shows it without the query.
    """
    last = CROWDS[-1][1]
    scores = index.search([document.full_text for document in documents], k=last, threads=threads).scores
    scores = np.where(np.isfinite(scores), scores, 0.0)
    return np.column_stack([scores[:, first:end].mean(axis=1) for first, end in CROWDS]).astype(np.float32)


def auc(scores: npt.NDArray[np.floating[Any]], positive: npt.NDArray[np.bool_]) -> float:
    """Return the chance that a positive scores above a negative, ties counting half.

    Examples
    --------
    >>> auc(np.array([3.0, 1.0, 2.0]), np.array([True, False, False]))
    1.0
    """
    from scipy.stats import rankdata

    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    ranks = rankdata(scores)[positive].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def auc_error(value: float, n_positive: int, n_negative: int) -> float:
    """Return the standard error of an AUC (Hanley and McNeil 1982)."""
    both = value / (2 - value) - value**2
    other = 2 * value**2 / (1 + value) - value**2
    spread = value * (1 - value) + (n_positive - 1) * both + (n_negative - 1) * other
    return float(np.sqrt(max(spread, 0.0) / (n_positive * n_negative)))


def _surface(document: Document) -> list[float]:
    text = document.full_text
    n = max(1, len(text))
    n_words = len(text.split())
    return [
        np.log1p(len(text)),
        np.log1p(n_words),
        len(text) / max(1, n_words),
        bool(document.title),
        np.log1p(len(document.title)),
        np.log1p(text.count("\n")),
        sum(map(str.isdigit, text)) / n,
        sum(map(str.isupper, text)) / n,
        sum(character > "\x7f" for character in text) / n,
        text[:1].isupper(),
        text.rstrip()[-1:] in set(".!?"),
        *(text.count(mark) / n for mark in PUNCTUATION),
    ]
