"""Search over sparse vectors: terms with weights that a model or a formula gave, on the engine of BM25.

Legend: N documents, Q queries, C candidates, K results, V terms, P postings.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.index.arguments import as_docs, check_k, check_name, check_threads
from twotower.index.doc_ids import check_doc_ids
from twotower.index.immutable import Immutable, freeze
from twotower.index.native import core
from twotower.index.search_profile import SearchProfile
from twotower.index.sparse_content import SparseContent
from twotower.index.sparse_vectors import SparseVectors, read_documents, read_queries
from twotower.index.where import DocBitmap, Where, as_bitmap
from twotower.types import Hit, Hits

Term = str | int
Vector = Mapping[str, float] | Mapping[int, float]
Vectors = Any
"""A matrix in CSR form, three arrays (indptr, indices, data), or an iterable of dicts or of lists of pairs."""


@dataclass(frozen=True)
class SparseTermScore:
    """What one term of a query brings to one document's score.

    Attributes
    ----------
    term : str or int
    query_weight, document_weight : float
        Their product is the score. A document without the term has the weight 0.
    df : int
        Documents that have the term.
    score : float
    """

    term: Term
    query_weight: float
    document_weight: float
    df: int
    score: float


@dataclass(frozen=True)
class SparseExplanation:
    """A document's score for a query, and its parts, which sum to it (in float64, in this order).

    Attributes
    ----------
    doc_id : str
    score : float
        The exact float32 score that a search gives.
    terms : list of SparseTermScore
        In the order of the query; terms that no document has, and those of weight 0, are left out.
    """

    doc_id: str
    score: float
    terms: list[SparseTermScore]


class SparseIndex(Immutable):
    """Ranks documents by the inner product of sparse vectors. Made by `build` or `load`.

    For learned weights (SPLADE, uniCOIL, SPARC) and for any formula that gives a term of a document a number. Immutable, so
    searching from several threads at once is safe. The C++ core works with the GIL released.

    Attributes
    ----------
    vocabulary : Vocabulary or None
        The terms by their number, frozen; None where terms are ids.
    doc_ids : sequence of str
        The user's ids, by DocId.

    Notes
    -----
    The score is the sum over the query's terms, in its order, of (query weight) times (document weight): exact products of
    float32 numbers in float64, summed in float64, rounded once to float32. Weights of documents are kept bit for bit. A
    weight of 0 is as if the term was not there, on both sides; a hit has at least one term of the query, and its score may
    be 0 or negative. Negative weights are allowed: a term with a negative query weight, or one that any document has with
    a negative weight, cannot be pruned as well, so such searches take longer and stay exact. Terms that no document has
    match nothing.

    The form that searching reads takes about 3 bytes a posting beside the 8 of the postings (docs/decisions/lexical.md).

    Examples
    --------
    >>> index = SparseIndex.build([{"sweet": 1.5, "love": 0.5}, {"sorrow": 2.0, "sweet": 0.25}], ["a", "b"])
    >>> [(hit.doc_id, hit.score) for hit in index.search({"sweet": 1.0, "sorrow": 0.5})]
    [('a', 1.5), ('b', 1.25)]
    >>> [(part.term, part.document_weight, part.score) for part in index.explain({"sweet": 1.0, "sorrow": 0.5}, "b").terms]
    [('sweet', 0.25, 0.25), ('sorrow', 2.0, 1.0)]
    """

    kind = "sparse"
    name = "sparse"

    def __init__(self, content: SparseContent) -> None:
        self._content = content
        self.vocabulary = content.vocabulary
        self.doc_ids = content.doc_ids
        if self.vocabulary is not None:
            self.vocabulary.freeze()
        for array in (content.term_offsets, content.docs, content.weights):
            freeze(array)
        self._scorer = core.LexicalScorer.weights(content.inverted())

    @classmethod
    def build(cls, vectors: Vectors, doc_ids: Iterable[str] | None = None) -> Self:
        """Build an index of documents in memory.

        Parameters
        ----------
        vectors : CSR matrix, tuple of three arrays, or iterable of vectors
            N documents. A matrix is anything with ``indptr``, ``indices`` and ``data``, of which a row is a document and a
            column a term (scipy.sparse; other forms of it are converted by their ``tocsr``), or these three arrays as a
            tuple. A vector is a dict from term to weight or a list of (term, weight); terms are all strings, or all ids
            from 0. Weights become float32; those of arrays must be floats.
        doc_ids : iterable of str, optional
            One for each document, each once; "0", "1", ... if absent.

        Raises
        ------
        InputTypeError
            If something is of another type, or terms are both strings and ids.
        InvalidInputError
            If a weight is NaN, infinite or beyond 2^50 in magnitude; if a vector has a term twice; if an id is negative,
            beyond its matrix or not below 2^24; if a matrix is malformed; if a doc_id comes twice, or their number is not N.

        Notes
        -----
        O(T log T of a vector) time; the input and the index are in memory together.
        """
        documents, vocabulary, n_terms = read_documents(vectors)
        names = check_doc_ids(doc_ids, len(documents.offsets) - 1)
        term_offsets, docs, weights = core.build_weighted_arrays(
            documents.ids, documents.offsets, n_terms, documents.weights
        )
        return cls(SparseContent(term_offsets, docs, weights, vocabulary, names))

    def __len__(self) -> int:
        return len(self.doc_ids)

    def __repr__(self) -> str:
        return f"SparseIndex({len(self)} documents, {self._content.n_terms} terms, {len(self._content.docs)} postings)"

    @overload
    def search(
        self, queries: Vector, k: int = 10, threads: int = 1, *, algorithm: str = "auto", where: Where = None
    ) -> list[Hit]: ...
    @overload
    def search(
        self, queries: Vectors, k: int = 10, threads: int = 1, *, algorithm: str = "auto", where: Where = None
    ) -> Hits: ...
    def search(
        self, queries: Vector | Vectors, k: int = 10, threads: int = 1, *, algorithm: str = "auto", where: Where = None
    ) -> list[Hit] | Hits:
        """Return the `k` best documents of each query, exactly.

        Parameters
        ----------
        queries : dict, CSR matrix, tuple of three arrays, or iterable of vectors
            One dict is one query; else as `build` takes documents, with terms of the same kind. Order counts only in the
            rounding of scores.
        k : int
            Results for each query; rows are padded where fewer documents match.
        threads : int
            0 means every core. One query runs on one thread; the answer is the same for any number.
        algorithm : str
            As for `BM25Index.search`; the answer is the same for each.
        where : DocBitmap, array_like of bool, array_like of int, or iterable of str, optional
            The documents that may be returned, as for `BM25Index.search`.

        Returns
        -------
        Hits, or list of Hit for a single dict
            By score descending, then DocId ascending.

        Raises
        ------
        InputTypeError
            If `queries` are of another type than documents, or `where` of another type.
        InvalidInputError
            As `build`; also if `k` or `threads` is negative or not an integer, the algorithm is unknown, or `where` names
            documents that are not in the index.
        """
        single = isinstance(queries, Mapping)
        hits = self.profile([queries] if single else queries, k, threads, algorithm=algorithm, where=where)[0]
        return hits[0] if single else hits

    def profile(
        self, queries: Vectors, k: int = 10, threads: int = 1, *, algorithm: str = "auto", where: Where = None
    ) -> tuple[Hits, SearchProfile]:
        """Search as `search` does, and say what it took: algorithms that ran, postings that were scored."""
        vectors = self._read(queries)
        k = check_k(k, len(vectors.offsets) - 1, len(self))
        threads = check_threads(threads)
        check_name(algorithm, "algorithm", core.query_algorithms())
        words = None if where is None else np.ascontiguousarray(self.bitmap(where).words)
        scores, docs, counts = self._scorer.search(
            vectors.ids, vectors.offsets, k, threads, algorithm, words, vectors.weights
        )
        return Hits(scores, docs, self.doc_ids.__getitem__), SearchProfile.from_counts(counts)

    def bitmap(self, where: Where) -> DocBitmap:
        """Return the documents that `where` names as a set of this index, for searches to come."""
        return as_bitmap(where, self.doc_ids)

    def score(self, queries: Vectors, docs: npt.ArrayLike, threads: int = 1) -> npt.NDArray[np.float32]:
        """Return the exact scores of given documents.

        Parameters
        ----------
        queries : CSR matrix, tuple of three arrays, or iterable of vectors
            Q queries.
        docs : array_like of int, shape [Q, C]
            DocIds; -1 is padding.
        threads : int
            0 means every core.

        Returns
        -------
        ndarray of float32, shape [Q, C]
            0 where no query term is in the document, -inf for padding.

        Raises
        ------
        InputTypeError
            If `queries` are of another type, or `docs` are not integers.
        InvalidInputError
            If `docs` has another shape or names a document that is not in the index, or as `search`.
        """
        vectors = self._read(queries)
        candidates = as_docs(docs, len(vectors.offsets) - 1, len(self))
        scores: npt.NDArray[np.float32] = self._scorer.score(
            vectors.ids, vectors.offsets, candidates, check_threads(threads), vectors.weights
        )
        return scores

    def explain(self, query: Vector | list[tuple[Term, float]], doc_id: str) -> SparseExplanation:
        """Return how each term of a query contributes to a document's score.

        Parameters
        ----------
        query : dict or list of pairs
        doc_id : str
            The user's id of the document.

        Raises
        ------
        InputTypeError
            If the query is of another type, or `doc_id` no string.
        InvalidInputError
            If there is no such document.
        """
        doc = self.doc_ids.index(doc_id)
        vector = self._read([query])
        score = self._scorer.score(vector.ids, vector.offsets, np.array([[doc]]), 1, vector.weights)
        parts = [
            SparseTermScore(self._term(term), weight, float(np.uint32(bits).view(np.float32)), df, part)
            for term, bits, df, _, weight, part in self._scorer.explain(vector.ids, doc, vector.weights)
        ]
        return SparseExplanation(doc_id, float(score[0, 0]), parts)

    def postings(self, term: Term) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Return the ids of the documents that have a term, by DocId, and its weight in each, read-only.

        A term that no document has has no postings.
        """
        number = int(self._read([{term: 1.0}]).ids[0])
        first, last = self._content.term_offsets[number : number + 2].tolist() if number >= 0 else (0, 0)
        return [self.doc_ids[doc] for doc in self._content.docs[first:last].tolist()], self._content.weights[first:last]

    def memory(self) -> dict[str, int]:
        """Return the bytes that the index holds in memory, part by part; the vocabulary is not among them.

        Returns
        -------
        dict of str to int
            "term_offsets", "docs", "weights": the postings; the weights of a loaded index are pages of its file, read on
            use. "impacts": the quantised postings that searching reads. "doc_ids" and their places, where there are any.
        """
        return {**self._content.memory(), "impacts": self._scorer.fast_bytes}

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder, atomically: a kill leaves what was there before, or the whole new index.

        Raises
        ------
        FileError
            If the system refuses.
        """
        self._content.save(folder, self.kind)

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
        return cls(SparseContent.load(folder, cls.kind))

    def _read(self, queries: Vectors) -> SparseVectors:
        return read_queries(queries, self.vocabulary, self._content.n_terms)

    def _term(self, number: int) -> Term:
        return number if self.vocabulary is None else self.vocabulary.term(number)
