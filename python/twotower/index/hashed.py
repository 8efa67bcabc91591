"""Hashed n-grams with the weights of DrQA's retriever, over an inverted index."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

from twotower.errors import CorruptFileError, InvalidInputError
from twotower.index.arguments import with_known_options
from twotower.index.explanation import Explanation
from twotower.index.hashed_ngrams import HashedNgrams
from twotower.index.lexical import LexicalIndex
from twotower.index.lexical_build import BuildReport, Progress
from twotower.index.lexical_content import AnalyzerLike, LexicalContent
from twotower.index.native import core
from twotower.index.stored_texts import text_recorder
from twotower.text import Analyzer


class HashedNgramIndex(LexicalIndex):
    """Ranks documents by tf-idf over hashed words and bigrams, as DrQA's retriever. Made by `build` or `load`.

    Attributes
    ----------
    analyzer : HashedNgrams

    Notes
    -----
    A bin that tf n-grams of a text fall into weighs ``ln(tf + 1) * idf`` on both sides, with ``idf = ln((N - df + .5) / (df +
    .5))``, or 0 where that is negative (df documents of N have the bin); the score is the inner product, without norms. So the idf
    counts twice. A bin of the query that no document has brings nothing. Chen, Fisch, Weston, Bordes, ACL 2017, section
    3.1; weights, and n-grams with a stop word left out, as the authors' program does it. `HashedNgrams` says what an n-gram
    is; there are at most `bins` terms, so the vocabulary's memory is bounded. `explain` names the n-grams of a text query.

    Examples
    --------
    >>> texts = ["How sweet is love?", "Sweet sorrow", "Parting is such sweet sorrow", "A nurse", "A letter", "A ring", "Night"]
    >>> index = HashedNgramIndex.build(texts)
    >>> [(hit.doc_id, round(hit.score, 4)) for hit in index.search("sweet sorrow")]
    [('1', 0.6277), ('2', 0.6277), ('0', 0.0303)]
    >>> [(part.term, round(part.score, 4)) for part in index.explain("sweet sorrow", "0").terms]
    [('sweet', 0.0303), ('sweet sorrow', 0.0), ('sorrow', 0.0)]
    """

    kind = "hashed"
    name = "hashed"
    analyzer: HashedNgrams

    def __init__(self, content: LexicalContent) -> None:
        super().__init__(content, core.LexicalScorer.log_count)

    @classmethod
    @with_known_options
    def build(
        cls,
        texts: Iterable[str] | Iterable[list[str]],
        doc_ids: Iterable[str] | None = None,
        *,
        analyzer: AnalyzerLike | None = None,
        ngram: int | None = None,
        bins: int | None = None,
        threads: int = 0,
        memory_limit: int | None = None,
        progress: Progress | None = None,
        store_texts: bool = False,
    ) -> Self:
        """Build an index of documents in memory; `build_to` builds one on disk.

        Parameters
        ----------
        texts : iterable of str, or iterable of list of str
            Texts are cut into hashed n-grams; lists are names of bins as they are (`HashedNgrams.analyze`).
        doc_ids : iterable of str, optional
            One for each document, each once; "0", "1", ... if absent.
        analyzer : str, Analyzer or callable, optional
            Makes the terms of single words; those that it drops end an n-gram. Lower-cased words without Lucene's 33 English
            stop words if absent. A `HashedNgrams` brings its own `ngram` and `bins`.
        ngram : int, 1 to 8, optional
            Words of the longest n-gram; 2 if absent.
        bins : int, 1 to 2^31 - 1, optional
            Bins that n-grams are hashed into; 2^24 if absent.
        threads, memory_limit, progress, store_texts
            As for `BM25Index.build`.

        Raises
        ------
        InputTypeError, InvalidInputError
            As `BM25Index.build`; also if `ngram` or `bins` comes beside a `HashedNgrams`.
        """
        content = LexicalContent.build(
            texts,
            doc_ids,
            _hashed(analyzer, ngram, bins),
            threads=threads,
            memory_limit=memory_limit,
            progress=progress,
            recorder=text_recorder(store_texts, False),
        )
        return cls(content)

    @classmethod
    def build_to(
        cls,
        folder: Any,
        texts: Any,
        doc_ids: Any = None,
        *,
        analyzer: Any = None,
        ngram: int | None = None,
        bins: int | None = None,
        **options: Any,
    ) -> BuildReport:
        """Build an index straight into a folder; see `LexicalIndex.build_to`, and `build` for `analyzer`, `ngram` and `bins`."""
        return super().build_to(folder, texts, doc_ids, analyzer=_hashed(analyzer, ngram, bins), **options)

    def explain(self, query: str | list[str], doc_id: str, **scoring: Any) -> Explanation:
        """Return how each n-gram of a query contributes; see `LexicalIndex.explain`.

        A term is the n-gram of the query that stands for its bin; those that share one are joined by " | ".
        """
        explained = super().explain(query, doc_id, **scoring)
        if not isinstance(query, str):
            return explained
        names: dict[str, list[str]] = {}
        for ngram, name in zip(self.analyzer.ngrams(query), self.analyzer.analyze(query), strict=True):
            if ngram not in names.setdefault(name, []):
                names[name].append(ngram)
        return replace(explained, terms=[replace(part, term=" | ".join(names[part.term])) for part in explained.terms])

    def _scoring(self) -> dict[str, Any]:
        return {}

    @classmethod
    def _checked_scoring(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def _from_saved(cls, content: LexicalContent, scoring: dict[str, Any]) -> Self:
        if not isinstance(content.analyzer, HashedNgrams):
            raise CorruptFileError("the saved index was not built from hashed n-grams: build and save it again")
        return cls(content)


def _hashed(analyzer: AnalyzerLike | None, ngram: int | None, bins: int | None) -> HashedNgrams:
    if isinstance(analyzer, HashedNgrams):
        if ngram is not None or bins is not None:
            raise InvalidInputError(f"analyzer is {analyzer!r}, which has ngram and bins: give them there alone")
        return analyzer
    words = Analyzer("plain", stop_words="english") if analyzer is None else analyzer
    return HashedNgrams(words, 2 if ngram is None else ngram, 2**24 if bins is None else bins)
