"""BM25F: BM25 over documents of several weighted fields.

Legend: N documents, F fields.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index.arguments import with_known_options
from twotower.index.bm25 import as_number
from twotower.index.explanation import Explanation, TermScore
from twotower.index.fielded_content import FieldedContent
from twotower.index.lexical import LexicalIndex
from twotower.index.lexical_content import FORMAT, AnalyzerLike
from twotower.index.native import core
from twotower.index.scorers import OtherScorer
from twotower.storage import write_container
from twotower.text import Analyzer, FieldAnalyzers, TermIds
from twotower.text.term_ids import joined
from twotower.types import Document

LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1e6
"""Range of a field's weight: a field of weight 0 is one that the index does not have."""


@dataclass(frozen=True)
class FieldScore:
    """What one field brings to one term's score.

    Attributes
    ----------
    tf : int
        Occurrences in the field.
    length : int
        Terms of the field.
    weighted_tf : float
        ``w * tf / (1 - b + b * length / mean length)``.
    score : float
        Its share of the term's score, as large as the field's share of the sum of weighted tfs.
    """

    tf: int
    length: int
    weighted_tf: float
    score: float


@dataclass(frozen=True)
class FieldedTermScore(TermScore):
    """A `TermScore` whose ``tf`` counts all fields, and each field's part.

    Attributes
    ----------
    fields : dict of str to FieldScore
        Their scores sum to the term's, but for rounding.
    """

    fields: dict[str, FieldScore]


class BM25FIndex(LexicalIndex):
    """Ranks documents of several fields by BM25F. Made by `build` or `load`.

    Attributes
    ----------
    fields : dict of str to float
        The weight of each field.
    b : dict of str to float
        Of each field.
    k1 : float
    analyzers : FieldAnalyzers
        What reads each field; `analyzer` is that of the first.

    Notes
    -----
    The score is the sum over the query's terms, repeated ones included, of ``idf * tf' / (k1 + tf')`` with

        tf' = sum over the fields f of  w_f * tf_f / (1 - b_f + b_f * length_f / mean length_f)

    so that occurrences saturate over all fields together. This is BM25F with a b for each field (Zaragoza, Craswell,
    Taylor, Saria and Robertson, "Microsoft Cambridge at TREC-13", 2004); Robertson, Zaragoza and Taylor, "Simple BM25
    extension to multiple weighted fields", CIKM 2004, weigh lengths too and have one b. The idf is that of the variant
    "lucene", ``ln(1 + (N - df + .5) / (df + .5))``, with df the documents that have the term in any field; the constant
    factor k1 + 1 is left out. Mean lengths are over all N documents. With one field of weight 1 the formula is that of
    `BM25Index`, evaluated in another order: scores may differ by a unit in the last place of float32.

    A query's terms are those that the first field's analyzer makes, then, where another field has another analyzer, what
    that one adds. A term in two analyzed forms is two terms.

    Examples
    --------
    >>> pages = [{"title": "Love", "text": "sweet sorrow"}, {"title": "Nurse", "text": "sweet love, sweet"}]
    >>> index = BM25FIndex.build(pages, fields={"title": 2.0, "text": 1.0})
    >>> [(hit.doc_id, round(hit.score, 4)) for hit in index.search("love")]
    [('0', 0.1257), ('1', 0.0925)]
    >>> [(part.tf, round(part.score, 4)) for part in index.explain("love", "0").terms[0].fields.values()]
    [(1, 0.1257), (0, 0.0)]
    """

    kind = "bm25f"
    name = "bm25f"
    _option_names = ("fields", "b", "k1")
    _content_type = FieldedContent
    _content: FieldedContent

    def __init__(self, content: FieldedContent, fields: dict[str, float], b: dict[str, float], k1: float) -> None:
        super().__init__(content, lambda index: _scorer(index, content, fields, b, k1))
        self.analyzers = content.analyzers
        self.fields, self.b, self.k1 = fields, b, k1
        self._query_analyzers = _distinct([content.analyzers[field] for field in fields])

    @classmethod
    @with_known_options
    def build(
        cls,
        documents: Iterable[Mapping[str, Any] | Document],
        doc_ids: Iterable[str] | None = None,
        *,
        fields: Mapping[str, float] | None = None,
        analyzer: AnalyzerLike | FieldAnalyzers = "english",
        k1: float = 0.9,
        b: float | Mapping[str, float] = 0.4,
        threads: int = 0,
    ) -> Self:
        """Build an index of documents in memory.

        Parameters
        ----------
        documents : iterable of dict, or of Document
            From field to text, or to a list of terms as they are. A field that a document does not have is empty; those
            that `fields` does not name are left aside.
        doc_ids : iterable of str, optional
            One for each document, each once; "0", "1", ... if absent.
        fields : mapping of str to float, 1e-6 to 1e6
            The weight of each field: how much an occurrence in it counts. Default: title and text, 1 each.
        analyzer : str, Analyzer, callable or FieldAnalyzers
            Makes terms of texts, now and when searching: one for all fields, or one for each.
        k1 : float, 0 to 1e6
            How slowly repeated occurrences saturate. Weights above 1 ask for a greater one.
        b : float, 0 to 1, or mapping of str to float
            How much long fields are held back, for all fields or for each.
        threads : int
            0 for every core. The index is the same for any number.

        Raises
        ------
        InputTypeError
            If documents are no dicts, a field is neither text nor a list of terms, or an option has a wrong type.
        InvalidInputError
            If an option is out of range, `b` is not of the same fields, no document has a field that `fields` names, a
            doc_id comes twice, or their number is not that of the documents, or a text has lone surrogates.

        Notes
        -----
        Texts, their terms and the index are in memory together: there is no memory limit as in `BM25Index.build`.
        """
        options = _options(fields, b, k1)
        content = FieldedContent.of_documents(documents, doc_ids, list(options["fields"]), analyzer, threads)
        return cls(content, **options)

    def explain(self, query: str | list[str], doc_id: str, **scoring: Any) -> Explanation:
        """Return how each query term, and in it each field, contributes to a document's score.

        Parameters and errors are those of `BM25Index.explain`.

        Returns
        -------
        Explanation
            Its terms are `FieldedTermScore`.
        """
        plain = super().explain(query, doc_id, **scoring)
        options = self._checked_scoring(**{**self._scoring(), **scoring})
        doc = self.doc_ids.index(doc_id)
        terms: list[TermScore] = []
        for part in plain.terms:
            tfs = self._content.combinations[part.tf - 1] if part.tf else np.zeros(len(self.fields), np.uint32)
            fields = self._field_scores(tfs.tolist(), doc, part.score, options)
            terms.append(
                FieldedTermScore(part.term, int(tfs.sum()), part.df, part.idf, part.weight, part.score, fields)
            )
        return Explanation(plain.doc_id, plain.score, plain.doc_length, terms)

    def _field_scores(self, tfs: list[int], doc: int, score: float, options: dict[str, Any]) -> dict[str, FieldScore]:
        weighted = {}
        for f, name in enumerate(self.fields):
            lengths, b = self._content.field_lengths[f], options["b"][name]
            mean = float(lengths.mean(dtype=np.float64))
            relative = 1.0 - b + b * (int(lengths[doc]) / mean) if tfs[f] else 1.0
            weighted[name] = options["fields"][name] * tfs[f] / relative
        total = sum(weighted.values()) or 1.0
        return {
            name: FieldScore(tfs[f], int(self._content.field_lengths[f, doc]), tf, score * (tf / total))
            for f, (name, tf) in enumerate(weighted.items())
        }

    def postings(self, term: str) -> tuple[list[str], npt.NDArray[np.uint32]]:
        """Return the ids of the documents that contain a term, by DocId, and how often each field has it, uint32 [n, F].

        `term` is taken as it is. A term that no document contains has no postings.
        """
        doc_ids, numbers = super().postings(term)
        return doc_ids, self._content.combinations[numbers.astype(np.int64) - 1]

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder, atomically: a kill leaves what was there before, or the whole new index.

        Raises
        ------
        InvalidInputError
            If an analyzer is a function, which cannot be saved; nothing is written then.
        FileError
            If the system refuses.
        """
        meta = {"format": FORMAT, "analyzers": self.analyzers.to_config(), "scoring": self._scoring()}
        meta["fields"] = list(self.fields)  # their order: JSON objects are sorted by key
        write_container(folder, self.kind, meta, self._content.to_arrays())

    def _term_ids(self, queries: list[Any]) -> TermIds:
        own = super()._term_ids(queries)
        if len(self._query_analyzers) == 1 or not queries or not isinstance(queries[0], str):
            return own
        read = [own, *(each.term_ids(queries, self.vocabulary, False, 1) for each in self._query_analyzers[1:])]
        return joined(_united([_of_query(part, q) for part in read]) for q in range(len(queries)))

    def _scoring(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._option_names}

    @classmethod
    def build_to(cls, *arguments: Any, **options: Any) -> NoReturn:
        """Not for this index: it is built in memory."""
        raise InputTypeError("BM25FIndex has no build_to: use build(...), then save(folder)")

    @classmethod
    def _checked_scoring(cls, **scoring: Any) -> dict[str, Any]:
        return _options(**scoring)

    def _other_scorer(self, given: dict[str, Any]) -> OtherScorer | None:
        if "fields" in given and (not isinstance(given["fields"], Mapping) or set(given["fields"]) != set(self.fields)):
            came = given["fields"]
            named = sorted(map(str, came)) if isinstance(came, Mapping) else repr(came)
            raise InvalidInputError(f"fields are {named}: give the weights of {sorted(self.fields)}")
        return super()._other_scorer(given)

    def text(self, doc_id: str) -> str:
        """Not for this index: it keeps no texts."""
        raise InputTypeError("BM25FIndex keeps no texts: read them where the documents are")

    def _make_scorer(self, scoring: dict[str, Any]) -> Any:
        fields, b = ({name: scoring[option][name] for name in self.fields} for option in ("fields", "b"))
        return _scorer(self._index, self._content, fields, b, scoring["k1"])

    @classmethod
    def _from_saved(cls, content: Any, scoring: dict[str, Any]) -> Self:
        try:
            options = _options(**scoring)
        except (TypeError, InvalidInputError) as error:
            raise CorruptFileError(f"the scoring options of the saved index are malformed ({error})") from error
        order = content.analyzers.fields
        if set(options["fields"]) != set(order):
            raise CorruptFileError("the saved index has analyzers and weights of different fields: save it again")
        return cls(
            content, {f: options["fields"][f] for f in order}, {f: options["b"][f] for f in order}, options["k1"]
        )


def _scorer(
    index: Any, content: FieldedContent, fields: dict[str, float], b: dict[str, float], k1: float
) -> core.LexicalScorer:
    rows, lengths = content.combinations, content.field_lengths
    return core.LexicalScorer.bm25f(index, rows, lengths, list(fields.values()), list(b.values()), k1)


def _distinct(analyzers: list[Analyzer]) -> list[Analyzer]:
    """Return the analyzers that differ, the first of each kind; one that is a function equals only itself."""
    kept: list[Analyzer] = []
    for analyzer in analyzers:
        if not any(analyzer is other or _config(analyzer) == _config(other) for other in kept):
            kept.append(analyzer)
    return kept


def _config(analyzer: Analyzer) -> Any:
    try:
        return analyzer.to_config()
    except InvalidInputError:
        return analyzer


def _of_query(terms: TermIds, q: int) -> list[int]:
    ids: list[int] = terms.ids[terms.offsets[q] : terms.offsets[q + 1]].tolist()
    return ids


def _united(lists: list[list[int]]) -> TermIds:
    """Return the first list and, after it, what each other has more of."""
    united = list(lists[0])
    for other in lists[1:]:
        there = Counter(united)
        for term in other:
            if there[term] > 0:
                there[term] -= 1
            else:
                united.append(term)
    return TermIds(np.array(united, np.int32), np.array([0, len(united)], np.int64))


def _options(fields: Any = None, b: Any = 0.4, k1: Any = 0.9) -> dict[str, Any]:
    """Return checked options, a b for each field."""
    if fields is None:
        fields = {"title": 1.0, "text": 1.0}
    if not isinstance(fields, Mapping) or not all(isinstance(field, str) for field in fields):
        raise InputTypeError(f"fields is {fields!r} ({type(fields).__name__}): give a dict from field to weight")
    if not fields:
        raise InvalidInputError("fields is empty: give the weight of at least one field")
    weights = {field: as_number(weight, f"weight of field {field!r}") for field, weight in fields.items()}
    for field, weight in weights.items():
        _check_range(weight, f"weight of field {field!r}", LEAST_WEIGHT, MOST_WEIGHT)
    if isinstance(b, Mapping):
        if set(b) != set(weights):
            raise InvalidInputError(f"b is of the fields {sorted(map(str, b))}: give it for {sorted(weights)}")
        bs = {field: as_number(b[field], f"b of field {field!r}") for field in weights}
    else:
        bs = dict.fromkeys(weights, as_number(b, "b"))
    for field, value in bs.items():
        _check_range(value, f"b of field {field!r}", 0.0, 1.0)
    k1 = as_number(k1, "k1")
    _check_range(k1, "k1", 0.0, 1e6)
    return {"fields": weights, "b": bs, "k1": k1}


def _check_range(value: float, name: str, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InvalidInputError(f"{name} is {value}: it must be a number from {least:g} to {most:g}")
