"""Named analyzers and stop lists: the registries of the room. Knows no text and no core."""

from collections.abc import Callable, Sequence, Set
from typing import Literal, TypedDict, cast

from twotower.errors import InputTypeError, InvalidInputError
from twotower.registry import resolve

TextFunction = Callable[[str], list[str]]


class AnalyzerOptions(TypedDict, total=False):
    """The parts of an analyzer; what each means stands at `twotower.Analyzer`."""

    words: Literal["unicode", "whitespace"]
    lowercase: bool
    stop_words: str | Sequence[str] | Set[str] | None
    stemmer: str | None


ANALYZERS: dict[str, AnalyzerOptions | str] = {
    "english": {"words": "unicode", "lowercase": True, "stop_words": "english", "stemmer": "english"},
    "plain": {"words": "unicode", "lowercase": True, "stop_words": None, "stemmer": None},
}
"""Name to options, or to the dotted path ("package.module:function") of a function from str to list of str."""

# Lucene's EnglishAnalyzer.ENGLISH_STOP_WORDS_SET, 33 words.
_LUCENE_ENGLISH = """a an and are as at be but by for if in into is it no not of on or such that the their then there
these they this to was will with"""

STOP_WORDS: dict[str, tuple[str, ...]] = {"english": tuple(_LUCENE_ENGLISH.split())}
"""Name to stop list."""


def entry_of(name: str | TextFunction) -> AnalyzerOptions | TextFunction:
    """Return what a name of `ANALYZERS` stands for; a function stands for itself.

    Raises
    ------
    InvalidInputError
        If there is no such name.
    InputTypeError
        If `name` is neither a str nor a function.
    """
    if not isinstance(name, str):
        if callable(name):
            return name
        raise InputTypeError(
            f"name is of type {type(name).__name__}: give a name or a function from str to list of str"
        )
    entry = ANALYZERS.get(name)
    if entry is None:
        raise InvalidInputError(f"unknown analyzer {name!r}: choose one of {', '.join(sorted(ANALYZERS))}")
    return cast(TextFunction, resolve({name: entry}, name, "analyzer")) if isinstance(entry, str) else entry
