"""What BM25 and tf-idf indexes share: everything but the formula.

An index is a set of read-only arrays, fresh or mapped from a folder, and a scorer of the C++ core that looks at them.
Legend: Q queries, C candidates, K results, N documents, V vocabulary, P postings.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import Any, ClassVar, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index.arguments import as_docs, check_k, check_name, check_threads
from twotower.index.explanation import Explanation, TermScore
from twotower.index.immutable import Immutable, freeze
from twotower.index.lexical_build import BuildReport, Progress
from twotower.index.lexical_content import AnalyzerLike, LexicalContent, check_queries, listed, term_ids
from twotower.index.lexical_saving import build_to, saved_meta
from twotower.index.native import core
from twotower.index.scorers import OtherScorer, OtherScorers
from twotower.index.search_profile import SearchProfile
from twotower.index.where import DocBitmap, Where, as_bitmap
from twotower.storage import read_container, write_container
from twotower.text import TermIds
from twotower.types import Hit, Hits

Queries = Iterable[str] | Iterable[list[str]]
"""Texts, which are analysed, or lists of terms as they are."""


class LexicalIndex(Immutable, ABC):
    """Search over an inverted index; `BM25Index` and `TfidfIndex` bring the formula.

    Immutable, so searching from several threads at once is safe. The C++ core works with the GIL released.

    Attributes
    ----------
    vocabulary : Vocabulary
        All terms, by TermId. Frozen.
    analyzer : Analyzer
        Makes terms of documents and queries.
    doc_ids : sequence of str
        The user's ids, by DocId.
    """

    kind: ClassVar[str]
    _content_type: ClassVar[type[LexicalContent]] = LexicalContent
    _option_names: ClassVar[tuple[str, ...]] = ()  # of the formula
    _options_of: ClassVar[dict[str, tuple[str, ...]]] = {}  # those that go back to defaults when the key changes

    def __init__(self, content: LexicalContent, make_scorer: Callable[[Any], Any]) -> None:
        self._content = content
        self.vocabulary = content.vocabulary
        self.analyzer = content.analyzer
        self.doc_ids = content.doc_ids
        index = content.inverted()
        if index.n_terms != len(content.vocabulary):
            raise CorruptFileError(
                f"the index has postings of {index.n_terms} terms and a vocabulary of {len(content.vocabulary)}: "
                "build and save it again"
            )
        self.vocabulary.freeze()
        for array in content.postings.values():
            freeze(array)
        self._index = index
        self._scorer = make_scorer(index)
        self._scorer.quantise()
        self._others = OtherScorers(content.postings)

    def __len__(self) -> int:
        return len(self.doc_ids)

    def __repr__(self) -> str:
        n_postings = len(self._content.postings["docs"])
        return f"{type(self).__name__}({len(self)} documents, {len(self.vocabulary)} terms, {n_postings} postings)"

    @overload  # a str is an iterable of str too: the order of the overloads decides
    def search(
        self,
        queries: str,
        k: int = 10,
        threads: int = 1,
        *,
        algorithm: str = "auto",
        where: Where = None,
        **scoring: Any,
    ) -> list[Hit]: ...
    @overload
    def search(
        self,
        queries: Queries,
        k: int = 10,
        threads: int = 1,
        *,
        algorithm: str = "auto",
        where: Where = None,
        **scoring: Any,
    ) -> Hits: ...
    def search(
        self,
        queries: str | Queries,
        k: int = 10,
        threads: int = 1,
        *,
        algorithm: str = "auto",
        where: Where = None,
        **scoring: Any,
    ) -> list[Hit] | Hits:
        """Return the `k` best documents of each query, exactly.

        Parameters
        ----------
        queries : str, iterable of str, or iterable of list of str
            Texts are analysed as the documents were; lists are terms as they are. A term that comes twice counts twice.
        k : int
            Results for each query; rows are padded where fewer documents match.
        threads : int
            0 means every core. One query runs on one thread; the answer is the same for any number.
        algorithm : str
            How to find them; the answer is the same for each. "exhaustive" scores every posting in float64; "windowed"
            adds one byte a posting and scores exactly only what may be a hit; "maxscore" does so with the fewest
            postings; "adaptive" takes the faster of these two for each range of documents; "auto" picks for each query.
        where : DocBitmap, array_like of bool, array_like of int, or iterable of str, optional
            The documents that may be returned: a set that `bitmap` made, one truth value for each, DocIds, or doc_ids.
            The others are as if they did not match; scores stay those of the whole collection.
        **scoring
            Options of the formula for this call instead of the index's own, such as ``k1=1.2, b=0.75``: those of `build`.
            Where another variant (or other SMART letters) comes, options that hang on it go back to their defaults.

        Returns
        -------
        Hits, or list of Hit for a single str
            By score descending, then DocId ascending. A hit contains at least one query term; its score may be 0 or
            negative. A query that is empty or has no known term has no hits.

        Raises
        ------
        InputTypeError
            If `queries` is neither texts nor lists of terms, `where` is of another type, or the formula has no such
            option.
        InvalidInputError
            If `k` or `threads` is negative or not an integer, a text has lone surrogates, the algorithm is unknown, or
            `where` names documents that are not in the index, or is a set that another index made.

        Notes
        -----
        Each score is a float64 sum over the query's terms in their order, rounded once to float32; docs/math.md, section
        2, proves that no algorithm misses a hit. `profile` also says which algorithms ran.

        The first call with other options makes norms of the documents, O(N); "auto" then scores exhaustively, until that
        has cost as much as quantising the postings for these options (0.2 s for 15 million), which happens then, once.
        The last 4 sets are kept, each at most as large as the index's own (`memory`).
        """
        hits = self.profile(
            [queries] if isinstance(queries, str) else queries, k, threads, algorithm=algorithm, where=where, **scoring
        )[0]
        return hits[0] if isinstance(queries, str) else hits

    def profile(
        self,
        queries: Queries,
        k: int = 10,
        threads: int = 1,
        *,
        algorithm: str = "auto",
        where: Where = None,
        **scoring: Any,
    ) -> tuple[Hits, SearchProfile]:
        """Search as `search` does, and say what it took: algorithms that ran, postings that were scored.

        Parameters, errors and hits are those of `search`.

        Returns
        -------
        Hits
        SearchProfile

        Examples
        --------
        >>> from twotower import BM25Index
        >>> index = BM25Index.build(["sweet love", "sweet sorrow", "nurse"])
        >>> profile = index.profile(["sweet nurse"], k=1, algorithm="exhaustive")[1]
        >>> profile.algorithms, profile.postings_scored
        ({'exhaustive': 1}, 3)
        """
        batch = listed(queries, "queries")
        k = check_k(k, len(batch), len(self))
        threads = check_threads(threads)
        check_name(algorithm, "algorithm", core.query_algorithms())
        words = None if where is None else np.ascontiguousarray(self.bitmap(where).words)
        terms = self._term_ids(batch)
        scorer = self._scorer
        if other := self._other_scorer(scoring):
            algorithm = other.algorithm(algorithm, self._others.n_postings(terms.ids))
            scorer = other.native
        scores, docs, counts = scorer.search(terms.ids, terms.offsets, k, threads, algorithm, words)
        return Hits(scores, docs, self.doc_ids.__getitem__), SearchProfile.from_counts(counts)

    def memory(self) -> dict[str, int]:
        """Return the bytes that the index holds in memory, part by part; the vocabulary is not among them.

        Returns
        -------
        dict of str to int
            "term_offsets", "docs", "tfs", "doc_lengths": the postings. "impacts": the quantised postings that searching
            reads, made when the index is built or loaded. "other_scorers": what calls with options of their own left.
            "doc_ids" and their places, "texts" with their lengths and places, where there are any.
        """
        own: int = self._scorer.fast_bytes
        return {**self._content.memory(), "impacts": own, "other_scorers": self._others.n_bytes}

    def bitmap(self, where: Where) -> DocBitmap:
        """Return the documents that `where` names as a set of this index, for searches to come.

        Parameters and errors are those of ``search(where=...)``.

        Examples
        --------
        >>> from twotower import BM25Index
        >>> index = BM25Index.build(["sweet love", "sweet sorrow", "nurse"], ["a", "b", "c"])
        >>> some = index.bitmap(["b", "c"])
        >>> [hit.doc_id for hit in index.search("sweet", where=some)]
        ['b']
        """
        return as_bitmap(where, self.doc_ids)

    def score(self, queries: Queries, docs: npt.ArrayLike, threads: int = 1, **scoring: Any) -> npt.NDArray[np.float32]:
        """Return the exact scores of given documents.

        Parameters
        ----------
        queries : iterable of str, or iterable of list of str
            Q queries.
        docs : array_like of int, shape [Q, C]
            DocIds; -1 is padding.
        threads : int
            0 means every core.
        **scoring
            As for `search`.

        Returns
        -------
        ndarray of float32, shape [Q, C]
            0 where no query term is in the document, -inf for padding.

        Raises
        ------
        InputTypeError
            If `queries` is neither texts nor lists of terms, or `docs` are not integers.
        InvalidInputError
            If `docs` has another shape or names a document that is not in the index.
        """
        batch = listed(queries, "queries")
        candidates = as_docs(docs, len(batch), len(self))
        threads = check_threads(threads)
        terms = self._term_ids(batch)
        scorer = self._native_scorer(scoring)
        scores: npt.NDArray[np.float32] = scorer.score(terms.ids, terms.offsets, candidates, threads)
        return scores

    def explain(self, query: str | list[str], doc_id: str, **scoring: Any) -> Explanation:
        """Return how each query term contributes to a document's score.

        Parameters
        ----------
        query : str or list of str
            A text, or a list of terms.
        doc_id : str
            The user's id of the document.
        **scoring
            As for `search`.

        Raises
        ------
        InputTypeError
            If the query is neither a text nor a list of terms, or `doc_id` no string.
        InvalidInputError
            If there is no such document.
        """
        doc = self.doc_ids.index(doc_id)
        terms = self._term_ids([query])
        scorer = self._native_scorer(scoring)
        score = scorer.score(terms.ids, terms.offsets, np.array([[doc]]), 1)
        parts = [
            TermScore(self.vocabulary.term(term), tf, df, idf, weight, part)
            for term, tf, df, idf, weight, part in scorer.explain(terms.ids, doc)
        ]
        return Explanation(doc_id, float(score[0, 0]), int(self._content.postings["doc_lengths"][doc]), parts)

    @property
    def texts(self) -> Sequence[str] | None:
        """The documents' texts by DocId (``index.texts[hit.doc]``), read where they lie; None if they were not stored."""
        return self._content.stored.table

    def text(self, doc_id: str) -> str:
        """Return the text of a document, as it was indexed.

        Raises
        ------
        InvalidInputError
            If there is no such document, or the index was built without ``store_texts=True``.
        """
        doc = self.doc_ids.index(doc_id)
        if self.texts is None:
            raise InvalidInputError("the index holds no texts: build it with store_texts=True")
        return self.texts[doc]

    def postings(self, term: str) -> tuple[list[str], npt.NDArray[np.uint32]]:
        """Return the ids of the documents that contain a term, by DocId, and how often each does, read-only.

        `term` is taken as it is, so it must be in the form that the analyzer gives ("nurs", not "Nurse").
        A term that no document contains has no postings.
        """
        arrays = self._content.postings
        number = self.vocabulary.id(term)
        first, last = arrays["term_offsets"][number : number + 2].tolist() if number >= 0 else (0, 0)
        return [self.doc_ids[doc] for doc in arrays["docs"][first:last].tolist()], arrays["tfs"][first:last]

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder, atomically: a kill leaves what was there before, or the whole new index.

        Raises
        ------
        InvalidInputError
            If the analyzer is a function, which cannot be saved; nothing is written then.
        FileError
            If the system refuses.
        """
        meta = saved_meta(self.analyzer, self._scoring())
        write_container(folder, self.kind, meta, self._content.to_arrays())

    @classmethod
    def build_to(
        cls,
        folder: str | PathLike[str],
        texts: Iterable[str] | Iterable[list[str]],
        doc_ids: Iterable[str] | None = None,
        *,
        analyzer: AnalyzerLike = "english",
        threads: int = 0,
        memory_limit: int | None = None,
        progress: Progress | None = None,
        store_texts: bool = False,
        **scoring: Any,
    ) -> BuildReport:
        """Build an index straight into a folder, without ever holding it: the bytes that `build` and `save` write.

        Parameters
        ----------
        folder : path
            As for `save`: an index that is there stays until the new one is whole.
        texts, doc_ids, analyzer, threads, progress, store_texts
            As for `build`. `doc_ids` is read after the texts. With a memory limit stored texts wait in a temporary file.
        memory_limit : int, optional
            Bytes that the build may take, without the process as it was before and without what `texts` itself holds. Postings
            beyond it wait in a temporary file beside `folder`, which is gone however the build ends. Vocabulary and doc_ids
            cannot be put off: a limit that they outgrow is refused with the least that works.
        **scoring
            The options of the formula, as for `build`.

        Returns
        -------
        BuildReport

        Raises
        ------
        InputTypeError, InvalidInputError
            As `build`; also if the analyzer is a function, which cannot be saved.
        FileError
            If the system refuses. The folder is then as it was.
        """
        cls._check_option_names("build_to", scoring, "analyzer", "threads", "memory_limit", "progress", "store_texts")
        checked = cls._checked_scoring(**scoring)
        return build_to(
            folder,
            cls.kind,
            texts,
            doc_ids,
            analyzer,
            checked,
            threads=threads,
            memory_limit=memory_limit,
            progress=progress,
            store_texts=store_texts,
            text_lengths=cls._needs_text_lengths(checked),
        )

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Open a saved index: arrays are mapped, and checked in full.

        Raises
        ------
        FileError
            If the folder holds no saved index.
        CorruptFileError
            If it is damaged, or holds another kind of index or a version that this package does not read.
        """
        meta, arrays = read_container(folder, cls.kind)
        content = cls._content_type.from_saved(meta, arrays)
        scoring = meta.get("scoring")
        if not isinstance(scoring, dict):
            raise CorruptFileError(f"{folder}: the saved index lacks its scoring options: save it again")
        return cls._from_saved(content, scoring)

    def _term_ids(self, queries: list[Any]) -> TermIds:
        check_queries(queries)
        return term_ids(queries, self.analyzer, self.vocabulary, grow=False)

    def _other_scorer(self, given: dict[str, Any]) -> OtherScorer | None:
        """Return the scorer for options of one call; None: the index's own."""
        if not given:
            return None
        self._check_option_names("a search", given)
        own = self._scoring()
        scoring = {**own, **given}
        for name, dependent in self._options_of.items():
            if scoring[name] != own[name]:
                scoring |= {option: given.get(option) for option in dependent}
        checked = self._checked_scoring(**scoring)
        if checked == own:
            return None
        return self._others.get(repr(checked), lambda: self._make_scorer(checked))

    def _native_scorer(self, given: dict[str, Any]) -> Any:
        other = self._other_scorer(given)
        return other.native if other else self._scorer

    @classmethod
    def _check_option_names(cls, what: str, given: dict[str, Any], *others: str) -> None:
        unknown = [name for name in given if name not in cls._option_names]
        if unknown:
            takes = ", ".join((*cls._option_names, *others)) or "none"
            raise InputTypeError(f"{what} of {cls.__name__} has no option {unknown[0]!r}: it takes {takes}")

    @classmethod
    def _needs_text_lengths(cls, scoring: dict[str, Any]) -> bool:
        """Tell whether checked options ask for the bytes of each text."""
        return False

    def _make_scorer(self, scoring: dict[str, Any]) -> Any:
        """Return the core's scorer for checked options. An index without options is never asked."""
        return self._scorer

    @classmethod
    @abstractmethod
    def _checked_scoring(cls) -> dict[str, Any]:
        """Return the options of the formula, checked and filled in, to save."""

    @abstractmethod
    def _scoring(self) -> dict[str, Any]:
        """Return the options of the formula, to save."""

    @classmethod
    @abstractmethod
    def _from_saved(cls, content: LexicalContent, scoring: dict[str, Any]) -> Self:
        """Make an index of loaded content and what `_scoring` returned."""
