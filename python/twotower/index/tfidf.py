"""tf-idf with cosine similarity, over an inverted index."""

from collections.abc import Iterable
from typing import Any, Self

from twotower.index.lexical import LexicalIndex
from twotower.index.lexical_build import Progress
from twotower.index.lexical_content import AnalyzerLike, LexicalContent
from twotower.index.native import core


class TfidfIndex(LexicalIndex):
    """Ranks documents by the cosine of tf-idf vectors (SMART ltc.ltc). Made by `build` or `load`.

    Notes
    -----
    A term that stands tf times in a text weighs ``(1 + log10 tf) * log10(N / df)``, on the query's side and on the
    document's; the score is the inner product of the two vectors, each divided by its norm. Terms that no document
    contains have no idf: they are left out of the query's norm too. Where every term is in every document all weights
    are 0; such a document is a hit with score 0.

    Examples
    --------
    >>> index = TfidfIndex.build(["sweet love", "sweet sorrow", "nurse"], ["a", "b", "c"])
    >>> [(hit.doc_id, round(hit.score, 4)) for hit in index.search("sweet love")]
    [('a', 1.0), ('b', 0.1199)]
    """

    kind = "tfidf"
    name = "tfidf"

    @classmethod
    def build(
        cls,
        texts: Iterable[str] | Iterable[list[str]],
        doc_ids: Iterable[str] | None = None,
        *,
        analyzer: AnalyzerLike = "english",
        threads: int = 0,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Build an index of documents in memory; `build_to` builds one on disk.

        Parameters
        ----------
        texts : iterable of str, or iterable of list of str
            Texts are analysed; lists are terms as they are. Consumed once, in chunks. NumPy arrays and Arrow columns of
            strings are taken, too.
        doc_ids : iterable of str, optional
            One for each document, each once; "0", "1", ... if absent.
        analyzer : str, Analyzer or callable
            Makes terms of texts, now and when searching. An index with a callable cannot be saved.
        threads, memory_limit, progress
            As for `BM25Index.build`.

        Raises
        ------
        InputTypeError
            If `texts` or `doc_ids` is a single string or holds other things.
        InvalidInputError
            If a doc_id comes twice, or their number is not that of the texts, or a text has lone surrogates;
            if `memory_limit` is too small.
        """
        content = LexicalContent.build(
            texts, doc_ids, analyzer, threads=threads, memory_limit=memory_limit, progress=progress
        )
        return cls._from_saved(content, {})

    def _scoring(self) -> dict[str, Any]:
        return {}

    @classmethod
    def _checked_scoring(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def _from_saved(cls, content: LexicalContent, scoring: dict[str, Any]) -> Self:
        return cls(content, core.LexicalScorer.tfidf)
