"""Named analyzers, stop lists and stemmers: the registries of the room. Knows no text and no core."""

from collections.abc import Callable, Sequence, Set
from typing import Literal, TypedDict, cast

from twotower.errors import InputTypeError, InvalidInputError
from twotower.registry import resolve

TextFunction = Callable[[str], list[str]]
WordFunction = Callable[[str], str]


class AnalyzerOptions(TypedDict, total=False):
    """The parts of an analyzer; what each means stands at `twotower.Analyzer`."""

    words: Literal["unicode", "whitespace"]
    lowercase: bool | Literal["turkish"]
    cjk_ngrams: int | Sequence[int]
    fold_accents: bool
    apostrophes: str | Sequence[str] | Set[str]
    stop_words: str | Sequence[str] | Set[str] | None
    stemmer: str | WordFunction | None


# Lucene's EnglishAnalyzer.ENGLISH_STOP_WORDS_SET, 33 words.
_LUCENE_ENGLISH = """a an and are as at be but by for if in into is it no not of on or such that the their then there
these they this to was will with"""

# Languages with a Snowball stemmer and a stop list in the package `stop-words`. Its Persian list (1,665 words, half of
# them in no other list) and its Romanian one (written without diacritics) are left out.
_PACKAGED = (
    "arabic", "catalan", "czech", "danish", "dutch", "finnish", "french", "german", "greek", "hindi", "hungarian",
    "indonesian", "italian", "norwegian", "polish", "portuguese", "russian", "spanish", "swedish", "turkish",
)  # fmt: skip

# What the elision filters of Lucene's French, Italian and Catalan analyzers take off, with the apostrophe.
_ARTICLES = {
    "french": "l m t qu n s j d c jusqu quoiqu lorsqu puisqu",
    "italian": "c l all dall dell nell sull coll pell gl agl dagl degl negl sugl un m t s v d",
    "catalan": "d l m n s t",
}


def _language(name: str) -> AnalyzerOptions:
    options: AnalyzerOptions = {"words": "unicode", "lowercase": True, "stop_words": name, "stemmer": name}
    if name in _ARTICLES:
        options["apostrophes"] = tuple(_ARTICLES[name].split())
    if name == "turkish":
        options |= {"lowercase": "turkish", "apostrophes": "cut"}
    return options


ANALYZERS: dict[str, AnalyzerOptions | str] = {
    "english": {"words": "unicode", "lowercase": True, "stop_words": "english", "stemmer": "english"},
    "plain": {"words": "unicode", "lowercase": True, "stop_words": None, "stemmer": None},
    **{name: _language(name) for name in _PACKAGED},
}
"""Name to options, or to the dotted path ("package.module:function") of a function from str to list of str."""

STOP_WORDS: dict[str, tuple[str, ...] | str] = {
    "english": tuple(_LUCENE_ENGLISH.split()),
    **{name: name for name in _PACKAGED},
}
"""Name to stop list: its words, or the name that the package `stop-words` has for it."""

STEMMERS: dict[str, str] = {}
"""Name to the dotted path ("package.module:function") of a function from a word to its stem, beside PyStemmer's names."""


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
            f"the name of an analyzer is of type {type(name).__name__}: give a name or a function from str to list of str"
        )
    entry = ANALYZERS.get(name)
    if entry is None:
        raise InvalidInputError(f"unknown analyzer {name!r}: choose one of {', '.join(sorted(ANALYZERS))}")
    return cast(TextFunction, resolve({name: entry}, name, "analyzer")) if isinstance(entry, str) else entry
