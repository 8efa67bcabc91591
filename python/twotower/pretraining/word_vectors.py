"""Vectors of words from texts alone: skip-gram and CBOW with negative sampling. Knows no model.

V terms, D dimensions, T words of all texts.
"""

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from twotower.errors import InputTypeError, InvalidInputError, TrainingError
from twotower.pretraining.native import NativeWord2Vec
from twotower.registry import check_options
from twotower.storage import checked_path, write_file_atomically
from twotower.text import Analyzer, TermIds, Vocabulary, as_analyzer

Floats = npt.NDArray[np.float32]

MAX_SIZE = 2**20
MAX_DIM = 2**16
MAX_THREADS = 256
MAX_VECTOR = 1e6
"""Length of a vector's component beyond which a run counts as diverged."""
RATES = {"skipgram": 0.025, "cbow": 0.05}
_WORDS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Word2VecOptions:
    """How word vectors are learned.

    Attributes
    ----------
    method : {"skipgram", "cbow"}
        Predict the neighbours of a word from its vector, or the word from the mean of its neighbours' vectors.
    dim : int
        D.
    window : int
        Neighbours on each side, at most; for every word a number from 1 to `window` is drawn.
    negative : int
        Words drawn for each that is to be predicted, by count^0.75.
    epochs : int
    lr : float, optional
        Learning rate at the first word, falling in a line to a 250th of it. None: that of `RATES`.
    subsample : float
        A word that makes up more than this share of the texts is left out now and then; 0 keeps all.
    seed : int
    threads : int
        The result hangs on their number (see `word2vec`), so 0 for "all" does not exist.
    """

    method: str = "skipgram"
    dim: int = 100
    window: int = 5
    negative: int = 5
    epochs: int = 5
    lr: float | None = None
    subsample: float = 1e-3
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        if self.method not in RATES:
            raise InvalidInputError(f"method is {self.method!r}: choose one of {', '.join(RATES)}")
        limits = {"window": MAX_SIZE, "negative": MAX_SIZE, "epochs": MAX_SIZE, "dim": MAX_DIM, "threads": MAX_THREADS}
        for name, high in limits.items():
            _check_int(name, getattr(self, name), 1, high)
        _check_int("seed", self.seed, 0, 2**63 - 1)
        for name, value in (("lr", self.rate), ("subsample", self.subsample)):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InputTypeError(f"{name} is {value!r}: it must be a number")
            if not 0 <= value <= sys.float_info.max or (name == "lr" and value == 0):  # an int may be above
                raise InvalidInputError(
                    f"{name} is {value!r}: it must be finite and {'above 0' if name == 'lr' else '0 or more'}"
                )

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Self:
        """Return options by name.

        Raises
        ------
        InputTypeError
            For a name that is none of them; and as the class for their values, InvalidInputError too.
        """
        check_options("word2vec", asked, [each.name for each in fields(cls)])
        return cls(**asked)

    @property
    def rate(self) -> float:
        """The learning rate at the first word."""
        return RATES[self.method] if self.lr is None else self.lr


@dataclass(frozen=True)
class WordVectors:
    """Terms and their vectors.

    Attributes
    ----------
    terms : list of str
    vectors : ndarray of float32, shape [V, D]
    """

    terms: list[str]
    vectors: Floats
    _rows: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {term: row for row, term in enumerate(self.terms)})

    def __len__(self) -> int:
        return len(self.terms)

    def __contains__(self, term: object) -> bool:
        return term in self._rows

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine of two terms' vectors.

        Raises
        ------
        InvalidInputError
            If there is no vector of one.
        """
        rows = []
        for term in (a, b):
            if term not in self._rows:
                raise InvalidInputError(f"there is no vector of {term!r}: it came too seldom, or not in this form")
            rows.append(self.vectors[self._rows[term]].astype(np.float64))
        return float(rows[0] @ rows[1] / max(1e-30, math.sqrt(float(rows[0] @ rows[0]) * float(rows[1] @ rows[1]))))

    def save_text(self, path: str | PathLike[str]) -> None:
        """Write the text form of word2vec: a line with V and D, then a line for each term and its numbers.

        Parameters
        ----------
        path : path
            Replaced in one step.

        Raises
        ------
        InputTypeError
            If `path` is no path.
        InvalidInputError
            If a term is empty or has white space, which this form cannot tell from the end of the term.
        FileError
            If the file cannot be written.

        Notes
        -----
        Nine digits a number: what is read again is the same float32.
        """
        path = checked_path(path, "path")
        for term in self.terms:
            if not term or any(char.isspace() for char in term):
                raise InvalidInputError(f"the term {term!r} is empty or has white space: the text form cannot hold it")
        lines = [f"{len(self.terms)} {self.vectors.shape[1]}"]
        lines += [
            f"{term} " + " ".join(f"{value:.9g}" for value in row)
            for term, row in zip(self.terms, self.vectors.tolist(), strict=True)
        ]
        write_file_atomically(Path(path), ("\n".join(lines) + "\n").encode())


def word2vec(
    texts: Iterable[str],
    analyzer: Analyzer | str | Any = "plain",
    *,
    min_count: int = 5,
    progress: bool | None = None,
    **options: Any,
) -> WordVectors:
    """Learn a vector for each word of texts.

    Parameters
    ----------
    texts : iterable of str
        Neighbours are looked for within a text.
    analyzer : str, Analyzer or callable
        How texts become words. "plain" keeps all forms of a word.
    min_count : int
        Occurrences that a word needs; others are taken out before neighbours are counted.
    progress : bool, optional
        A bar on standard error; None shows it on a terminal only.
    **options
        Of `Word2VecOptions`: `method`, `dim`, `window`, `negative`, `epochs`, `lr`, `subsample`, `seed`, `threads`.

    Returns
    -------
    WordVectors
        The most frequent word first.

    Raises
    ------
    InputTypeError, InvalidInputError
        If an option is out of range, a text is no str, or fewer than two words come often enough.
    TrainingError
        If the vectors are not finite at the end of an epoch, or beyond all measure: take a smaller `lr`.

    Notes
    -----
    One step is one word with all its neighbours and their negatives, down the exact gradient of the objective; so the mean
    in CBOW passes 1 / n of the gradient on to each neighbour, which word2vec's own program leaves out (Irsoy et al. 2021).
    With one thread the result is a function of texts, options and seed, on every instruction set. With more it is a function
    of their number too, and of nothing else: no thread writes what another reads (include/twotower/word2vec.h).
    Sources: Mikolov et al. 2013 (arXiv 1301.3781; 1310.4546, sections 2.2 and 2.3).

    Examples
    --------
    >>> vectors = word2vec(["sweet love sweet sorrow"] * 20, dim=8, min_count=1)
    >>> vectors.terms, vectors.vectors.shape
    (['sweet', 'love', 'sorrow'], (3, 8))
    """
    asked = Word2VecOptions.of(options)
    if isinstance(texts, str):
        raise InputTypeError("texts is one str: give a list of texts")
    analyzer = as_analyzer(analyzer)
    seen = Vocabulary()
    found = analyzer.term_ids(texts, seen, grow=True)
    counts = np.bincount(found.ids, minlength=len(seen))
    order = np.argsort(-counts, kind="stable")
    kept = order[counts[order] >= _check_int("min_count", min_count, 1, 2**62)]
    rows = np.full(len(seen), -1, np.int32)
    rows[kept] = np.arange(len(kept), dtype=np.int32)
    terms = seen.terms()
    vectors = vectors_of_ids(TermIds(rows[found.ids], found.offsets), len(kept), asked, progress=progress)
    return WordVectors([terms[i] for i in kept.tolist()], vectors)


def vectors_of_ids(found: TermIds, n_terms: int, options: Word2VecOptions, *, progress: bool | None = None) -> Floats:
    """Learn a vector for each term id: float32 [n_terms, D].

    Parameters
    ----------
    found : TermIds
        -1 is taken out before neighbours are counted.
    n_terms : int
        V.
    options : Word2VecOptions
    progress : bool, optional
        As of `word2vec`, which also tells what is raised.

    Notes
    -----
    A term that no text has keeps its first vector: uniform from -1 / (2 D) to 1 / (2 D).
    """
    known = found.ids >= 0
    offsets = np.concatenate([[0], np.cumsum(known)]).astype(np.int64)[found.offsets]
    ids = np.ascontiguousarray(found.ids[known], np.int32)
    generator = np.random.default_rng(options.seed)
    inputs = (generator.random((n_terms, options.dim), np.float32) - np.float32(0.5)) / np.float32(options.dim)
    outputs = np.zeros_like(inputs)
    training = NativeWord2Vec(
        ids, offsets, inputs, outputs, cbow=options.method == "cbow", window=options.window, negative=options.negative,
        epochs=options.epochs, lr=options.rate, min_lr=options.rate / 250, subsample=options.subsample,
        negative_power=0.75, seed=options.seed, threads=options.threads,
    )  # fmt: skip
    total = options.epochs * len(ids)
    hidden = None if progress is None else not progress  # None: tqdm looks for a terminal
    done = 0
    with tqdm(total=total, desc="word vectors", unit="word", disable=hidden, file=sys.stderr) as bar:
        while done < total:
            epoch, before = done // len(ids), done
            done = training.run(_WORDS_AT_ONCE)
            bar.update(done - before)
            if done // len(ids) > epoch:
                _check_sound(inputs, outputs, epoch + 1, options.rate)
    return inputs


def _check_sound(inputs: Floats, outputs: Floats, epoch: int, lr: float) -> None:
    for table in (inputs, outputs):
        worst = float(np.abs(table).max())
        if not worst < MAX_VECTOR:  # NaN is not
            raise TrainingError(
                f"word vectors have a component of {worst:g} after epoch {epoch} with lr {lr:g}: take a smaller lr"
            )


def _check_int(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputTypeError(f"{name} is {value!r}: it must be an int")
    if not low <= value <= high:
        raise InvalidInputError(f"{name} is {value}: it must be from {low} to {high}")
    return int(value)
