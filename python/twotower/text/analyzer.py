"""Analyzers: options checked here, the words read in C++, the stems made by PyStemmer."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any, Self, Unpack, cast

import Stemmer

from twotower.errors import InputTypeError, InvalidInputError, VersionWarning
from twotower.text.analyzers import AnalyzerOptions, TextFunction, entry_of
from twotower.text.native import NativeAnalyzer, unicode_version
from twotower.text.options import OPTIONS, checked_options, stop_list
from twotower.text.term_ids import TermIds, batches, joined
from twotower.text.vocabulary import Vocabulary

CONFIG_VERSION = 1


class Analyzer:
    """Turns text into terms: words, lower case, stop words, stems.

    Each distinct word passes the stop list and the stemmer once; the core caches what became of it (about a million
    words, 80 MiB for English, then the cache starts anew). Safe to share between threads; works without the GIL.

    Parameters
    ----------
    name : str or callable, default "english"
        A name of `twotower.text.ANALYZERS`: "english" (all parts below), "plain" (lower-cased words and nothing else),
        or what you added there. Or a function from str to list of str, which then does everything.
    words : {"unicode", "whitespace"}
        "unicode": a word is a run of letters and numbers with their marks, in any script ("os.path" is two words,
        "x2" one). An apostrophe stays between two letters and is always written ``'``. Runs of Han, Hiragana,
        Katakana and Hangul syllables become overlapping pairs of characters; one alone is a word. Soft hyphens,
        joiners and variation selectors are as if they were not there. Text is not normalised: "é" in one or in two
        code points makes two different terms. Other scripts without spaces (Thai, Khmer, ...) stay whole runs.
        "whitespace": what ``str.split()`` gives.
    lowercase : bool
        Simple (one to one) lower case of Unicode: "İ" becomes "i", a final "Σ" becomes "σ".
    stop_words : str, sequence of str or None
        Words to leave out, before stemming: a word itself, or with a final ``'s`` taken off ("it's"). "english" is
        Lucene's list of 33 words; your own list is lower-cased if `lowercase`.
    stemmer : str or None
        A Snowball algorithm as PyStemmer names it ("english" is Porter 2); it expects lower case.

    Raises
    ------
    InvalidInputError
        If a name or option is unknown; the message lists what there is.
    InputTypeError
        If an argument has a type that it cannot have.

    Notes
    -----
    Linear in the bytes of the text. A text is any str without lone surrogates; an empty one has no terms.

    Examples
    --------
    >>> Analyzer("english").analyze("Sweet sweet nurse! Love?")
    ['sweet', 'sweet', 'nurs', 'love']
    >>> Analyzer("english", stemmer=None).analyze("The nurse's 東京都")
    ["nurse's", '東京', '京都']
    >>> Analyzer(str.split).analyze("any function will do")
    ['any', 'function', 'will', 'do']
    """

    def __init__(self, name: str | TextFunction = "english", **options: Unpack[AnalyzerOptions]) -> None:
        unknown = [option for option in options if option not in OPTIONS]
        if unknown:
            raise InputTypeError(f"Analyzer has no option {unknown[0]!r}: it takes {', '.join(OPTIONS)}")
        self._name = name if isinstance(name, str) else None
        self._function: TextFunction | None = None
        self._options: AnalyzerOptions = {}
        entry = entry_of(name)
        if callable(entry):
            if options:
                raise InvalidInputError(
                    f"{name!r} does everything itself: it takes no options, {', '.join(options)} came"
                )
            self._function = entry
        else:
            self._options = checked_options({**entry, **options})
            self._native = _native_analyzer(self._options)

    def analyze(self, text: str) -> list[str]:
        """Return the terms of one text.

        Raises
        ------
        InputTypeError
            If `text` is no str.
        InvalidInputError
            If `text` has a lone surrogate.
        """
        return self.analyze_batch((text,))[0]

    def analyze_batch(self, texts: Iterable[str]) -> list[list[str]]:
        """Return the terms of each text; errors name the text by its number, counted from 0."""
        vocabulary = Vocabulary()
        ids, offsets = self.term_ids(texts, vocabulary, grow=True)
        terms = vocabulary.terms()
        flat = [terms[i] for i in ids.tolist()]
        bounds = offsets.tolist()
        return [flat[start:end] for start, end in pairwise(bounds)]

    def term_ids(self, texts: Iterable[str], vocabulary: Vocabulary, grow: bool) -> TermIds:
        """Return the terms of texts as ids.

        Parameters
        ----------
        texts : iterable of str
            Read as a stream.
        vocabulary : Vocabulary
        grow : bool
            Add unknown terms to the vocabulary; else they get the id -1 and keep their place.

        Returns
        -------
        TermIds
            ``ids`` int32 [T] and ``offsets`` int64 [N + 1].

        Raises
        ------
        InputTypeError
            If a text is no str; the message names its number and type.
        InvalidInputError
            If a text has a lone surrogate; the message names its number and the character. Terms of earlier texts may
            then have been added.

        Examples
        --------
        >>> Analyzer("plain").term_ids(["Sweet love", ""], Vocabulary(["love"]), grow=False)
        TermIds(ids=array([-1,  0], dtype=int32), offsets=array([0, 2, 2]))
        """
        return joined(self.stream_term_ids(texts, vocabulary, grow))

    def stream_term_ids(self, texts: Iterable[str], vocabulary: Vocabulary, grow: bool) -> Iterator[TermIds]:
        """Do what `term_ids` does for a few thousand texts at a time, for streams that are not to be held whole."""
        if isinstance(texts, str):
            raise InputTypeError("texts is one str: give a list of texts, or call analyze for one")
        if not isinstance(texts, Iterable):
            raise InputTypeError(f"texts is of type {type(texts).__name__}: give a list or a stream of str")
        for first, batch in batches(texts):
            if self._function is None:
                yield TermIds(*self._native.term_ids(batch, vocabulary._native, grow, first))
            else:
                terms = [_terms_of(self._function, text, n) for n, text in enumerate(batch, first)]
                yield vocabulary.ids(terms, grow)

    def to_config(self) -> dict[str, Any]:
        """Return all that `from_config` needs, ready for JSON, with the versions of Unicode and PyStemmer.

        Raises
        ------
        InvalidInputError
            If the analyzer is a function that has no name in `twotower.text.ANALYZERS`.
        """
        if self._function is not None and self._name is None:
            raise InvalidInputError(
                f"the analyzer is the function {self._function!r}, which cannot be saved: give it a name with "
                'twotower.text.ANALYZERS["name"] = "package.module:function" and use Analyzer("name")'
            )
        options: dict[str, Any] = {"name": self._name} if self._function is not None else {**self._options}
        return {"version": CONFIG_VERSION, **options, **_versions()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the analyzer that `to_config` described.

        Raises
        ------
        InputTypeError
            If `config` is no mapping, or a part of it has a type that it cannot have.
        InvalidInputError
            If the description is of an unknown version, or lacks or has what it should not.

        Warns
        -----
        VersionWarning
            If Unicode or PyStemmer has another version than the one saved: some words may then get other terms than the
            texts that were analysed before.
        """
        if not isinstance(config, Mapping):
            raise InputTypeError(f"config is of type {type(config).__name__}: give the dict of to_config")
        if config.get("version") != CONFIG_VERSION:
            came = config.get("version")
            raise InvalidInputError(
                f"analyzer config has version {came!r}: this twotower reads version {CONFIG_VERSION}"
            )
        parts = ("name",) if "name" in config else OPTIONS
        expected = {"version", *parts, *_versions()}
        if config.keys() != expected:
            raise InvalidInputError(
                f"analyzer config has the keys {', '.join(sorted(map(str, config)))}: "
                f"it must have {', '.join(sorted(expected))}"
            )
        _warn_of_versions(config)
        if "name" in config:
            return cls(config["name"])
        return cls("plain", **cast(AnalyzerOptions, {option: config[option] for option in OPTIONS}))

    def __repr__(self) -> str:
        if self._function is not None:
            return f"Analyzer({self._name or self._function!r})"
        options = ", ".join(f"{option}={value!r}" for option, value in self._options.items())
        return f"Analyzer({options})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._function is not None:
            return Analyzer, (self._name or self._function,)
        return Analyzer.from_config, (self.to_config(),)


def as_analyzer(analyzer: Analyzer | str | TextFunction) -> Analyzer:
    """Return an analyzer as it is; make one of a name or a function."""
    return analyzer if isinstance(analyzer, Analyzer) else Analyzer(analyzer)


def _native_analyzer(options: AnalyzerOptions) -> Any:
    stemmer = options["stemmer"]
    return NativeAnalyzer(
        unicode_words=options["words"] == "unicode",
        lowercase=options["lowercase"],
        stop_words=stop_list(options["stop_words"]),
        stemmer=None if stemmer is None else partial(_stems_of, stemmer),
    )


def _stems_of(stemmer: str, words: list[str]) -> list[str]:
    """Stem words with a stemmer of this call's own: PyStemmer's objects are not safe to share between threads."""
    stems: list[str] = Stemmer.Stemmer(stemmer, 0).stemWords(words)
    return stems


def _terms_of(function: TextFunction, text: str, number: int) -> list[str]:
    if not isinstance(text, str):
        raise InputTypeError(f"text {number} is of type {type(text).__name__}: every text must be a str")
    terms = function(text)
    if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
        raise InputTypeError(f"the analyzer {function!r} gave {terms!r} for text {number}: it must give a list of str")
    return terms


def _versions() -> dict[str, str]:
    return {"unicode_version": unicode_version(), "pystemmer_version": Stemmer.version()}


def _warn_of_versions(config: Mapping[str, Any]) -> None:
    parts = {"unicode_version": "Unicode", "pystemmer_version": "PyStemmer"}
    if config.get("stemmer") is None:
        del parts["pystemmer_version"]
    for key, part in parts.items():
        if config[key] != _versions()[key]:
            warnings.warn(
                f"this was analysed with {part} {config[key]}, here is {part} {_versions()[key]}: some words may get "
                "other terms and not be found; analyse and save it again, or install the saved version",
                VersionWarning,
                stacklevel=3,
            )
