"""Checks of the options of an analyzer, and the form in which they are held and saved."""

from collections.abc import Callable, Sequence, Set
from typing import Any

import Stemmer

from twotower.errors import InputTypeError, InvalidInputError
from twotower.registry import resolve
from twotower.text.analyzers import STEMMERS, STOP_WORDS, AnalyzerOptions, WordFunction
from twotower.text.stop_lists import packaged_list

MAX_NGRAM, MAX_SIZES = 8, 3


def checked_options(options: AnalyzerOptions) -> dict[str, Any]:
    """Return all options in the form in which they are saved; one that is missing is as in "plain".

    A named stop list becomes its words, but for "english", which is ours and never changes.

    Raises
    ------
    InvalidInputError
        If a word rule, stop list or stemmer is unknown; the message lists what there is. If a number is out of range.
    InputTypeError
        If an option has a type that it cannot have.
    """
    return {name: check(options.get(name, default)) for name, (check, default) in _CHECKS.items()}


def stop_list(stop_words: str | Sequence[str] | None) -> list[str]:
    """Return the words that a checked option means."""
    return list(STOP_WORDS[stop_words] if isinstance(stop_words, str) else stop_words or ())


def stem_function(stemmer: str | WordFunction | None) -> WordFunction | None:
    """Return the function that a checked option names, or is; None for none and for a stemmer of PyStemmer."""
    if isinstance(stemmer, str) and stemmer in STEMMERS:
        function: WordFunction = resolve(STEMMERS, stemmer, "stemmer")
        return function
    return None if stemmer is None or isinstance(stemmer, str) else stemmer


def _checked_words(words: Any) -> str:
    if words not in ("unicode", "whitespace"):
        raise InvalidInputError(f"unknown word rule {words!r}: choose one of unicode, whitespace")
    return str(words)


def _checked_lowercase(lowercase: Any) -> bool | str:
    if isinstance(lowercase, str) and lowercase != "turkish":
        raise InputTypeError(f"lowercase is of type str, {lowercase!r}: it must be True, False or 'turkish'")
    if not isinstance(lowercase, (bool, str)):
        raise InputTypeError(f"lowercase is of type {type(lowercase).__name__}: it must be True, False or 'turkish'")
    return lowercase


def _checked_ngrams(sizes: Any) -> list[int]:
    found = [sizes] if isinstance(sizes, int) else sizes
    if isinstance(found, str) or not isinstance(found, (Sequence, Set)):
        raise InputTypeError(f"cjk_ngrams is of type {type(sizes).__name__}: give a number of characters, or a few")
    for size in found:
        if isinstance(size, bool) or not isinstance(size, int):
            raise InputTypeError(f"cjk_ngrams has {size!r} of type {type(size).__name__}: it must be an integer")
        if not 1 <= size <= MAX_NGRAM:
            raise InvalidInputError(f"cjk_ngrams has {size}: it must be from 1 to {MAX_NGRAM}")
    if not 1 <= len(set(found)) <= MAX_SIZES:
        raise InvalidInputError(f"cjk_ngrams has {len(set(found))} sizes: give one to {MAX_SIZES}, such as 2 or (1, 2)")
    return sorted(set(found))


def _checked_fold(fold_accents: Any) -> bool:
    if not isinstance(fold_accents, bool):
        raise InputTypeError(f"fold_accents is of type {type(fold_accents).__name__}: it must be True or False")
    return fold_accents


def _checked_apostrophes(apostrophes: Any) -> str | list[str]:
    if isinstance(apostrophes, str):
        if apostrophes not in ("keep", "cut"):
            raise InvalidInputError(
                f"unknown rule for apostrophes {apostrophes!r}: choose keep, cut, or give a list of articles"
            )
        return apostrophes
    return _listed(apostrophes, "apostrophes", "article", "'keep', 'cut' or a list of articles")


def _checked_stop_words(stop_words: Any) -> str | list[str] | None:
    """Return "english", or the words themselves: a set in sorted order."""
    names = ", ".join(sorted(STOP_WORDS))
    if stop_words is None:
        return None
    if not isinstance(stop_words, str):
        return _listed(stop_words, "stop_words", "stop word", f"{names}, None or a list of words")
    entry = STOP_WORDS.get(stop_words)
    if entry is None:
        raise InvalidInputError(f"unknown stop list {stop_words!r}: choose {names}, None, or give a list of words")
    if stop_words == "english":
        return stop_words
    return list(packaged_list(entry) if isinstance(entry, str) else entry)


def _checked_stemmer(stemmer: Any) -> str | WordFunction | None:
    known = sorted([*Stemmer.algorithms(), *STEMMERS])
    if stemmer is None or (isinstance(stemmer, str) and stemmer in known):
        return stemmer
    if callable(stemmer):
        function: WordFunction = stemmer
        return function
    raise InvalidInputError(
        f"unknown stemmer {stemmer!r}: choose None, a function from a word to its stem, a name that you gave to "
        f"twotower.text.STEMMERS, or what PyStemmer {Stemmer.version()} has: {', '.join(known)}"
    )


def _listed(words: Any, option: str, item: str, allowed: str) -> list[str]:
    if not isinstance(words, (Sequence, Set)):
        raise InputTypeError(f"{option} is of type {type(words).__name__}: give {allowed}")
    for number, word in enumerate(words):
        if not isinstance(word, str):
            raise InputTypeError(f"{item} {number} is of type {type(word).__name__}: every {item} must be a str")
        if any("\ud800" <= char <= "\udfff" for char in word):
            raise InvalidInputError(f"{item} {number}, {word!r}, has a lone surrogate: no text can contain it")
    return sorted(words) if isinstance(words, Set) else list(words)


_CHECKS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "words": (_checked_words, "unicode"),
    "lowercase": (_checked_lowercase, True),
    "cjk_ngrams": (_checked_ngrams, 2),
    "fold_accents": (_checked_fold, False),
    "apostrophes": (_checked_apostrophes, "keep"),
    "stop_words": (_checked_stop_words, None),
    "stemmer": (_checked_stemmer, None),
}
OPTIONS = tuple(_CHECKS)
