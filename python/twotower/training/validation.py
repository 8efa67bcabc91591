"""Validation: how high the relevant documents of a split stand when the whole corpus is ranked.

Q queries, N documents, D dimensions.
"""

from dataclasses import dataclass

import numpy as np
import torch

from twotower.errors import TrainingError
from twotower.losses.scores import all_finite
from twotower.towers import TwoTower
from twotower.towers.encoding import encode_terms
from twotower.towers.reader import Terms
from twotower.training.pairs import TrainingSet

DEPTH = 10
SCORES_AT_ONCE = 2**24


@dataclass(frozen=True)
class Validation:
    """The queries of a split and their relevant documents, among all documents of the corpus."""

    queries: Terms
    documents: Terms
    relevant: list[frozenset[int]]

    @classmethod
    def of(cls, valid: TrainingSet) -> "Validation":
        """Take over queries, documents and judgements of a split."""
        return cls(valid.queries, valid.documents, valid.positives)

    def score(self, model: TwoTower) -> float:
        """Return the mean of RR@10: 1 / rank of the best relevant document, 0 beyond rank 10.

        Notes
        -----
        Exact: the rank is 1 plus the number of documents with a higher score, or an equal one and a lower DocId.
        Cost Q N D.

        Raises
        ------
        TrainingError
            If a vector is not finite: comparisons with NaN would rank its document first.
        """
        queries = torch.from_numpy(encode_terms(model, model.query_tower, self.queries))
        documents = torch.from_numpy(encode_terms(model, model.document_tower, self.documents))
        if not (all_finite(queries) and all_finite(documents)):
            raise TrainingError("the model makes vectors that are not finite: take a smaller lr or weight_decay")
        total = 0.0
        at_once = max(1, SCORES_AT_ONCE // len(documents))
        for start in range(0, len(queries), at_once):
            scores = queries[start : start + at_once] @ documents.T
            for row, relevant in zip(scores, self.relevant[start:], strict=False):
                rank = _best_rank(row, sorted(relevant))
                total += 1 / rank if rank <= DEPTH else 0.0
        return total / len(queries)


def _best_rank(scores: torch.Tensor, relevant: list[int]) -> int:
    best = relevant[int(np.argmax(scores[relevant].numpy()))]  # the first among equals has the lowest DocId
    return 1 + int((scores > scores[best]).sum()) + int((scores[:best] == scores[best]).sum())
