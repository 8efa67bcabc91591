"""From texts to the term ids that towers read. Knows no tensor of weights.

N texts, T terms in all of them.
"""

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch

from twotower.text import Analyzer, Vocabulary
from twotower.towers.shape import check_size


class Terms(NamedTuple):
    """The terms of N texts, one text after the other.

    Attributes
    ----------
    ids : ndarray of int64, shape [T]
        Rows of the embedding table.
    offsets : ndarray of int64, shape [N+1]
        Text n has ``ids[offsets[n]:offsets[n + 1]]``.
    """

    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of terms of each text, int64 [N]."""
        return np.diff(self.offsets)

    def select(self, rows: npt.NDArray[np.int64]) -> Self:
        """Return the terms of texts `rows` (int64 [R]; repeats allowed), in that order."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        shift = np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return type(self)(self.ids[np.arange(offsets[-1]) + shift], offsets)

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (ids, offsets) as int64 tensors that share the memory."""
        return torch.from_numpy(self.ids), torch.from_numpy(self.offsets)


class TermReader:
    """An analyzer and a vocabulary: what turns texts into `Terms`.

    Parameters
    ----------
    vocabulary : Vocabulary
        Copied: it may grow elsewhere, while the tables of a model stay as they are.
    analyzer : Analyzer
    max_terms : int
        Terms of a text beyond this many are dropped; at least 1.

    Notes
    -----
    A term that the vocabulary lacks is dropped: it never had a vector that could be learned, and the vocabulary is as a
    rule counted over the whole corpus, so that no document contains it either. A text of which nothing is left gives
    the zero vector.
    """

    def __init__(self, vocabulary: Vocabulary, analyzer: Analyzer, max_terms: int) -> None:
        self.vocabulary = Vocabulary(vocabulary.terms())
        self.analyzer = analyzer
        self.max_terms = check_size("max_terms", max_terms)

    def read(self, texts: Iterable[str]) -> Terms:
        """Return the known terms of each text, at most `max_terms` each.

        Raises
        ------
        InputTypeError
            If `texts` is one str, or one of them is not a str; the message names its number.
        """
        found = self.analyzer.term_ids(texts, self.vocabulary, grow=False)
        ids, offsets = np.asarray(found.ids, np.int64), np.asarray(found.offsets, np.int64)
        known = ids >= 0
        known_before = np.concatenate([[0], np.cumsum(known)])  # known terms before each position
        starts = known_before[offsets]
        kept = known & (known_before[:-1] - np.repeat(starts[:-1], np.diff(offsets)) < self.max_terms)
        lengths = np.minimum(np.diff(starts), self.max_terms)
        return Terms(ids[kept], np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
