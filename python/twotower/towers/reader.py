"""What a model reads texts with: rows of its embedding table for each text, and how that is saved.

N texts, T terms in all of them. A term is a word of an analyzer (`terms.py`) or a token of a subword tokenizer
(`tokens.py`). Knows no tensor of weights.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch

from twotower.towers.shape import MAX_SIZE, check_size


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


class Reader(ABC):
    """Turns texts into `Terms`.

    Parameters
    ----------
    max_terms : int
        Terms of a text beyond this many are dropped; at least 1.
    """

    kind: str
    """Name in ``twotower.towers.READERS``; config.json of a saved model has it."""
    file_name: str
    """Of the file that `write` writes into the folder of a model."""
    n_terms: int
    """Rows that the embedding table needs."""

    def __init__(self, max_terms: int) -> None:
        self.max_terms = check_size("max_terms", max_terms)

    @abstractmethod
    def read(self, texts: Iterable[str]) -> Terms:
        """Return the terms of each text, at most `max_terms` each.

        Raises
        ------
        InputTypeError
            If `texts` is one str, or one of them is not a str; the message names its number.
        InvalidInputError
            If a text has a lone surrogate.
        """

    @abstractmethod
    def rows_of(self, words: list[str]) -> npt.NDArray[np.int64]:
        """Return for each word the row of the one term that it is, or -1 if it is none or several, int64 [N]."""

    def unlimited(self) -> Self:
        """Return this reader without a limit of terms."""
        other = copy(self)
        other.max_terms = MAX_SIZE
        return other

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Return what config.json says of the reader beside its kind and `max_terms`.

        Raises
        ------
        InvalidInputError
            If the reader cannot be saved.
        """

    @abstractmethod
    def write(self, path: Path) -> None:
        """Write what `load` needs beside the settings into one file."""

    @classmethod
    @abstractmethod
    def load(cls, path: Path, settings: Mapping[str, Any], max_terms: int) -> Self:
        """Make the reader again from `settings` and the file.

        Raises
        ------
        CorruptFileError, DataFormatError, InvalidInputError, InputTypeError
            If they do not describe one.
        """
