"""Filters: which of the documents found for a query had better not be called negatives.

R queries of a block, K places. A filter is a callable that takes a `twotower.negatives.ranked.Block` and returns bool [R, K].
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation import has_answer
from twotower.negatives.doc_lists import Rows
from twotower.negatives.ranked import Block, Filter, Keep, Scores
from twotower.negatives.source import check_share
from twotower.negatives.task import Task

Teacher = Callable[[list[str], list[str]], npt.ArrayLike]
"""Scores R pairs of a query's and a document's text, such as a cross-encoder."""


@dataclass(frozen=True)
class WithoutAnswers:
    """See `without_answers`."""

    answers: Mapping[str, Sequence[str]] = field(repr=False)
    match: str = "tokens"
    digest: str = ""

    def __call__(self, block: Block) -> Keep:
        """Tell what may stay."""
        keep = block.kept.copy()
        for row, place in zip(*np.nonzero(block.kept), strict=True):
            query_id = block.task.query_ids[block.queries[row]]
            if query_id not in self.answers:
                raise InvalidInputError(
                    f"answers has none for query {query_id!r}: give a list for each query, even if empty"
                )
            keep[row, place] = not has_answer(
                block.task.documents[block.docs[row, place]], self.answers[query_id], self.match
            )
        return keep


@dataclass(frozen=True)
class BelowPositive:
    """See `below_positive`."""

    margin: float | None = None
    share: float | None = None
    teacher: Teacher | None = None

    def __call__(self, block: Block) -> Keep:
        """Tell what may stay."""
        positives = _scores_of(block, block.positives, block.positives >= 0, self.teacher)
        lowest = np.where(block.positives >= 0, positives, np.inf).min(axis=1)
        limit = lowest - (self.margin or 0.0) - (1 - (self.share or 1.0)) * np.abs(lowest)
        scores = block.scores if self.teacher is None else _scores_of(block, block.docs, block.kept, self.teacher)
        keep: Keep = block.kept & (scores <= limit[:, None])
        return keep


@dataclass(frozen=True)
class BelowScore:
    """See `below_score`."""

    most: float
    teacher: Teacher | None = None

    def __call__(self, block: Block) -> Keep:
        """Tell what may stay."""
        scores = block.scores if self.teacher is None else _scores_of(block, block.docs, block.kept, self.teacher)
        keep: Keep = block.kept & (scores <= self.most)
        return keep


def without_answers(answers: Mapping[str, Sequence[str]], match: str = "tokens") -> Filter:
    """Return the filter that takes out every document that holds an answer to the query (DPR).

    Parameters
    ----------
    answers : mapping of query_id to sequence of str
        One list for each query, empty where no answer is known.
    match : {"tokens", "regex"}
        See `twotower.has_answer`. Title and text are searched.

    Raises
    ------
    InputTypeError
        If `answers` is no mapping to lists of strings; the first query that differs is named.

    Notes
    -----
    Source: Karpukhin et al. 2020, section 3.2.
    """
    _check_answers(answers)
    listed = json.dumps({query_id: list(found) for query_id, found in answers.items()}, sort_keys=True)
    return WithoutAnswers(answers, match, hashlib.sha256(listed.encode()).hexdigest()[:16])


def below_positive(
    *, margin: float | None = None, share: float | None = None, teacher: Teacher | None = None
) -> Filter:
    """Return the filter that takes out what scores nearly as high as the query's positives, or higher.

    Parameters
    ----------
    margin : float, optional
        Keep what scores at most ``positive - margin``.
    share : float, optional
        Keep what scores at most ``share`` of the positive's score, such as 0.95. One of the two must be given.
    teacher : callable, optional
        Takes the texts of R queries and R documents, returns R scores, which take the place of the source's own.

    Raises
    ------
    InvalidInputError
        If not exactly one of margin and share is given, `margin` is not a finite number of at least 0, or `share` is not
        above 0 and at most 1.
    InputTypeError
        If `teacher` cannot be called.

    Notes
    -----
    Of several positives the one with the lowest score sets the limit. Below 0 a share is taken off the magnitude, so that the
    limit is never above the positive. Source: Moreira et al. 2024 (NV-Retriever), TopK-MarginPos and TopK-PercPos.
    """
    if (margin is None) == (share is None):
        raise InvalidInputError("give either margin or share, such as share=0.95")
    if margin is not None and not (_is_number(margin) and 0 <= margin < float("inf")):
        raise InvalidInputError(f"margin is {margin!r}: it must be a finite number of at least 0")
    _check_teacher(teacher)
    return BelowPositive(margin, None if share is None else check_share("share", share), teacher)


def below_score(most: float, *, teacher: Teacher | None = None) -> Filter:
    """Return the filter that keeps what scores at most `most`: denoised negatives, with a teacher (RocketQA).

    Parameters
    ----------
    most : float
        RocketQA keeps what its cross-encoder gives a probability below 0.1.
    teacher : callable, optional
        As of `below_positive`.

    Raises
    ------
    InvalidInputError
        If `most` is not a finite number.
    InputTypeError
        If `teacher` cannot be called.

    Notes
    -----
    Source: Qu et al. 2021 (RocketQA), section 3.2.
    """
    if not (_is_number(most) and -float("inf") < most < float("inf")):
        raise InvalidInputError(f"most is {most!r}: it must be a finite number")
    _check_teacher(teacher)
    return BelowScore(float(most), teacher)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _check_teacher(teacher: object) -> None:
    if teacher is not None and not callable(teacher):
        raise InputTypeError(f"teacher is {teacher!r}: give a function of (queries, documents) that returns scores")


def _check_answers(answers: object) -> None:
    if not isinstance(answers, Mapping):
        raise InputTypeError(f"answers is {type(answers).__name__}: give a mapping of query_id to a list of strings")
    for query_id, found in answers.items():
        if isinstance(found, str) or not isinstance(found, Sequence) or not all(isinstance(a, str) for a in found):
            raise InputTypeError(f"the answers of query {query_id!r} are {found!r}: give a list of strings")


def _scores_of(block: Block, docs: Rows, asked: Keep, teacher: Teacher | None) -> Scores:
    """Return scores [R, C] of the documents `asked` about, -inf elsewhere."""
    if teacher is None:
        return block.ranking.score(block.queries, docs)
    rows, places = np.nonzero(asked)
    queries = [block.task.queries[int(query)] for query in block.queries[rows]]
    found = np.asarray(teacher(queries, _texts(block.task, docs[rows, places])), np.float32)
    if found.shape != rows.shape or not np.isfinite(found).all():
        raise InvalidInputError(
            f"the teacher gave scores of shape {list(found.shape)} for {len(rows)} pairs, or one that is not finite: it must "
            "return a finite score for each"
        )
    scores = np.full(docs.shape, -np.inf, np.float32)
    scores[rows, places] = found
    return scores


def _texts(task: Task, docs: Rows) -> list[str]:
    return [task.documents[int(doc)] for doc in docs]
