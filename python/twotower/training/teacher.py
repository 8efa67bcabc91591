"""The scores of a teacher, batch by batch.

B queries, M documents of a batch.
"""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from twotower.errors import InputTypeError, InvalidInputError
from twotower.negatives.doc_lists import DocLists, Rows
from twotower.types import Run


class TeacherScores:
    """A run of the teacher, by rows of queries and documents.

    Parameters
    ----------
    lists : DocLists
        The documents that the teacher has scored for each query, ascending.
    scores : ndarray of float32, shape [T]
        One for each document of the lists.
    """

    def __init__(self, lists: DocLists, scores: npt.NDArray[np.float32]) -> None:
        self.lists, self.scores = lists, scores

    @classmethod
    def of(cls, run: Run, query_ids: list[str], doc_ids: list[str]) -> Self:
        """Take over a run: query_id to doc_id to score.

        Raises
        ------
        InputTypeError
            If it is no mapping of mappings.
        InvalidInputError
            If it scores no query of the training, names a document that the corpus lacks, or a score is not finite.
        """
        if not isinstance(run, Mapping) or any(not isinstance(scored, Mapping) for scored in run.values()):
            raise InputTypeError("teacher must be a run: a mapping of query_id to a mapping of doc_id to score")
        rows = {doc_id: row for row, doc_id in enumerate(doc_ids)}
        lists: list[list[int]] = []
        scores: list[float] = []
        for query_id in query_ids:
            scored = run.get(query_id, {})
            for doc_id, score in scored.items():
                if doc_id not in rows or not isinstance(score, Real) or not math.isfinite(score):
                    raise InvalidInputError(
                        f"the teacher gives document {doc_id!r} of query {query_id!r} the score {score!r}: it must be a document "
                        "of the corpus and a finite number"
                    )
            found = sorted((rows[doc_id], score) for doc_id, score in scored.items())
            lists.append([row for row, _ in found])
            scores += [score for _, score in found]
        if not scores:
            raise InvalidInputError("the teacher has scored no query of the split: give the run of its queries")
        return cls(DocLists.of(lists), np.array(scores, np.float32))

    def matrix(self, queries: Rows, documents: Rows) -> torch.Tensor:
        """Return float32 [B, M]: the scores, NaN where there is none."""
        found = np.full((len(queries), len(documents)), np.nan, np.float32)
        for place, query in enumerate(queries.tolist()):
            scored = self.lists[query]
            if len(scored):
                at = np.minimum(np.searchsorted(scored, documents), len(scored) - 1)
                hit = scored[at] == documents
                found[place, hit] = self.scores[self.lists.offsets[query] + at[hit]]
        return torch.from_numpy(found)
