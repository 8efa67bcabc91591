"""What a lexical index is made of, and how it comes from texts or from a saved folder. Knows no formula.

Legend: N documents, V vocabulary, P postings.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError
from twotower.index.arguments import refuse_set
from twotower.index.doc_ids import DocIds, check_doc_ids
from twotower.index.hashed_ngrams import analyzer_from_config
from twotower.index.lexical_build import Progress, check_first, invert
from twotower.index.native import core
from twotower.index.stored_texts import StoredTexts, TextRecorder
from twotower.text import Analyzer, TermIds, Vocabulary, as_analyzer
from twotower.text.term_ids import BATCH

AnalyzerLike = str | Analyzer | Callable[[str], list[str]]
"""The name of an analyzer, an `Analyzer`, or a function from a text to its terms."""

FORMAT = 2
"""Version of the saved form; docs/formats/lexical.md. Files of version 1, which lack the number, are read too."""

_PACKED = {
    **dict.fromkeys(("postings", "dfs", "doc_lengths", "vocabulary", "vocabulary_lengths"), np.uint8),
    "group_ends": np.uint64,
}
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
    stored : StoredTexts
        The documents' texts or their sizes, where they are kept.
    """

    postings: dict[str, npt.NDArray[Any]]
    vocabulary: Vocabulary
    analyzer: Analyzer
    doc_ids: DocIds
    stored: StoredTexts = field(default_factory=StoredTexts)

    @classmethod
    def build(
        cls,
        texts: Iterable[Any],
        doc_ids: Iterable[str] | None,
        analyzer: AnalyzerLike,
        *,
        threads: int,
        memory_limit: int | None,
        progress: Progress | None,
        recorder: TextRecorder | None = None,
    ) -> Self:
        """Analyse and invert documents; arguments as those of `BM25Index.build`. `recorder` sees the texts pass."""
        analyzer = as_analyzer(analyzer)
        items = iterate(texts, "texts")
        builder, counts, vocabulary = invert(
            recorder.watch(items) if recorder else items,
            analyzer,
            threads=threads,
            memory_limit=memory_limit,
            progress=progress,
        )
        names = check_doc_ids(doc_ids, counts.n_docs)
        stored = recorder.finish() if recorder else StoredTexts()
        return cls(dict(zip(_POSTINGS, builder.arrays(), strict=True)), vocabulary, analyzer, names, stored)

    def inverted(self) -> Any:
        """Return the core's checked view of the postings."""
        return core.InvertedIndex(**self.postings)

    def memory(self) -> dict[str, int]:
        """Return the bytes of each array in memory, of the doc_ids, and of stored texts."""
        arrays = {**self.postings, **self.doc_ids.to_arrays()}
        return {**{name: array.nbytes for name, array in arrays.items()}, **self.stored.memory()}

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays to save, packed."""
        offsets = self.postings["term_offsets"]
        packed, group_ends = core.pack_postings(offsets, self.postings["docs"], self.postings["tfs"], 0)
        return {
            "postings": packed,
            "group_ends": group_ends,
            "dfs": core.pack_integers(np.diff(offsets).astype(np.uint32)),
            "doc_lengths": core.pack_integers(self.postings["doc_lengths"]),
            **string_arrays(self.vocabulary, self.doc_ids),
            **self.stored.to_arrays(),
        }

    @classmethod
    def from_saved(cls, meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Read what `to_arrays` and `Analyzer.to_config` returned, or what version 1 of the format held.

        Raises
        ------
        CorruptFileError
            If something is missing or malformed.
        """
        version = meta.get("format", 1)
        if version not in (1, FORMAT):
            raise CorruptFileError(
                f"the saved index has format {version!r}, this twotower reads 1 and {FORMAT}: load it with the twotower "
                "that saved it"
            )
        stored_arrays = arrays
        if version == FORMAT:
            arrays = _unpacked(arrays)
        check_arrays(arrays, {**_POSTINGS, "vocabulary": np.uint8, "vocabulary_offsets": np.int64})
        if not isinstance(meta.get("analyzer"), dict):
            raise CorruptFileError("the saved index lacks its analyzer: save it again")
        try:
            vocabulary = Vocabulary.from_arrays(arrays["vocabulary"], arrays["vocabulary_offsets"])
            analyzer = analyzer_from_config(meta["analyzer"])
        except (TypeError, ValueError) as error:
            raise CorruptFileError(f"the saved index cannot be read: {error}") from error
        n = len(arrays["doc_lengths"])
        names, stored = DocIds.from_arrays(arrays, n), StoredTexts.from_arrays(stored_arrays, n)
        return cls({name: arrays[name] for name in _POSTINGS}, vocabulary, analyzer, names, stored)


def string_arrays(vocabulary: Vocabulary, doc_ids: DocIds) -> dict[str, npt.NDArray[Any]]:
    """Return the terms and the user's ids as they are saved: their bytes, and packed lengths."""
    terms, offsets = vocabulary.to_arrays()
    arrays = {"vocabulary": terms, "vocabulary_lengths": core.pack_integers(np.diff(offsets).astype(np.uint32))}
    named = doc_ids.to_arrays()
    if named:
        lengths = np.diff(named["doc_id_offsets"]).astype(np.uint32)
        arrays |= {"doc_ids": named["doc_ids"], "doc_id_lengths": core.pack_integers(lengths)}
    return arrays


def check_arrays(arrays: Mapping[str, npt.NDArray[Any]], dtypes: Mapping[str, Any]) -> None:
    """Raise CorruptFileError unless each of these is there, with its dtype and one dimension."""
    missing = [name for name in dtypes if name not in arrays]
    if missing:
        raise CorruptFileError(f"the saved index lacks {', '.join(missing)}: save it again")
    for name, dtype in dtypes.items():
        if arrays[name].dtype != dtype or arrays[name].ndim != 1:
            raise CorruptFileError(f"array {name!r} of the saved index is not {np.dtype(dtype)} [n]: save it again")


def _unpacked(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of version 1 that packed ones stand for."""
    if ("doc_ids" in arrays) != ("doc_id_lengths" in arrays):
        raise CorruptFileError("the index has half of its table of doc_ids: save it again")
    named = {"doc_ids": np.uint8, "doc_id_lengths": np.uint8} if "doc_ids" in arrays else {}
    check_arrays(arrays, {**_PACKED, **named})
    term_offsets = offsets_of(arrays["dfs"])
    docs, tfs = core.unpack_postings(arrays["postings"], arrays["group_ends"], term_offsets, 0)
    unpacked = {
        "term_offsets": term_offsets,
        "docs": docs,
        "tfs": tfs,
        "doc_lengths": core.unpack_integers(arrays["doc_lengths"]),
        "vocabulary": arrays["vocabulary"],
        "vocabulary_offsets": offsets_of(arrays["vocabulary_lengths"]),
    }
    if named:
        unpacked |= {"doc_ids": arrays["doc_ids"], "doc_id_offsets": offsets_of(arrays["doc_id_lengths"])}
    return unpacked


def offsets_of(packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return where each of the things begins whose sizes are packed, and where the last ends."""
    sizes = core.unpack_integers(packed)
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, dtype=np.int64, out=offsets[1:])
    return offsets


def iterate(values: Any, name: str) -> Iterator[Any]:
    """Return an iterator over texts or lists of terms. NumPy arrays and Arrow columns of strings give their texts.

    Raises
    ------
    InputTypeError
        If `values` is one string, or nothing that can be iterated over in order, such as a set.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        came = type(values).__name__
        raise InputTypeError(f"{name} is one {came}: give a list of strings, or a list of lists of terms")
    refuse_set(values, name)
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise InputTypeError(f"{name} is an array of shape {list(values.shape)}: give one dimension of strings")
        return _items(values, lambda part: part.tolist())
    if hasattr(values, "to_pylist"):
        return _items(values, lambda part: part.to_pylist())
    return iter(values)


def _items(column: Any, as_list: Callable[[Any], list[Any]]) -> Iterator[Any]:
    """Yield the items of a column as objects of Python; only some thousands are held at once."""
    for first in range(0, len(column), BATCH):
        yield from as_list(column[first : first + BATCH])


def listed(values: Any, name: str) -> list[Any]:
    """Return what `iterate` gives as a list."""
    return list(iterate(values, name))


def check_queries(queries: list[Any]) -> None:
    """Raise InputTypeError unless all queries are texts, or all are lists of terms."""
    texts = bool(queries) and isinstance(queries[0], str)
    for number, query in enumerate(queries):
        if isinstance(query, bytes) or not isinstance(query, Sequence):
            raise InputTypeError(f"query {number} is of type {type(query).__name__}: give strings, or lists of terms")
        if isinstance(query, str) is not texts:
            raise InputTypeError(
                f"query {number} is {'no' if texts else 'a'} str, others are: give only one of the two"
            )


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
    check_first(first)
    if first and not isinstance(first[0], str):
        return vocabulary.ids(chain(first, stream), grow)
    texts = items if isinstance(items, (list, tuple)) else chain(first, stream)
    return analyzer.term_ids(texts, vocabulary, grow, threads)
