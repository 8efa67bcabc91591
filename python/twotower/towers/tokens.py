"""Texts as subword tokens: a tokenizer brings vocabulary and cutting in one.

N texts, T tokens in all of them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text import BPE, SubwordTokenizer, WordPiece
from twotower.towers.reader import Reader, Terms

TOKENIZERS: dict[str, type[BPE] | type[WordPiece]] = {"BPE": BPE, "WordPiece": WordPiece}
"""Name to class; config.json of a saved model has the name."""


class TokenReader(Reader):
    """A subword tokenizer.

    Parameters
    ----------
    tokenizer : WordPiece or BPE
    max_terms : int
        Tokens of a text beyond this many are dropped; at least 1.

    Notes
    -----
    Special tokens are not put around a text: an average would count them in every text alike, and a recurrent tower
    knows where a text ends. Characters that the vocabulary lacks are its unknown token, which has a vector of its own.
    """

    kind = "tokens"
    file_name = "tokenizer.json"

    def __init__(self, tokenizer: SubwordTokenizer, max_terms: int) -> None:
        super().__init__(max_terms)
        self.tokenizer = tokenizer
        self.n_terms = tokenizer.n_ids

    def read(self, texts: Iterable[str]) -> Terms:
        """Return the tokens of each text, at most `max_terms` each; raises as `Reader.read`."""
        if isinstance(texts, (str, bytes)):
            raise InputTypeError(f"texts is one {type(texts).__name__}: give a list of texts")
        found = self.tokenizer.encode_batch(
            list(texts), self.max_terms, add_special_tokens=False, threads=torch.get_num_threads()
        )
        return Terms(found.ids.astype(np.int64), found.offsets)

    def rows_of(self, words: list[str]) -> npt.NDArray[np.int64]:
        """Return the token that each word is, or -1; a word of which the tokenizer knows nothing is none."""
        found = self.tokenizer.encode_batch(words, 2, add_special_tokens=False, threads=torch.get_num_threads())
        rows = np.full(len(words), -1, np.int64)
        alone = np.diff(found.offsets) == 1
        rows[alone] = found.ids[found.offsets[:-1][alone]]
        unknown = self.tokenizer.encode_batch(["\U000f0000"], 1, add_special_tokens=False).ids  # a private character
        return np.where(np.isin(rows, unknown), -1, rows)

    def settings(self) -> dict[str, Any]:
        """Return the name of the tokenizer's class."""
        return {"tokenizer": type(self.tokenizer).__name__}

    def write(self, path: Path) -> None:
        """Write the tokenizer.json."""
        self.tokenizer.to_file(path)

    @classmethod
    def load(cls, path: Path, settings: Mapping[str, Any], max_terms: int) -> Self:
        """Read the tokenizer.json; raises as `Reader.load`."""
        name = settings.get("tokenizer")
        if name not in TOKENIZERS:
            raise InvalidInputError(f"unknown tokenizer {name!r}: it must be one of {', '.join(TOKENIZERS)}")
        return cls(TOKENIZERS[name].from_file(path), max_terms)
