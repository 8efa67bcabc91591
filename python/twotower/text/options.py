"""Checks of the options of an analyzer, and the form in which they are saved."""

from collections.abc import Sequence, Set

import Stemmer

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.analyzers import STOP_WORDS, AnalyzerOptions

OPTIONS = ("words", "lowercase", "stop_words", "stemmer")
WORD_RULES = ("unicode", "whitespace")


def checked_options(options: AnalyzerOptions) -> AnalyzerOptions:
    """Return all four options in the form in which they are saved; one that is missing is as in "plain".

    Raises
    ------
    InvalidInputError
        If a word rule, stop list or stemmer is unknown; the message lists what there is.
    InputTypeError
        If an option has a type that it cannot have.
    """
    words, lowercase = options.get("words", "unicode"), options.get("lowercase", True)
    stop_words, stemmer = options.get("stop_words"), options.get("stemmer")
    if words not in WORD_RULES:
        raise InvalidInputError(f"unknown word rule {words!r}: choose one of {', '.join(WORD_RULES)}")
    if not isinstance(lowercase, bool):
        raise InputTypeError(f"lowercase is of type {type(lowercase).__name__}: it must be True or False")
    if stemmer is not None and stemmer not in Stemmer.algorithms():
        raise InvalidInputError(
            f"unknown stemmer {stemmer!r}: choose None, or what PyStemmer {Stemmer.version()} has: "
            f"{', '.join(sorted(Stemmer.algorithms()))}"
        )
    return {"words": words, "lowercase": lowercase, "stop_words": _checked_stop_words(stop_words), "stemmer": stemmer}


def stop_list(stop_words: str | Sequence[str] | Set[str] | None) -> list[str]:
    """Return the words that a checked option means."""
    return list(STOP_WORDS[stop_words] if isinstance(stop_words, str) else stop_words or ())


def _checked_stop_words(stop_words: str | Sequence[str] | Set[str] | None) -> str | list[str] | None:
    """Return the name of a list, or the words themselves: a set in sorted order."""
    if stop_words is None:
        return None
    names = ", ".join(sorted(STOP_WORDS))
    if isinstance(stop_words, str):
        if stop_words not in STOP_WORDS:
            raise InvalidInputError(f"unknown stop list {stop_words!r}: choose {names}, None, or give a list of words")
        return stop_words
    if not isinstance(stop_words, (Sequence, Set)):
        raise InputTypeError(
            f"stop_words is of type {type(stop_words).__name__}: give {names}, None or a list of words"
        )
    for number, word in enumerate(stop_words):
        if not isinstance(word, str):
            raise InputTypeError(f"stop word {number} is of type {type(word).__name__}: every stop word must be a str")
        if any("\ud800" <= char <= "\udfff" for char in word):
            raise InvalidInputError(f"stop word {number}, {word!r}, has a lone surrogate: no text can contain it")
    return sorted(stop_words) if isinstance(stop_words, Set) else list(stop_words)
