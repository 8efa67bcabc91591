"""Texts as words: an analyzer and a vocabulary.

N texts, T terms in all of them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from twotower.errors import CorruptFileError
from twotower.text import Analyzer, Vocabulary
from twotower.towers.reader import Reader, Terms

_DTYPES = {"blob": "U8", "offsets": "I64"}


class TermReader(Reader):
    """An analyzer and a vocabulary.

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

    kind = "terms"
    file_name = "vocabulary.safetensors"

    def __init__(self, vocabulary: Vocabulary, analyzer: Analyzer, max_terms: int) -> None:
        super().__init__(max_terms)
        self.vocabulary = Vocabulary(vocabulary.terms())
        self.analyzer = analyzer
        self.n_terms = len(self.vocabulary)

    def read(self, texts: Iterable[str]) -> Terms:
        """Return the known terms of each text, at most `max_terms` each; raises as `Reader.read`."""
        found = self.analyzer.term_ids(texts, self.vocabulary, grow=False)
        ids, offsets = np.asarray(found.ids, np.int64), np.asarray(found.offsets, np.int64)
        known = ids >= 0
        known_before = np.concatenate([[0], np.cumsum(known)])  # known terms before each position
        starts = known_before[offsets]
        kept = known & (known_before[:-1] - np.repeat(starts[:-1], np.diff(offsets)) < self.max_terms)
        lengths = np.minimum(np.diff(starts), self.max_terms)
        return Terms(ids[kept], np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    def rows_of(self, words: list[str]) -> npt.NDArray[np.int64]:
        """Return the row of the term that the analyzer makes of each word, or -1."""
        found = self.analyzer.term_ids(words, self.vocabulary, grow=False)
        rows = np.full(len(words), -1, np.int64)
        offsets = np.asarray(found.offsets, np.int64)
        alone = np.diff(offsets) == 1
        rows[alone] = np.asarray(found.ids, np.int64)[offsets[:-1][alone]]
        return rows

    def settings(self) -> dict[str, Any]:
        """Return the analyzer's configuration; an analyzer that is a function of the user's own has none."""
        return {"analyzer": self.analyzer.to_config()}

    def write(self, path: Path) -> None:
        """Write the terms in the order of their rows."""
        blob, offsets = self.vocabulary.to_arrays()
        save_file({"blob": np.ascontiguousarray(blob), "offsets": np.ascontiguousarray(offsets)}, path)

    @classmethod
    def load(cls, path: Path, settings: Mapping[str, Any], max_terms: int) -> Self:
        """Read the terms; raises as `Reader.load`."""
        vocabulary = Vocabulary.from_arrays(*_read_vocabulary(path))
        return cls(vocabulary, Analyzer.from_config(settings.get("analyzer", {})), max_terms)


def _read_vocabulary(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    try:
        with safe_open(path, framework="np") as file:
            dtypes = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            if dtypes != _DTYPES:
                raise CorruptFileError(f"{path} holds {dtypes}: a vocabulary is {_DTYPES}")
            return file.get_tensor("blob"), file.get_tensor("offsets")
    except SafetensorError as error:
        raise CorruptFileError(f"{path} is no readable safetensors file: {error}") from error
