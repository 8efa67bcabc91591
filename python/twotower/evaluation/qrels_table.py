"""Judgements made ready once: what every evaluation of a split can share.

Legend: Q judged queries, J judgements.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from twotower.data.rows import StrPath
from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.files import feed_qrels, is_path
from twotower.evaluation.ids import Ids
from twotower.evaluation.native import core
from twotower.evaluation.rankings import AnyQrels, Integers, count_within
from twotower.types import MAX_GRADE


class QrelsTable:
    """Judgements in a compact form: about 60 bytes each, and the ids.

    Make one with `from_qrels`, `read` or `of`; give it to `evaluate` in place of a mapping.

    Attributes
    ----------
    query_ids : Ids
        In the order of the mapping or of their first line; Q of them.
    query, grade : ndarray of int64, shape [J]
        Number of the query and grade of each judgement, in the order they came.

    Examples
    --------
    >>> table = QrelsTable.from_qrels({"q": {"a": 1, "b": 0}})
    >>> len(table), table.query_ids[0], table.grade.tolist()
    (1, 'q', [1, 0])
    """

    def __init__(self, native: Any) -> None:
        self.native = native
        self.query_ids = Ids(*native.query_ids())
        self.query: Integers = native.query_of().astype(np.int64)
        self.grade: Integers = native.grades().astype(np.int64)

    @classmethod
    def of(cls, qrels: "AnyQrels | StrPath | QrelsTable") -> "QrelsTable":
        """Return the table of a mapping, of a file, or the given one.

        Raises
        ------
        InputTypeError
            If `qrels` is something else.
        """
        if isinstance(qrels, QrelsTable):
            return qrels
        if is_path(qrels):
            return cls.read(qrels)  # type: ignore[arg-type]
        if isinstance(qrels, Mapping):
            return cls.from_qrels(qrels)
        raise InputTypeError(
            f"qrels is {type(qrels).__name__}: give a mapping query_id -> doc_id -> grade, the path of a file of judgements "
            "(TREC or BEIR), or a QrelsTable"
        )

    @classmethod
    def read(cls, path: StrPath) -> "QrelsTable":
        """Read a TREC or BEIR file; errors as `twotower.read_qrels`."""
        native = core.Judgements()
        feed_qrels(path, native)
        return cls(native)

    @classmethod
    def from_qrels(cls, qrels: AnyQrels) -> "QrelsTable":
        """Take a mapping of query_id to mapping of doc_id to grade.

        Raises
        ------
        InputTypeError
            If a query has no mapping, or a grade is not an integer.
        InvalidInputError
            If a grade is out of range.
        """
        native = core.Judgements()
        for query_id, judged in qrels.items():
            if not isinstance(judged, Mapping):
                raise InputTypeError(
                    f"query {query_id!r}: qrels has {type(judged).__name__}: give a mapping of document id to grade"
                )
            native.add(query_id, list(judged), _grades(query_id, judged))
        native.finish()
        return cls(native)

    def __len__(self) -> int:
        return len(self.query_ids)

    def __repr__(self) -> str:
        return f"QrelsTable({len(self)} queries, {len(self.grade)} judgements)"

    @cached_property
    def by_grade(self) -> tuple[Integers, Integers, Integers]:
        """Query, grade and place [J] of all judgements in the ideal order: by query, then grade descending."""
        order = np.lexsort((-self.grade, self.query))
        query = self.query[order]
        return query, self.grade[order], count_within(query)


def _grades(query_id: str, judged: Mapping[str, int]) -> Any:
    grades = np.array(list(judged.values()) or np.zeros(0, np.int64))
    if grades.dtype.kind in "iub" and (not len(grades) or (grades.min() >= -MAX_GRADE and grades.max() <= MAX_GRADE)):
        return grades.astype(np.int32)
    for doc_id, grade in judged.items():
        if not isinstance(grade, int | np.integer):
            raise InputTypeError(
                f"query {query_id!r}: the grade of document {doc_id!r} is {grade!r} ({type(grade).__name__}): give an integer"
            )
        if abs(int(grade)) > MAX_GRADE:
            raise InvalidInputError(
                f"query {query_id!r}: the grade of document {doc_id!r} is {grade}: it must lie between "
                f"-{MAX_GRADE} and {MAX_GRADE}"
            )
    raise InputTypeError(f"query {query_id!r}: grades must be integers")  # a mix that NumPy cannot hold as one dtype


QrelsSource = AnyQrels | StrPath | QrelsTable
