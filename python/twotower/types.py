"""The values that rooms hand to each other: documents, collections, hits, runs, qrels.

Knows no index, no tensor and no file format. `doc_id` is the user's string; `doc` is the dense number (DocId) of a
document inside one index.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

Qrels = dict[str, dict[str, int]]
"""query_id -> doc_id -> grade; a grade above 0 is relevant."""

Run = dict[str, dict[str, float]]
"""query_id -> doc_id -> score."""

MAX_GRADE = 2**31 - 1
"""Largest grade, and largest magnitude of a negative one."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text that can be found, with an optional title."""

    text: str
    title: str = ""

    @property
    def full_text(self) -> str:
        """Title and text in one string: what indexes and towers read."""
        return f"{self.title} {self.text}" if self.title else self.text


@dataclass
class Collection:
    """A corpus, its queries, and relevance judgements by split.

    Attributes
    ----------
    name : str
        What results call it.
    corpus : dict of str to Document
        In corpus order; DocId n of an index built from it is the n-th entry.
    queries : dict of str to str
    qrels : dict of str to Qrels
        By split: "train", "valid", "test", ...
    candidates : dict of str to list of str
        For data whose records come with their own candidate passages (MS MARCO v1.1): query_id to doc_ids, selected or
        not. Those not judged relevant are *maybe* negatives: unjudged, often relevant.
    """

    name: str
    corpus: dict[str, Document]
    queries: dict[str, str]
    qrels: dict[str, Qrels] = field(default_factory=dict)
    candidates: dict[str, list[str]] = field(default_factory=dict)

    def split(self, name: str) -> Qrels:
        """Return the judgements of one split.

        Raises
        ------
        InvalidInputError
            If there is no such split; the message lists those there are.
        """
        if name not in self.qrels:
            there = ", ".join(sorted(self.qrels)) or "none at all"
            raise InvalidInputError(f"{self.name} has no split {name!r}: it has {there}")
        return self.qrels[name]

    def pairs(self, split: str) -> list[tuple[str, str]]:
        """Return (query_id, doc_id) for each judgement with a grade above 0, in the order of the qrels."""
        return [(q, d) for q, judged in self.split(split).items() for d, grade in judged.items() if grade > 0]

    def fingerprint(self) -> str:
        """Return a SHA-256 hex digest of the whole content: same digest, same corpus, queries and judgements."""
        digest = hashlib.sha256()

        def put(*parts: str) -> None:
            for part in parts:
                raw = part.encode()
                digest.update(len(raw).to_bytes(8, "little"))
                digest.update(raw)

        for doc_id, document in self.corpus.items():
            put("d", doc_id, document.title, document.text)
        for query_id, text in self.queries.items():
            put("q", query_id, text)
        for split in sorted(self.qrels):
            for query_id, judged in self.qrels[split].items():
                for doc_id, grade in judged.items():
                    put("r", split, query_id, doc_id, str(grade))
        return digest.hexdigest()


class Hit(NamedTuple):
    """One found document: the user's id, the score, and the DocId in the index that found it."""

    doc_id: str
    score: float
    doc: int


class Hits:
    """Ranked lists of Q queries, K places each, best first: score descending, then DocId ascending.

    Two are equal if their scores, DocIds and doc_ids are.

    Attributes
    ----------
    scores : ndarray of float32, shape [Q, K]
        -inf where fewer than K documents match.
    docs : ndarray of int64, shape [Q, K]
        DocIds; -1 where fewer than K documents match.

    Examples
    --------
    >>> hits = Hits(np.array([[2.0, 1.0]], np.float32), np.array([[1, 0]]), ["a", "b"].__getitem__)
    >>> hits[0]
    [Hit(doc_id='b', score=2.0, doc=1), Hit(doc_id='a', score=1.0, doc=0)]
    """

    def __init__(
        self, scores: npt.NDArray[np.float32], docs: npt.NDArray[np.int64], name_of: Callable[[int], str]
    ) -> None:
        if scores.shape != docs.shape or scores.ndim != 2:
            raise InvalidInputError(f"scores {scores.shape} and docs {docs.shape} must have one shape [Q, K]")
        self.scores = scores
        self.docs = docs
        self._name_of = name_of

    @property
    def doc_ids(self) -> list[list[str | None]]:
        """The user's ids, [Q][K]; None where fewer than K documents match. Made on each access."""
        return [[self._name_of(doc) if doc >= 0 else None for doc in row] for row in self.docs.tolist()]

    def __len__(self) -> int:
        return len(self.docs)

    @overload
    def __getitem__(self, query: int) -> list[Hit]: ...
    @overload
    def __getitem__(self, query: slice) -> "Hits": ...
    def __getitem__(self, query: int | slice) -> "list[Hit] | Hits":
        """Return the hits of one query, or the lists of a slice of the queries."""
        if isinstance(query, slice):
            return Hits(self.scores[query], self.docs[query], self._name_of)
        if isinstance(query, bool) or not hasattr(query, "__index__") or np.ndim(query):
            raise InputTypeError(f"hits of query {query!r} ({type(query).__name__}): give an integer or a slice")
        row = self.docs[query]
        found = int((row >= 0).sum())
        pairs = zip(row[:found].tolist(), self.scores[query, :found].tolist(), strict=True)
        return [Hit(self._name_of(doc), score, doc) for doc, score in pairs]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hits):
            return NotImplemented
        same = np.array_equal(self.scores, other.scores) and np.array_equal(self.docs, other.docs)
        return same and (self._name_of == other._name_of or self.doc_ids == other.doc_ids)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with the doc_ids that are named here: not with the index, whose table of ids may be mapped memory."""
        names = {doc: self._name_of(doc) for doc in np.unique(self.docs[self.docs >= 0]).tolist()}
        return type(self), (self.scores, self.docs, names.__getitem__)

    __hash__ = None  # type: ignore[assignment]  # arrays can be changed

    def __iter__(self) -> Iterator[list[Hit]]:
        return (self[query] for query in range(len(self)))

    def __repr__(self) -> str:
        return f"Hits({self.docs.shape[0]} queries, k={self.docs.shape[1]})"

    def to_run(self, query_ids: Sequence[str]) -> Run:
        """Return query_id -> doc_id -> score.

        Raises
        ------
        InvalidInputError
            If the number of ids is not the number of queries, or an id comes twice.
        """
        if len(query_ids) != len(self):
            raise InvalidInputError(f"{len(query_ids)} query_ids for {len(self)} queries: give one id a query")
        run = {query_id: {hit.doc_id: hit.score for hit in self[i]} for i, query_id in enumerate(query_ids)}
        if len(run) != len(query_ids):
            raise InvalidInputError("query_ids contains an id twice: make them unique")
        return run

    def to_pandas(self) -> "pd.DataFrame":
        """Return a DataFrame with the columns query (row number), rank (from 1), doc_id, score; needs pandas."""
        import pandas as pd

        rows: list[dict[str, Any]] = [
            {"query": q, "rank": rank, "doc_id": hit.doc_id, "score": hit.score}
            for q, hits in enumerate(self)
            for rank, hit in enumerate(hits, 1)
        ]
        return pd.DataFrame(rows, columns=["query", "rank", "doc_id", "score"])
