"""A control that never reads the query: documents ordered by how much they look like training positives.

What a ranker gains over this one, it gained by reading queries. Legend: N documents, F features, Q queries, K results.
"""

from collections.abc import Iterable
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.arguments import DocIds, as_docs, as_vectors, check_doc_ids, check_k
from twotower.search.ranking import best
from twotower.search.searcher import as_texts
from twotower.types import Hit, Hits

RIDGE = 1.0
_STEPS = 100
_SMALL = 1e-10


class QueryBlind:
    """Gives every query the same list. Made by `QueryBlind.fit`.

    Parameters
    ----------
    scores : ndarray of float32, shape [N]
        One a document.
    doc_ids : DocIds
    """

    name = "query-blind"

    def __init__(self, scores: npt.NDArray[np.float32], doc_ids: DocIds) -> None:
        self.scores = scores
        self.doc_ids = doc_ids

    @classmethod
    def fit(cls, features: npt.ArrayLike, positive_docs: Iterable[int], doc_ids: Iterable[str] | None = None) -> Self:
        """Learn to tell training positives from the other documents.

        Parameters
        ----------
        features : array_like of float, shape [N, F]
            One row a document, such as its vector. Columns are standardised; constant ones count for nothing.
        positive_docs : iterable of int
            DocIds of the documents relevant to some training query; repetitions count once. They are scored by the
            model like all others.
        doc_ids : iterable of str, optional
            "0", "1", ... if None.

        Raises
        ------
        InvalidInputError
            If a DocId is out of range; if no document, or every document, is a positive; as `FlatIndex.build`.
        InputTypeError
            If `positive_docs` are not integers; as `FlatIndex.build`.

        Notes
        -----
        Logistic regression with a ridge penalty of ``RIDGE / 2 * |w|^2`` on the standardised features, without one on
        the intercept, by Newton's method (iteratively reweighted least squares) with step halving. Classes are not
        balanced: the score is the log-odds, and class weights would mostly move its intercept, which changes no order.
        Cost of a step: O(N F^2).
        """
        matrix = as_vectors(features, name="features").astype(np.float64)
        ids = check_doc_ids(doc_ids, len(matrix))
        positive = _labels(positive_docs, len(matrix))
        spread = matrix.std(axis=0)
        matrix -= matrix.mean(axis=0)
        matrix /= np.where(spread > 0, spread, 1.0)
        weights, intercept = _logistic(matrix, positive)
        return cls((matrix @ weights + intercept).astype(np.float32), ids)

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        return f"QueryBlind({len(self)} documents)"

    @overload  # a str is an iterable of str too: the order of the overloads decides
    def search(self, texts: str, k: int = 10) -> list[Hit]: ...  # type: ignore[overload-overlap]
    @overload
    def search(self, texts: Iterable[str], k: int = 10) -> Hits: ...
    def search(self, texts: str | Iterable[str], k: int = 10) -> list[Hit] | Hits:
        """Return the same `k` documents for each text; for a single str a list of Hit."""
        batch, single = as_texts(texts)
        k = check_k(k, len(batch), len(self))
        scores, docs = best(self.scores[np.newaxis], np.arange(len(self))[np.newaxis], k)
        hits = Hits(scores.repeat(len(batch), axis=0), docs.repeat(len(batch), axis=0), self.doc_ids.__getitem__)
        return hits[0] if single else hits

    def score(self, texts: Iterable[str], docs: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the scores, float32 [Q, C], of the DocIds `docs` [Q, C]; -inf where the DocId is -1."""
        wanted = as_docs(docs, len(as_texts(texts)[0]), len(self))
        return np.where(wanted < 0, np.float32(-np.inf), self.scores[wanted])


def _labels(positive_docs: Any, n_docs: int) -> npt.NDArray[np.bool_]:
    docs = np.array(list(positive_docs))
    if len(docs) == 0:
        raise InvalidInputError("positive_docs is empty: give at least one DocId")
    if docs.ndim != 1 or docs.dtype.kind not in "iu":
        raise InputTypeError(f"positive_docs hold {docs.dtype}: give DocIds, which are integers")
    wrong = docs[(docs < 0) | (docs >= n_docs)]
    if len(wrong):
        raise InvalidInputError(f"positive_docs holds {wrong[0]}: there are {n_docs} documents, numbered from 0")
    positive = np.zeros(n_docs, bool)
    positive[docs] = True
    if positive.all():
        raise InvalidInputError(f"all {n_docs} documents are positives: there is nothing to tell them from")
    return positive


def _logistic(
    matrix: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], float]:
    """Return weights [F] and intercept of the ridge-penalised logistic regression."""
    design = np.column_stack([matrix, np.ones(len(matrix))])
    penalty = np.full(design.shape[1], RIDGE)
    penalty[-1] = 0.0
    sign = np.where(positive, 1.0, -1.0)

    def loss(weights: npt.NDArray[np.float64]) -> float:
        return float(np.logaddexp(0.0, -sign * (design @ weights)).sum() + (penalty * weights**2).sum() / 2)

    weights = np.zeros(design.shape[1])
    weights[-1] = np.log(positive.mean() / (1 - positive.mean()))
    now = loss(weights)
    for _ in range(_STEPS):
        chance = np.exp(-np.logaddexp(0.0, -(design @ weights)))
        gradient = design.T @ (chance - positive) + penalty * weights
        curvature = design.T @ (design * (chance * (1 - chance))[:, np.newaxis]) + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        decrease = float(gradient @ step)  # twice what the quadratic model still promises
        if decrease <= _SMALL * max(1.0, now):
            break
        size = 1.0
        while size > _SMALL and loss(weights - size * step) > now - size * decrease / 4:
            size /= 2
        weights = weights - size * step
        now = loss(weights)
    return weights[:-1], float(weights[-1])
