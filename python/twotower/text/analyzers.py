"""Named analyzers and stop lists: the registries of the room. Knows no text and no core."""

from collections.abc import Sequence
from typing import Literal, TypedDict


class AnalyzerOptions(TypedDict, total=False):
    """The parts of an analyzer; what each means stands at `twotower.Analyzer`."""

    words: Literal["unicode", "whitespace"]
    lowercase: bool
    stop_words: str | Sequence[str] | None
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
