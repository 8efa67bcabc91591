"""Negatives that the caller names, query by query."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twotower.errors import InvalidInputError
from twotower.negatives.doc_lists import DocLists
from twotower.negatives.source import Source
from twotower.negatives.task import Task


@dataclass(frozen=True)
class Given(Source):
    """See `given`."""

    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def prepare(self, task: Task) -> DocLists:
        """Return the named documents without the known ones.

        Raises
        ------
        InvalidInputError
            If a document is not in the corpus.
        """
        return task.rows_of(self.lists, "negatives")

    def describe(self) -> str:
        """Return a digest of the lists."""
        listed = json.dumps({query_id: list(doc_ids) for query_id, doc_ids in self.lists.items()}, sort_keys=True)
        return f"mapping {hashlib.sha256(listed.encode()).hexdigest()} per_query={self.per_query}"


def given(lists: Mapping[str, Sequence[str]], per_query: int = 1) -> Given:
    """Return the source of the negatives in `lists`: query_id to doc_ids.

    Queries that training does not meet are passed over; known positives are left out.

    Raises
    ------
    InvalidInputError
        If `per_query` is below 1, or `lists` is no mapping to lists.
    """
    if not isinstance(lists, Mapping):
        raise InvalidInputError(
            f"negatives are {type(lists).__name__}: give a mapping of query_id to a list of doc_ids"
        )
    for query_id, doc_ids in lists.items():
        if isinstance(doc_ids, str) or not isinstance(doc_ids, Sequence):
            raise InvalidInputError(f"the negatives of query {query_id!r} are {doc_ids!r}: give a list of doc_ids")
    return Given(per_query, lists)
