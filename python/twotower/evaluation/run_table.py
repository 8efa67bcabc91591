"""Runs: as mappings, as files that stream past, and as tables made once.

Knows where judged documents stand; knows no measure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.data.rows import StrPath
from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.files import feed_run, is_path
from twotower.evaluation.ids import Ids
from twotower.evaluation.native import core
from twotower.evaluation.qrels_table import QrelsTable
from twotower.evaluation.rankings import AnyRun, Rankings
from twotower.types import Hits


class RunTable:
    """A run made ready once: the place of every document, without the scores. About 50 bytes a document, and its id.

    Make one with `from_run`, `read` or `from_hits`; give it to `evaluate` in place of a mapping. Worth while where one run is
    evaluated several times, or comes from a file whose queries do not stand together.

    Examples
    --------
    >>> RunTable.from_run({"q": {"a": 2.0, "b": 1.0}})
    RunTable(1 queries, 2 documents)
    """

    def __init__(self, native: Any) -> None:
        self.native = native

    @classmethod
    def read(cls, path: StrPath) -> "RunTable":
        """Read a TREC run, in any order of lines; errors as `twotower.read_run`."""
        native = core.RunTable()
        feed_run(path, native)
        return cls(native)

    @classmethod
    def from_run(cls, run: AnyRun) -> "RunTable":
        """Take a mapping of query_id to mapping of doc_id to score.

        Raises
        ------
        InputTypeError
            If a query has no mapping, an id is no string, or a score is no number.
        InvalidInputError
            If a score is NaN.
        """
        native = core.RunTable()
        for query_id, scores in run.items():
            if not isinstance(scores, Mapping):
                raise InputTypeError(
                    f"query {query_id!r}: the run has {type(scores).__name__}: give a mapping of document id to score"
                )
            native.add(query_id, list(scores), _scores(query_id, scores))
        native.finish()
        return cls(native)

    @classmethod
    def from_hits(cls, hits: Hits, query_ids: Sequence[str]) -> "RunTable":
        """Take what an index found; ties are ordered as in every run, by doc_id descending."""
        return cls.from_run(hits.to_run(query_ids))

    @property
    def query_ids(self) -> Ids:
        """Ids of the queries, in the order they came."""
        return Ids(*self.native.query_ids())

    def __len__(self) -> int:
        return int(self.native.n_queries)

    def __repr__(self) -> str:
        return f"RunTable({len(self)} queries, {self.native.n_documents} documents)"


RunSource = AnyRun | StrPath | RunTable


@dataclass(frozen=True)
class Judged:
    """What a run has of the judged documents.

    Attributes
    ----------
    rankings : Rankings
    missing : ndarray of bool, shape [Q]
        Judged queries that the run lacks.
    n_queries : int
        Queries of the run, judged or not.
    sample : str
        An id of the run's queries, to show beside the judged ones when none agree; "" for an empty run.
    """

    rankings: Rankings
    missing: npt.NDArray[np.bool_]
    n_queries: int
    sample: str


def rank_judged(run: RunSource, qrels: QrelsTable) -> Judged:
    """Find the places of the judged documents, as trec_eval orders lists.

    Parameters
    ----------
    run : mapping, path or RunTable
        A file is streamed: one list is held at a time if the lines of each query stand together, all of it otherwise.

    Raises
    ------
    InputTypeError
        If `run` is something else, or a score of a mapping is not a number.
    InvalidInputError
        If a score of a judged query is NaN.
    DataFormatError
        If a line of a file is malformed or repeats a document.

    Notes
    -----
    trec_eval compares scores as float32 and breaks ties by doc_id in descending byte order; so does this. Cost for a list of n
    with j judged: O(n) if it is in order, O(n log n) otherwise, O(j) on strings, and O(t log t) for t documents that tie with a
    judged one.
    """
    if isinstance(run, RunTable):
        return _judged(run.native.find(qrels.native), qrels, len(run), next(iter(run.query_ids), ""))
    if is_path(run):
        streamed = core.StreamedRun(qrels.native)
        try:
            found = feed_run(run, streamed)  # type: ignore[arg-type]
        except core.NotGrouped:
            return rank_judged(RunTable.read(run), qrels)  # type: ignore[arg-type]
        return _judged(found, qrels, streamed.n_queries, streamed.first_query_id)
    if isinstance(run, Mapping):
        _check_ids(run)
        found = core.find_in_dict(run if isinstance(run, dict) else dict(run), qrels.native)
        return _judged(found, qrels, len(run), str(next(iter(run), "")))
    raise InputTypeError(_advice(run))


def _check_ids(run: Mapping[Any, Any]) -> None:
    """Refuse ids that are no strings, by the query ids and the first document of each list: they would match nothing."""
    for query_id, scores in run.items():
        first = next(iter(scores), "") if isinstance(scores, Mapping) else ""
        for what, value in (("query id", query_id), ("document id", first)):
            if not isinstance(value, str):
                raise InputTypeError(f"the {what} {value!r} is {type(value).__name__}: ids must be strings")


def _judged(found: tuple[Any, Any, Any], qrels: QrelsTable, n_queries: int, sample: str) -> Judged:
    pair, place, listed = found
    missing = listed < 0
    judged_query, judged_grade, judged_place = qrels.by_grade
    rankings = Rankings(
        n_queries=len(qrels),
        query=qrels.query[pair],
        place=place.astype(np.int64),
        grade=qrels.grade[pair],
        n_retrieved=np.maximum(listed, 0),
        judged_query=judged_query,
        judged_grade=judged_grade,
        judged_place=judged_place,
    )
    return Judged(rankings, missing, n_queries, sample)


def _scores(query_id: str, scores: Mapping[str, float]) -> npt.NDArray[np.float64]:
    try:
        values = np.fromiter(scores.values(), np.float64, len(scores))
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"query {query_id!r}: a score is not a number ({error}): give floats") from error
    if np.isnan(values).any():
        doc_id = list(scores)[int(np.isnan(values).argmax())]
        if scores[doc_id] is None:
            raise InputTypeError(f"query {query_id!r}: the score of document {doc_id!r} is not a number but None")
        raise InvalidInputError(
            f"query {query_id!r}: the score of document {doc_id!r} is NaN: every score must be a number"
        )
    return values


def _advice(run: object) -> str:
    if isinstance(run, Hits):
        return (
            "run is Hits, which has no query ids: give hits.to_run(query_ids), or RunTable.from_hits(hits, query_ids)"
        )
    return f"run is {type(run).__name__}: give a mapping query_id -> doc_id -> score, the path of a TREC run file, or a RunTable"
