"""What an index over fields holds, how it comes from documents, and its saved form (docs/formats/bm25f.md).

Legend: N documents, F fields, C combinations of occurrences, P postings.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index.arguments import refuse_set
from twotower.index.doc_ids import check_doc_ids
from twotower.index.lexical_content import AnalyzerLike, LexicalContent, check_arrays, term_ids
from twotower.index.native import core
from twotower.text import FieldAnalyzers, Vocabulary
from twotower.types import Document


@dataclass(frozen=True, kw_only=True)
class FieldedContent(LexicalContent):
    """The postings of all fields together.

    Attributes
    ----------
    postings : dict of str to ndarray
        As in `LexicalContent`, but "tfs" holds, for each posting, 1 + a row of `combinations`; "doc_lengths" are of all
        fields together.
    analyzer : Analyzer
        That of the first field.
    analyzers : FieldAnalyzers
        Of every field, in the order of the fields.
    combinations : ndarray of uint32, shape [C, F]
        Occurrences in each field, the most frequent combination first.
    field_lengths : ndarray of uint32, shape [F, N]
    """

    analyzers: FieldAnalyzers
    combinations: npt.NDArray[np.uint32]
    field_lengths: npt.NDArray[np.uint32]

    @classmethod
    def of_documents(
        cls,
        documents: Iterable[Mapping[str, Any] | Document],
        doc_ids: Iterable[str] | None,
        fields: list[str],
        analyzer: AnalyzerLike | FieldAnalyzers,
        threads: int,
    ) -> Self:
        """Analyse and invert documents; arguments as those of `BM25FIndex.build`."""
        analyzers = field_analyzers(fields, analyzer)
        columns = _columns(documents, fields)
        names = check_doc_ids(doc_ids, len(columns[0]))
        vocabulary = Vocabulary()
        read = [
            term_ids(column, analyzers[field], vocabulary, True, threads)
            for field, column in zip(fields, columns, strict=True)
        ]
        inverted = [core.build_inverted_arrays(part.ids, part.offsets, len(vocabulary)) for part in read]
        term_offsets, docs, numbers, combinations = core.merge_fields([arrays[:3] for arrays in inverted])
        lengths = np.stack([arrays[3] for arrays in inverted])
        postings = {"term_offsets": term_offsets, "docs": docs, "tfs": numbers, "doc_lengths": _totals(lengths)}
        shaped = combinations.reshape(-1, len(fields))
        return cls(
            postings,
            vocabulary,
            analyzers[fields[0]],
            names,
            analyzers=analyzers,
            combinations=shaped,
            field_lengths=lengths,
        )

    def inverted(self) -> Any:
        """Return the core's checked view of the postings."""
        own = self.postings
        return core.InvertedIndex.numbered(own["term_offsets"], own["docs"], own["tfs"], len(self.doc_ids))

    def memory(self) -> dict[str, int]:
        """Return the bytes of each array in memory, and of the doc_ids."""
        return super().memory() | {name: getattr(self, name).nbytes for name in ("combinations", "field_lengths")}

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays to save."""
        return super().to_arrays() | {
            "combinations": self.combinations,
            "field_lengths": core.pack_integers(np.ravel(self.field_lengths)),
        }

    @classmethod
    def from_saved(cls, meta: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Read what `to_arrays` and `FieldAnalyzers.to_config` returned.

        Raises
        ------
        CorruptFileError
            If something is missing or malformed.
        """
        fields = meta.get("fields")
        if not isinstance(meta.get("analyzers"), dict) or not isinstance(fields, list) or not fields:
            raise CorruptFileError("the saved index lacks its fields or their analyzers: save it again")
        try:
            analyzers = field_analyzers(fields, FieldAnalyzers.from_config(meta["analyzers"]))
        except (TypeError, ValueError) as error:
            raise CorruptFileError(f"the saved index cannot be read: {error}") from error
        first = analyzers[analyzers.fields[0]]
        base = LexicalContent.from_saved({**meta, "analyzer": first.to_config()}, arrays)
        check_arrays(arrays, {"field_lengths": np.uint8})
        lengths, combinations = core.unpack_integers(arrays["field_lengths"]), arrays.get("combinations")
        n_fields, n_docs = len(analyzers.fields), len(base.doc_ids)
        if len(lengths) != n_fields * n_docs:
            raise CorruptFileError(f"the saved index has {len(lengths)} lengths of {n_fields} fields: save it again")
        lengths = lengths.reshape(n_fields, n_docs)
        if (_totals(lengths) != base.postings["doc_lengths"]).any():
            raise CorruptFileError(
                "the lengths of the fields do not sum to those of the documents: save the index again"
            )
        if combinations is None or combinations.dtype != np.uint32 or combinations.shape[1:] != (n_fields,):
            raise CorruptFileError(f"combinations of the saved index are not uint32 [C, {n_fields}]: save it again")
        return cls(
            base.postings,
            base.vocabulary,
            base.analyzer,
            base.doc_ids,
            analyzers=analyzers,
            combinations=combinations,
            field_lengths=lengths,
        )


def field_analyzers(fields: list[str], analyzer: AnalyzerLike | FieldAnalyzers) -> FieldAnalyzers:
    """Return the analyzers of exactly these fields, in their order."""
    if isinstance(analyzer, FieldAnalyzers):
        return FieldAnalyzers({field: analyzer[field] for field in fields})
    one = FieldAnalyzers({}, analyzer)
    return FieldAnalyzers({field: one[field] for field in fields})


def _totals(lengths: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    totals: npt.NDArray[np.uint64] = lengths.sum(axis=0, dtype=np.uint64)
    if (totals >= 2**32).any():
        raise InvalidInputError(f"document {int(totals.argmax())} has more than 2^32 - 1 terms")
    return totals.astype(np.uint32)


def _columns(documents: Iterable[Any], fields: list[str]) -> list[list[Any]]:
    """Return each field of all documents; an absent one is empty."""
    if isinstance(documents, str | bytes | Mapping) or not isinstance(documents, Iterable):
        raise InputTypeError(f"documents is one {type(documents).__name__}: give a list of dicts from field to text")
    refuse_set(documents, "documents")
    columns: list[list[Any]] = [[] for _ in fields]
    seen: set[str] = set()
    for parts in _parts(documents):
        for field, column in zip(fields, columns, strict=True):
            column.append(parts.get(field, ""))
        seen.update(parts)
    for field in fields if columns[0] else ():
        if field not in seen:
            there = ", ".join(map(repr, sorted(map(str, seen)))) or "none"
            raise InvalidInputError(f"no document has a field {field!r}: there are {there}")
    return [_of_one_kind(column, field) for column, field in zip(columns, fields, strict=True)]


def _parts(documents: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for number, document in enumerate(documents):
        if isinstance(document, Document):
            yield {"title": document.title, "text": document.text}
        elif isinstance(document, Mapping):
            yield document
        else:
            raise InputTypeError(
                f"document {number} is of type {type(document).__name__}: give a dict from field to text, or a Document"
            )


def _of_one_kind(column: list[Any], field: str) -> list[Any]:
    """Return a column of texts, or of lists of terms: an absent field is an empty one of either."""
    lists = any(isinstance(value, list | tuple) for value in column)
    for number, value in enumerate(column):
        if not isinstance(value, list | tuple if lists and value != "" else str):
            raise InputTypeError(
                f"field {field!r} of document {number} is of type {type(value).__name__}: give strings, or lists of terms"
            )
    return [[] if value == "" else value for value in column] if lists else column
