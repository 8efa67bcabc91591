"""What a lexical index is made of, and how it comes from texts or from a saved folder. Knows no formula.

Legend: N documents, V vocabulary, P postings.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError
from twotower.index.arguments import DocIds, check_doc_ids
from twotower.index.native import core
from twotower.text import Analyzer, TermIds, Vocabulary, as_analyzer

AnalyzerLike = str | Analyzer | Callable[[str], list[str]]
"""The name of an analyzer, an `Analyzer`, or a function from a text to its terms."""

_POSTINGS = {"term_offsets": np.int64, "docs": np.uint32, "tfs": np.uint32, "doc_lengths": np.uint32}


@dataclass(frozen=True)
class LexicalContent:
    """All that a lexical index holds, whatever its formula.

    Attributes
    ----------
    postings : dict of str to ndarray
        term_offsets int64 [V + 1], docs uint32 [P], tfs uint32 [P], doc_lengths uint32 [N]; docs/formats/lexical.md.
    vocabulary : Vocabulary
    analyzer : Analyzer
    doc_ids : DocIds
    """

    postings: dict[str, npt.NDArray[Any]]
    vocabulary: Vocabulary
    analyzer: Analyzer
    doc_ids: DocIds

    @classmethod
    def build(
        cls, texts: Iterable[Any], doc_ids: Iterable[str] | None, analyzer: AnalyzerLike, threads: int = 0
    ) -> Self:
        """Analyse and invert documents; arguments as those of `BM25Index.build`."""
        analyzer = as_analyzer(analyzer)
        vocabulary = Vocabulary()
        items = texts if isinstance(texts, (list, tuple)) else iterate(texts, "texts")
        terms = term_ids(items, analyzer, vocabulary, grow=True, threads=threads)
        names = check_doc_ids(doc_ids, len(terms.offsets) - 1)
        arrays = core.build_inverted_arrays(terms.ids, terms.offsets, len(vocabulary))
        return cls(dict(zip(_POSTINGS, arrays, strict=True)), vocabulary, analyzer, names)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays to save."""
        terms, ends = self.vocabulary.to_arrays()
        return {**self.postings, "vocabulary": terms, "vocabulary_offsets": ends, **self.doc_ids.to_arrays()}

    @classmethod
    def from_saved(cls, meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Read what `to_arrays` and `Analyzer.to_config` returned.

        Raises
        ------
        CorruptFileError
            If something is missing or malformed.
        """
        missing = [name for name in [*_POSTINGS, "vocabulary", "vocabulary_offsets"] if name not in arrays]
        if missing or not isinstance(meta.get("analyzer"), dict):
            raise CorruptFileError(f"the saved index lacks {', '.join(missing) or 'its analyzer'}: save it again")
        for name, dtype in _POSTINGS.items():
            if arrays[name].dtype != dtype or arrays[name].ndim != 1:
                raise CorruptFileError(f"array {name!r} of the saved index is not {np.dtype(dtype)} [n]: save it again")
        try:
            vocabulary = Vocabulary.from_arrays(arrays["vocabulary"], arrays["vocabulary_offsets"])
            analyzer = Analyzer.from_config(meta["analyzer"])
        except (TypeError, ValueError) as error:
            raise CorruptFileError(f"the saved index cannot be read: {error}") from error
        names = DocIds.from_arrays(arrays, len(arrays["doc_lengths"]))
        return cls({name: arrays[name] for name in _POSTINGS}, vocabulary, analyzer, names)


def iterate(values: Any, name: str) -> Iterator[Any]:
    """Return an iterator over texts or lists of terms.

    Raises
    ------
    InputTypeError
        If `values` is one string, or nothing that can be iterated over in order.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        came = type(values).__name__
        raise InputTypeError(f"{name} is one {came}: give a list of strings, or a list of lists of terms")
    return iter(values)


def listed(values: Any, name: str) -> list[Any]:
    """Return what `iterate` gives as a list."""
    return list(iterate(values, name))


def term_ids(items: Iterable[Any], analyzer: Analyzer, vocabulary: Vocabulary, grow: bool, threads: int = 1) -> TermIds:
    """Return the ids of the terms of texts, which are analysed, or of lists of terms, taken as they are.

    The first item tells which of the two comes. A list is read where it is, anything else as a stream: of all its items
    only the ids are held at once.

    Raises
    ------
    InputTypeError
        If an item is of another type; the message names its number.
    """
    stream = iter(items)
    first = list(islice(stream, 1))
    for item in first:
        if not isinstance(item, Sequence) or isinstance(item, bytes):
            raise InputTypeError(f"text 0 is of type {type(item).__name__}: give strings, or lists of terms")
    if first and not isinstance(first[0], str):
        return vocabulary.ids(chain(first, stream), grow)
    texts = items if isinstance(items, (list, tuple)) else chain(first, stream)
    return analyzer.term_ids(texts, vocabulary, grow, threads)
