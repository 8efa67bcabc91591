"""From checked options to the analyzer of the core, with the fastest stemmer that does the same. Knows no text."""

from collections.abc import Mapping
from typing import Any

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.analyzers import WordFunction
from twotower.text.native import NativeAnalyzer
from twotower.text.options import stem_function, stop_list
from twotower.text.snowball import addresses, stem_words


def native_analyzer(options: Mapping[str, Any]) -> Any:
    """Return the analyzer of the core for checked options."""
    stemmer, apostrophes = options["stemmer"], options["apostrophes"]
    function = stem_function(stemmer)
    found = addresses() if isinstance(stemmer, str) and function is None else None
    batches_of_words: Any = None
    if function is not None:
        batches_of_words = _StemEach(function)
    elif isinstance(stemmer, str) and found is None:
        batches_of_words = stem_words(stemmer)
    return NativeAnalyzer(
        unicode_words=options["words"] == "unicode",
        lowercase=options["lowercase"] is not False,
        turkish=options["lowercase"] == "turkish",
        cjk_sizes=sum(1 << (size - 1) for size in options["cjk_ngrams"]),
        cut_apostrophe=apostrophes == "cut",
        articles=apostrophes if isinstance(apostrophes, list) else [],
        fold_accents=options["fold_accents"],
        stop_words=stop_list(options["stop_words"]),
        snowball=None if found is None else (*found, stemmer),
        stemmer=batches_of_words,
    )


class _StemEach:
    """Stems a list of words by a function of one."""

    def __init__(self, function: WordFunction) -> None:
        self._function = function

    def __call__(self, words: list[str]) -> list[str]:
        stems = [self._function(word) for word in words]
        for word, stem in zip(words, stems, strict=True):
            if not isinstance(stem, str):
                raise InputTypeError(f"the stemmer {self._function!r} gave {stem!r} for {word!r}: it must give a str")
            if any("\ud800" <= char <= "\udfff" for char in stem):
                raise InvalidInputError(
                    f"the stemmer {self._function!r} gave {stem!r} for {word!r}, which has a lone surrogate"
                )
        return stems
