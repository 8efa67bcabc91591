"""Texts as hashed n-grams: an analyzer around an analyzer. Knows no index and no formula.

Legend: N texts, B bins.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.arguments import check_integer
from twotower.index.native import core
from twotower.text import Analyzer, TermIds, Vocabulary, as_analyzer
from twotower.text.term_ids import batches, joined

MOST_NGRAM = 8
MOST_BINS = 2**31 - 1
_BREAK = "\x1e"
_WORDS = "plain"


class HashedNgrams(Analyzer):
    """Makes of a text the bins of its n-grams, from single words to runs of `ngram` words.

    A bin is the 32-bit MurmurHash3 (seed 0) of the n-gram's words in UTF-8 with one space between, modulo `bins`; its name, the term
    of an index, is the number in hexadecimal digits. The vocabulary cannot grow beyond `bins`, whatever the texts. An n-gram
    never spans a punctuation mark or symbol, or a word that `words` drops (a stop word): so those that hold one are left
    out, as DrQA's retriever does.

    Parameters
    ----------
    words : str, Analyzer or callable
        Makes the terms of single words; one that it drops ends a run. Words are those of the analyzer "plain", in NFD.
    ngram : int, 1 to 8
        Words of the longest n-gram.
    bins : int, 1 to 2^31 - 1
        How many bins there are; 2^24 as in DrQA.

    Raises
    ------
    InvalidInputError
        If a number is out of range.

    Notes
    -----
    Chen, Fisch, Weston, Bordes, Reading Wikipedia to Answer Open-Domain Questions, ACL 2017, section 3.1 (bigrams, 2^24
    bins, MurmurHash3). DrQA takes symbols such as "$" for words; here they end a run.

    Examples
    --------
    >>> HashedNgrams("english", ngram=2).ngrams("The sweet nurse! Love of nurses")
    ['sweet', 'sweet nurs', 'nurs', 'love', 'nurs']
    >>> HashedNgrams("english", ngram=2).analyze("The sweet nurse!")
    ['7dc9a0', 'e9265d', 'd710dc']
    """

    def __init__(self, words: str | Analyzer | Any = "english", ngram: int = 2, bins: int = 2**24) -> None:
        self.words = as_analyzer(words)
        self.ngram = check_integer(ngram, "ngram", 1, MOST_NGRAM)
        self.bins = check_integer(bins, "bins", 1, MOST_BINS)
        self._plain = Analyzer(_WORDS)

    def ngrams(self, text: str) -> list[str]:
        """Return the n-grams of a text, by their first word, short ones first."""
        runs: list[list[str]] = [[]]
        for part in _segments(text, 0):
            for word in self._plain.analyze(part):
                terms = self.words.analyze(word)
                if terms:
                    runs[-1].append(" ".join(terms))
                else:
                    runs.append([])
            runs.append([])
        return [
            " ".join(run[first : first + n])
            for run in runs
            for first in range(len(run))
            for n in range(1, min(self.ngram, len(run) - first) + 1)
        ]

    def analyze(self, text: str) -> list[str]:
        """Return the names of the bins of a text's n-grams, in the order of `ngrams`."""
        return self.analyze_batch((text,))[0]

    def analyze_batch(self, texts: Iterable[str] | Any, threads: int = 0) -> list[list[str]]:
        """Return the names of the bins of each text; arguments and errors are those of `term_ids`."""
        vocabulary = Vocabulary()
        ids, offsets = self.term_ids(texts, vocabulary, grow=True, threads=threads)
        names = vocabulary.terms()
        flat = [names[i] for i in ids.tolist()]
        return [flat[start:end] for start, end in pairwise(offsets.tolist())]

    def term_ids(self, texts: Iterable[str] | Any, vocabulary: Vocabulary, grow: bool, threads: int = 0) -> TermIds:
        """Return the bins of texts as ids of `vocabulary`; see `Analyzer.term_ids`."""
        return joined(self.stream_term_ids(texts, vocabulary, grow, threads))

    def stream_term_ids(
        self, texts: Iterable[str], vocabulary: Vocabulary, grow: bool, threads: int = 0
    ) -> Iterator[TermIds]:
        """Do what `term_ids` does for a few thousand texts at a time."""
        if isinstance(texts, str):
            raise InputTypeError("texts is one str: give a list of texts, or call analyze for one")
        for first, batch in batches(texts):
            bins, offsets = self._bins(batch, first, threads)
            yield TermIds(_named(bins, vocabulary, grow), offsets)

    def _bins(
        self, texts: tuple[str, ...], first: int, threads: int
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the bins of all n-grams, text after text, and where each text's begin."""
        parts: list[str] = []
        ends = [0]
        for number, text in enumerate(texts, first):
            parts += _segments(text, number)
            ends.append(len(parts))
        seen = Vocabulary()
        words = self._plain.term_ids(parts, seen, grow=True, threads=threads)
        made = self.words.analyze_batch(seen.terms(), threads)
        terms = Vocabulary()
        numbers = np.array([_number_of(term, terms) for term in made], np.int32)
        blob, blob_offsets = terms.to_arrays()
        run_ids = numbers[words.ids] if len(numbers) else words.ids
        bins, part_offsets = core.hash_ngrams(run_ids, words.offsets, blob, blob_offsets, self.ngram, self.bins)
        return bins, part_offsets[np.asarray(ends)]

    def to_config(self) -> dict[str, Any]:
        """Return all that `from_config` needs, ready for JSON."""
        return {"hashed_ngrams": {"ngram": self.ngram, "bins": self.bins, "words": self.words.to_config()}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the analyzer that `to_config` described.

        Raises
        ------
        InputTypeError, InvalidInputError
            If the description is malformed.
        """
        parts = config.get("hashed_ngrams") if isinstance(config, Mapping) else None
        if (
            not isinstance(parts, Mapping)
            or set(parts) != {"ngram", "bins", "words"}
            or set(config) != {"hashed_ngrams"}
        ):
            raise InputTypeError("the description of hashed n-grams needs ngram, bins and words, and nothing else")
        return cls(Analyzer.from_config(parts["words"]), parts["ngram"], parts["bins"])

    def __repr__(self) -> str:
        return f"HashedNgrams({self.words!r}, ngram={self.ngram}, bins={self.bins})"

    def __reduce__(self) -> tuple[Any, ...]:
        return HashedNgrams, (self.words, self.ngram, self.bins)


def analyzer_from_config(config: Mapping[str, Any]) -> Analyzer:
    """Make the analyzer of a saved index: one that hashes n-grams, or an ordinary one."""
    return HashedNgrams.from_config(config) if "hashed_ngrams" in config else Analyzer.from_config(config)


def _number_of(made: list[str], terms: Vocabulary) -> int:
    """Return the number of what became of one word; -1 if it was dropped. The pieces of a word that was split stay together."""
    return int(terms.ids([[" ".join(made)]], grow=True).ids[0]) if made else -1


def _named(bins: npt.NDArray[np.int32], vocabulary: Vocabulary, grow: bool) -> npt.NDArray[np.int32]:
    """Return the ids of bins by their names; new ones in order of first appearance."""
    distinct, first, places = np.unique(bins, return_index=True, return_inverse=True)
    order = np.argsort(first)
    ids = np.empty(len(distinct), np.int32)
    ids[order] = vocabulary.ids([[f"{number:x}" for number in distinct[order].tolist()]], grow).ids
    return ids[places]


class _Breaks(dict[int, str]):
    """What each character is replaced by: punctuation marks and symbols by a mark that ends a run."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = _BREAK if unicodedata.category(character)[0] in "PS" or character == _BREAK else character
        self[code] = kept
        return kept


_BREAKS = _Breaks()


def _segments(text: Any, number: int) -> list[str]:
    """Return the parts of a text between punctuation marks and symbols, in NFD."""
    if not isinstance(text, str):
        raise InputTypeError(f"text {number} is of type {type(text).__name__}: every text must be a str")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"text {number} has a lone surrogate at {error.start}: give Unicode text") from None
    return unicodedata.normalize("NFD", text).translate(_BREAKS).split(_BREAK)
