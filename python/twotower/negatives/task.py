"""What a source of negatives is asked: for these queries, in this corpus, without what is known of them.

Q queries, N documents, D dimensions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.negatives.doc_lists import DocLists
from twotower.types import Collection

Vectors = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Task:
    """Queries to find negatives for.

    Attributes
    ----------
    query_ids, queries : sequence of str
        Q ids and texts; read in slices, so that a `twotower.storage.StringTable` of a mapped file serves as well as a list.
    doc_ids, documents : sequence of str
        N ids and texts, title and all.
    positives : DocLists
        What is judged relevant.
    known : DocLists
        What must never be a negative: the positives, all documents with the text of one, and what a source ignores.
    candidates : mapping of query_id to sequence of doc_id
    vectors : callable, optional
        Returns (query vectors [Q, D], document vectors [N, D]) of the model that is being trained.
    threads : int
    folder : path, optional
        Where lists are written that shall not stay in memory.
    """

    query_ids: Sequence[str]
    queries: Sequence[str]
    doc_ids: Sequence[str]
    documents: Sequence[str]
    positives: DocLists
    known: DocLists
    candidates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    vectors: Callable[[], Vectors] | None = None
    threads: int = 1
    folder: Path | None = None

    @classmethod
    def of(
        cls, collection: Collection, query_ids: Sequence[str], positives: Sequence[Iterable[int]], **more: Any
    ) -> Self:
        """Make the task of some queries of a collection; `positives` holds each one's document rows."""
        documents = [document.full_text for document in collection.corpus.values()]
        return cls(
            query_ids=query_ids,
            queries=[collection.queries[query_id] for query_id in query_ids],
            doc_ids=list(collection.corpus),
            documents=documents,
            positives=DocLists.of(sorted(docs) for docs in positives),
            known=DocLists.of(with_equal_texts(positives, documents)),
            candidates=collection.candidates,
            **more,
        )

    def without(self, more: DocLists) -> Self:
        """Return the task with more documents that must not be negatives."""
        both = (np.union1d(self.known[query], more[query]) for query in range(len(self.queries)))
        return replace(self, known=DocLists.of(docs.tolist() for docs in both))

    def candidate_rows(self) -> DocLists:
        """Return the candidates of each query that are not known, as DocIds.

        Raises
        ------
        InvalidInputError
            If no query has candidates, or one is no document of the corpus.
        """
        if not any(query_id in self.candidates for query_id in self.query_ids):
            raise InvalidInputError(
                "the collection has no candidates for these queries: choose another source of negatives"
            )
        return self.rows_of(self.candidates, "candidates")

    def rows_of(self, listed: Mapping[str, Sequence[str]], what: str) -> DocLists:
        """Return documents named by id as DocIds, ascending, without those that are known.

        Raises
        ------
        InvalidInputError
            If one is no document of the corpus; `what` says whose it is.
        """
        rows = {doc_id: row for row, doc_id in enumerate(self.doc_ids)}
        found = []
        for query, query_id in enumerate(self.query_ids):
            try:
                docs = {rows[doc_id] for doc_id in listed.get(query_id, ())}
            except KeyError as error:
                raise InvalidInputError(
                    f"{what} of query {query_id!r} name document {error.args[0]!r}, which the corpus lacks"
                ) from error
            found.append(sorted(docs - set(self.known[query].tolist())))
        return DocLists.of(found)


def with_equal_texts(positives: Sequence[Iterable[int]], documents: Sequence[str]) -> list[list[int]]:
    """Return each query's documents, and all others that have the text of one.

    Examples
    --------
    >>> with_equal_texts([{0}, {1}], ["a", "b", "a"])
    [[0, 2], [1]]
    """
    same: dict[str, list[int]] = {}
    for row, text in enumerate(documents):
        same.setdefault(text, []).append(row)
    return [sorted({row for doc in docs for row in same[documents[doc]]}) for docs in positives]
