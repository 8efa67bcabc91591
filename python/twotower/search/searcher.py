"""What a searcher is, and what all searchers check of the texts they get. Knows no searcher."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.doc_ids import DocIds
from twotower.types import Hits


class Searcher(Protocol):
    """Ranks the documents of one corpus for texts.

    A property here may be a plain attribute in a searcher.
    """

    @property
    def name(self) -> str:
        """What reports and the parts of a hybrid's score call it."""

    @property
    def doc_ids(self) -> Any:
        """The user's ids by DocId: a sequence of str with a fast ``index(doc_id)``."""

    def search(self, texts: list[str], k: int, /) -> Hits:
        """Return the `k` best documents of each text: score descending, then DocId ascending."""

    def score(self, texts: list[str], docs: npt.NDArray[np.int64], /) -> npt.NDArray[np.float32]:
        """Return the scores [Q, C] of the given DocIds [Q, C]; -inf where the DocId is -1 (padding)."""


def as_texts(texts: str | Iterable[str]) -> tuple[list[str], bool]:
    """Return the queries as a list, and whether a single string came.

    Raises
    ------
    InputTypeError
        If it is neither a string nor an iterable of strings; the message names the first wrong item.

    Examples
    --------
    >>> as_texts("sweet love")
    (['sweet love'], True)
    """
    if isinstance(texts, str):
        return [texts], True
    if isinstance(texts, bytes) or not isinstance(texts, Iterable):
        raise InputTypeError(f"queries are {type(texts).__name__}: give a string, or an iterable of strings")
    listed = list(texts)
    for number, text in enumerate(listed):
        if not isinstance(text, str):
            raise InputTypeError(f"query {number} is {text!r:.80} ({type(text).__name__}): give strings")
    return listed, False


def check_same_documents(searchers: Sequence[Searcher]) -> None:
    """Refuse searchers that number documents differently.

    Raises
    ------
    InvalidInputError
        If their doc_ids differ; the message says where.
    """
    first = searchers[0]
    for other in searchers[1:]:
        if _same_tables(first.doc_ids, other.doc_ids):
            continue
        advice = "build both over the same documents in the same order"
        if len(first.doc_ids) != len(other.doc_ids):
            raise InvalidInputError(
                f"{first.name} holds {len(first.doc_ids)} documents, {other.name} {len(other.doc_ids)}: {advice}"
            )
        for doc, (left, right) in enumerate(zip(first.doc_ids, other.doc_ids, strict=True)):
            if left != right:
                raise InvalidInputError(
                    f"document {doc} is {left!r} in {first.name}, {right!r} in {other.name}: {advice}"
                )


def _same_tables(left: Any, right: Any) -> bool:
    """Tell whether two tables of ids are the same bytes: true is sure, false is not."""
    if left is right:
        return True
    if not (isinstance(left, DocIds) and isinstance(right, DocIds)) or len(left) != len(right):
        return False
    ours, theirs = left.to_arrays(), right.to_arrays()
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[key], theirs[key]) for key in ours)
