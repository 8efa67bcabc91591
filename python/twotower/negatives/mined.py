"""Negatives found ahead of training, saved to a folder and read where they lie.

Q queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.negatives.doc_lists import DocLists
from twotower.negatives.source import Pools, Source
from twotower.negatives.task import Task
from twotower.storage import StringTable, pack_strings
from twotower.types import Collection


@dataclass(frozen=True)
class Mined(Source):
    """Lists of negatives; a source itself: ``tt.train(..., negatives=tt.mine.Mined.load(folder, c))``.

    Attributes
    ----------
    query_ids : sequence of str
        Q ids.
    lists : DocLists
        Of DocIds, in the order of `query_ids`.
    made_by : str
        What found them.
    """

    query_ids: Sequence[str] = ()
    lists: DocLists = field(default_factory=lambda: DocLists.of([]))
    made_by: str = ""

    def prepare(self, task: Task) -> DocLists:
        """Return the lists of the task's queries, less what the task knows.

        Raises
        ------
        InvalidInputError
            If a query has no list.
        """
        if len(self.query_ids) == len(task.query_ids) and all(
            a == b for a, b in zip(self.query_ids, task.query_ids, strict=True)
        ):
            rows = np.arange(len(self.query_ids))
        else:
            places = {query_id: row for row, query_id in enumerate(self.query_ids)}
            if missing := [query_id for query_id in task.query_ids if query_id not in places]:
                raise InvalidInputError(f"no negatives were mined for query {missing[0]!r}: mine for this split")
            rows = np.array([places[query_id] for query_id in task.query_ids], np.int64)
        if len(self.lists.docs) and int(self.lists.docs.max()) >= len(task.doc_ids):
            raise InvalidInputError(
                f"the lists name a document beyond the {len(task.doc_ids)} of the corpus: mine over it"
            )
        return _without_known(self.lists, rows, task)

    def save(self, folder: str | PathLike[str]) -> None:
        """Save to a folder, atomically."""
        blob, offsets = pack_strings(self.query_ids)
        meta = {"made_by": self.made_by, "per_query": self.per_query}
        self.lists.save(folder, meta, query_id_bytes=blob, query_id_offsets=offsets)

    @classmethod
    def load(cls, folder: str | PathLike[str], collection: Collection) -> Self:
        """Open saved lists over the corpus of `collection`: mapped, and checked in full.

        Raises
        ------
        FileError
            If there are none.
        CorruptFileError
            If they are damaged, or name more documents than the corpus has.
        """
        lists, meta, arrays = DocLists.load(folder, len(collection.corpus))
        blob, offsets = arrays.get("query_id_bytes"), arrays.get("query_id_offsets")
        per_query = meta.get("per_query")
        if blob is None or offsets is None or type(per_query) is not int or per_query < 1:
            raise CorruptFileError(f"{folder}: the query ids of the lists are missing: mine again")
        query_ids = StringTable(blob, offsets)
        if len(query_ids) != len(lists):
            raise CorruptFileError(f"{folder}: {len(lists)} lists for {len(query_ids)} queries: mine again")
        return cls(per_query, query_ids, lists, str(meta.get("made_by", "")))

    def describe(self) -> str:
        """Return what found the lists, and how much they hold."""
        return f"mined({self.made_by}, {len(self.lists)} queries, {len(self.lists.docs)} documents, per_query={self.per_query})"


def mine(
    source: Source, collection: Collection, split: str = "train", *, folder: str | PathLike[str] | None = None,
    threads: int = 1,
) -> Mined:  # fmt: skip
    """Find the negatives of the queries of a split.

    Parameters
    ----------
    source : Source
        Such as ``tt.mine.bm25(index, depth=50)``; one that has lists, so not ``random``.
    collection : Collection
    split : str
        Its judged queries; what is judged relevant in it is in no list.
    folder : path, optional
        Gets the lists, which are then mapped: they take no memory, however many queries there are.
    threads : int

    Raises
    ------
    InvalidInputError
        If the split is unknown or has no pair, or the source has no lists.
    """
    if not isinstance(source, Source):
        raise InputTypeError(f"source is {type(source).__name__}: give a source, such as tt.mine.bm25()")
    rows = {doc_id: row for row, doc_id in enumerate(collection.corpus)}
    positives: dict[str, set[int]] = {}
    for query_id, doc_id in collection.pairs(split):
        if doc_id not in rows or query_id not in collection.queries:
            raise InvalidInputError(
                f"split {split!r} judges {doc_id!r} for {query_id!r}, but {collection.name} lacks one"
            )
        positives.setdefault(query_id, set()).add(rows[doc_id])
    if not positives:
        raise InvalidInputError(f"split {split!r} of {collection.name} has no relevant document: nothing to mine for")
    task = Task.of(collection, list(positives), list(positives.values()), threads=threads)
    found = prepared(source, replace(task, folder=None if folder is None else Path(folder)))
    if not isinstance(found, DocLists):
        raise InvalidInputError(f"{source.describe()} has no lists to save: name it in the training instead")
    mined = Mined(source.per_query, task.query_ids, found, source.describe())
    if folder is None:
        return mined
    mined.save(folder)
    return Mined.load(folder, collection)


def prepared(source: Source, task: Task) -> Pools:
    """Return what `source` finds for `task`, with what it ignores or holds for weakly positive left out."""
    for lists in (source.ignored(task), source.weak_positives(task)):
        if lists is not None:
            task = task.without(lists)
    return source.prepare(task)


def _without_known(lists: DocLists, rows: Any, task: Task) -> DocLists:
    places, docs = lists.flat(rows)
    kept = ~task.known.contains(places, docs[:, None])[:, 0] if len(docs) else np.zeros(0, bool)
    if kept.all() and np.array_equal(rows, np.arange(len(lists))):
        return lists  # still mapped
    offsets = np.concatenate([[0], np.cumsum(np.bincount(places[kept], minlength=len(rows)))]).astype(np.int64)
    return DocLists(offsets, docs[kept].astype(np.uint32))
