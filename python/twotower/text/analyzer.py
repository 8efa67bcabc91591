"""Analyzers: options checked here, the words read in C++, the stems made by PyStemmer."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Self, Unpack, cast

import numpy as np

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.analyzer_config import read_config, write_config
from twotower.text.analyzers import AnalyzerOptions, TextFunction, entry_of
from twotower.text.native import NativeTexts, NativeVocabulary, unicode_version
from twotower.text.native_analyzer import native_analyzer
from twotower.text.options import OPTIONS, checked_options
from twotower.text.term_ids import TermIds, batches, joined
from twotower.text.text_columns import Texts, is_column, native_texts
from twotower.text.vocabulary import Vocabulary

_LONG_LIST = 8  # words of a list that a repr shows


class Analyzer:
    """Turns text into terms: words, lower case, stop words, stems.

    What became of each distinct word is cached for all threads together (a million words, at most 200 MiB, then the
    cache starts anew). Safe to share between threads; works without the GIL. A text is never query syntax: ``+``,
    ``"`` and ``AND`` mean nothing.

    Parameters
    ----------
    name : str or callable, default "english"
        A name of `twotower.text.ANALYZERS`: a language ("english", "german", "french", ...; all parts below as that
        language needs them), "plain" (lower-cased words and nothing else), or what you added there. Or a function from
        str to list of str, which then does everything.
    words : {"unicode", "whitespace"}
        "unicode": a word is a run of letters and numbers with their marks, in any script ("os.path" is two words,
        "x2" one). An apostrophe stays between two letters and is always written ``'``. Runs of Han, Hiragana,
        Katakana and Hangul syllables become n-grams. Soft hyphens, joiners and variation selectors are as if they were
        not there. Text is not normalised: "é" in one or in two code points makes two different terms, unless
        `fold_accents`. Other scripts without spaces (Thai, Khmer, ...) stay whole runs.
        "whitespace": what ``str.split()`` gives.
    lowercase : bool or "turkish"
        Simple (one to one) lower case of Unicode: "İ" becomes "i", a final "Σ" becomes "σ". "turkish": "I" becomes "ı".
    cjk_ngrams : int or sequence of int
        Characters of a CJK n-gram, 2 by default: overlapping pairs. (1, 2) gives single characters, too. A run shorter
        than each size is a word by itself. One to three sizes from 1 to 8.
    fold_accents : bool
        Letters lose their accents ("é" in both forms is "e", "ø" is "o", "ß" is "ss", "й" is "и") and become ordinary
        ones ("ﬁ" is "fi", "２" is "2"). Vowel signs and the marks of kana stay. Before the stop list and the stemmer, so
        that two words that differ in accents alone are one term.
    apostrophes : {"keep", "cut"} or sequence of str
        "cut": a word ends before its apostrophe ("Türkiye'de"). A list of articles: one of them before an apostrophe
        goes away ("l'amour" is "amour").
    stop_words : str, sequence of str or None
        Words to leave out, before stemming: a word itself, or with a final ``'s`` taken off ("it's"). "english" is
        Lucene's list of 33 words, other languages come from the package `stop-words`; your own list is lower-cased if
        `lowercase`, and folded if `fold_accents`.
    stemmer : str, callable or None
        A Snowball algorithm as PyStemmer names it ("english" is Porter 2); it expects lower case. Or a function from a
        word to its stem; an empty stem drops the word. It can be saved if it has a name in `twotower.text.STEMMERS`.

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
        self._options: dict[str, Any] = {}
        entry = entry_of(name)
        if callable(entry):
            if options:
                raise InvalidInputError(
                    f"{name!r} does everything itself: it takes no options, {', '.join(options)} came"
                )
            self._function = entry
        else:
            self._options = checked_options({**entry, **options})
            self._native = native_analyzer(self._options)

    def analyze(self, text: str) -> list[str]:
        """Return the terms of one text.

        Raises
        ------
        InputTypeError
            If `text` is no str.
        InvalidInputError
            If `text` has a lone surrogate.
        """
        if self._function is not None:
            return self.analyze_batch((text,))[0]
        vocabulary = NativeVocabulary()
        ids, _ = self._native.term_ids(NativeTexts.of_strings((text,), "text"), vocabulary, True, 1, 0)
        terms: list[str] = vocabulary.terms()
        return [terms[i] for i in ids.tolist()]

    def analyze_batch(self, texts: Iterable[str] | Texts, threads: int = 0) -> list[list[str]]:
        """Return the terms of each text; arguments and errors are those of `term_ids`."""
        vocabulary = Vocabulary()
        ids, offsets = self.term_ids(texts, vocabulary, grow=True, threads=threads)
        terms = vocabulary.terms()
        flat = [terms[i] for i in ids.tolist()]
        bounds = offsets.tolist()
        return [flat[start:end] for start, end in pairwise(bounds)]

    def term_ids(self, texts: Iterable[str] | Texts, vocabulary: Vocabulary, grow: bool, threads: int = 0) -> TermIds:
        """Return the terms of texts as ids.

        Parameters
        ----------
        texts : iterable of str, NumPy array of str, Arrow column, or (bytes, offsets)
            A list is read where its texts are, an Arrow column of strings (pyarrow, polars, pandas) and bytes with
            offsets as well; any other iterable is read as a stream. Text n of (bytes, offsets) is
            ``bytes[offsets[n]:offsets[n + 1]]`` in UTF-8.
        vocabulary : Vocabulary
        grow : bool
            Add unknown terms to the vocabulary, in order of first appearance; else they get the id -1 and keep their
            place.
        threads : int
            0 means every core. The result is the same for any number. A function of your own works on one.

        Returns
        -------
        TermIds
            ``ids`` int32 [T] and ``offsets`` int64 [N + 1].

        Raises
        ------
        InputTypeError
            If a text is no str; the message names its number and type.
        InvalidInputError
            If a text has a lone surrogate, is malformed UTF-8, null, or of 2 GiB or more; the message names its number
            and the place. Terms of other texts may then have been added.

        Examples
        --------
        >>> Analyzer("plain").term_ids(["Sweet love", ""], Vocabulary(["love"]), grow=False)
        TermIds(ids=array([-1,  0], dtype=int32), offsets=array([0, 2, 2]))
        """
        if self._function is None and is_column(texts):
            return self._column_ids(cast(Texts, texts), vocabulary, grow, threads)
        return joined(self.stream_term_ids(cast(Iterable[str], texts), vocabulary, grow, threads))

    def stream_term_ids(
        self, texts: Iterable[str], vocabulary: Vocabulary, grow: bool, threads: int = 0
    ) -> Iterator[TermIds]:
        """Do what `term_ids` does for a few thousand texts at a time, for streams that are not to be held whole."""
        check_threads(threads)
        if isinstance(texts, str):
            raise InputTypeError("texts is one str: give a list of texts, or call analyze for one")
        if not isinstance(texts, Iterable):
            raise InputTypeError(f"texts is of type {type(texts).__name__}: give a list or a stream of str")
        for first, batch in batches(texts):
            if self._function is None:
                yield self._batch_ids(first, batch, vocabulary, grow, threads)
            else:
                terms = [_terms_of(self._function, text, n) for n, text in enumerate(batch, first)]
                yield vocabulary.ids(terms, grow)

    def _column_ids(self, texts: Texts, vocabulary: Vocabulary, grow: bool, threads: int) -> TermIds:
        check_threads(threads)
        plain = isinstance(texts, list) or (isinstance(texts, tuple) and len(texts) != 2)
        views = NativeTexts.of_strings(texts, "text") if plain else native_texts(texts, "text")
        return TermIds(*self._native.term_ids(views, vocabulary._native, grow, threads, 0))

    def _batch_ids(
        self, first: int, batch: tuple[str, ...], vocabulary: Vocabulary, grow: bool, threads: int
    ) -> TermIds:
        try:
            views = NativeTexts.of_strings(batch, "text")
        except InputTypeError:
            n = next(i for i, text in enumerate(batch, first) if not isinstance(text, str))
            raise InputTypeError(
                f"text {n} is of type {type(batch[n - first]).__name__}: every text must be a str"
            ) from None
        return TermIds(*self._native.term_ids(views, vocabulary._native, grow, threads, first))

    def to_config(self) -> dict[str, Any]:
        """Return all that `from_config` needs, ready for JSON, with the versions of Unicode and PyStemmer.

        Raises
        ------
        InvalidInputError
            If the analyzer, or its stemmer, is a function without a name in `twotower.text.ANALYZERS` or `STEMMERS`.
        """
        if self._function is not None and self._name is None:
            raise InvalidInputError(
                f"the analyzer is the function {self._function!r}, which cannot be saved: give it a name with "
                'twotower.text.ANALYZERS["name"] = "package.module:function" and use Analyzer("name")'
            )
        if callable(self._options.get("stemmer")):
            raise InvalidInputError(
                f"the stemmer is the function {self._options['stemmer']!r}, which cannot be saved: give it a name with "
                'twotower.text.STEMMERS["name"] = "package.module:function" and use stemmer="name"'
            )
        parts = self._options if self._function is None else {"name": self._name}
        return write_config(parts, unicode_version())

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
        parts = read_config(config, unicode_version())
        if "name" in parts:
            return cls(parts["name"])
        return cls("plain", **cast(AnalyzerOptions, parts))

    def __repr__(self) -> str:
        if self._function is not None:
            return f"Analyzer({self._name or self._function!r})"
        options = ", ".join(f"{option}={_shown(value)}" for option, value in self._options.items())
        return f"Analyzer({options})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._function is not None:
            return Analyzer, (self._name or self._function,)
        if callable(self._options["stemmer"]):
            return _with_options, (self._options,)
        return Analyzer.from_config, (self.to_config(),)


def as_analyzer(analyzer: Analyzer | str | TextFunction) -> Analyzer:
    """Return an analyzer as it is; make one of a name or a function."""
    return analyzer if isinstance(analyzer, Analyzer) else Analyzer(analyzer)


def check_threads(threads: Any) -> None:
    """Refuse what is no number of threads."""
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)):
        raise InputTypeError(f"threads is of type {type(threads).__name__}: it must be an integer")
    if threads < 0:
        raise InvalidInputError(f"threads is {threads}: it must be at least 0, which means every core")
    if threads >= 2**31:
        raise InvalidInputError(f"threads is {threads}: it must be below 2^31")


def _with_options(options: dict[str, Any]) -> Analyzer:
    return Analyzer("plain", **cast(AnalyzerOptions, options))


def _shown(value: Any) -> str:
    return f"[{len(value)} words]" if isinstance(value, list) and len(value) > _LONG_LIST else repr(value)


def _terms_of(function: TextFunction, text: str, number: int) -> list[str]:
    if not isinstance(text, str):
        raise InputTypeError(f"text {number} is of type {type(text).__name__}: every text must be a str")
    terms = function(text)
    if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
        raise InputTypeError(f"the analyzer {function!r} gave {terms!r} for text {number}: it must give a list of str")
    return terms
