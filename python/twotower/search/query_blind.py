"""A control that never reads the query: documents ordered by how much they look like training positives.

What a ranker gains over this one, it gained by reading queries. Legend: N documents, F features, Q queries, K results.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.arguments import as_docs, as_vectors, check_integer, check_k
from twotower.index.doc_ids import DocIds, check_doc_ids
from twotower.search.logistic import Logistic
from twotower.search.ranking import best
from twotower.search.searcher import as_texts
from twotower.types import Hit, Hits

FOLDS = 5


class QueryBlind:
    """Gives every query the same list. Made by `QueryBlind.fit`, or by `QueryBlind.fit_asked`, which is stronger.

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
        `twotower.search.logistic.Logistic`. Classes are not balanced: the score is the log-odds, and class weights would mostly
        move its intercept, which changes no order. Cost of a step: O(N F^2).
        """
        matrix = as_vectors(features, name="features")
        ids = check_doc_ids(doc_ids, len(matrix))
        positive = _labels(positive_docs, len(matrix))
        if positive.all():
            raise InvalidInputError(f"all {len(positive)} documents are positives: there is nothing to tell them from")
        return cls(Logistic.fit(matrix, positive).scores(matrix), ids)

    @classmethod
    def fit_asked(
        cls,
        features: npt.ArrayLike,
        asked: Sequence[Iterable[int]],
        doc_ids: Iterable[str] | None = None,
        folds: int = FOLDS,
        seed: int = 0,
        avoid: bool = True,
    ) -> Self:
        """Learn from which documents each training query wanted: from their looks, and from how often they were wanted.

        Parameters
        ----------
        features : array_like of float, shape [N, F]
        asked : sequence of iterable of int
            For each training query the DocIds of its relevant documents.
        doc_ids : iterable of str, optional
            "0", "1", ... if None.
        folds : int
            Parts of the cross-fitting, 2 to the number of queries.
        seed : int
            Of the parts.
        avoid : bool
            Whether having been wanted may speak against a document. Set it to False where the queries that will be asked come
            from the same set: if each has a document of its own, the documents that nobody else wanted are the answers.

        Raises
        ------
        InvalidInputError, InputTypeError
            As `fit`; also for fewer queries with a relevant document than `folds`.

        Notes
        -----
        Cross-fitted twice. Looks: each document is scored by a model that never saw its own label, so that a training
        positive is not found by memory. Being wanted: for each part of the queries, a second model learns from the looks and
        from the wishes of the other parts which documents this part wants. So the data say whether documents that were wanted
        are wanted again (a collection with popular documents) or not any more (one query a document); `fit` cannot know.
        """
        matrix = as_vectors(features, name="features")
        ids = check_doc_ids(doc_ids, len(matrix))
        wishes = [set(docs) for docs in asked]
        wishes = [docs for docs in wishes if docs]
        folds = check_integer(folds, "folds", 2, max(2, len(wishes)))
        if len(wishes) < folds:
            raise InvalidInputError(
                f"{len(wishes)} queries with a relevant document for {folds} folds: give more queries"
            )
        rng = np.random.default_rng(check_integer(seed, "seed", 0, 2**63 - 1))
        looks = _cross_fitted(matrix, _labels(set().union(*wishes), len(matrix)), folds, rng)
        fold = rng.permutation(len(wishes)) % folds
        counts = np.zeros((folds, len(matrix)))
        for docs, part in zip(wishes, fold.tolist(), strict=True):
            counts[part, list(docs)] += 1
        total = counts.sum(axis=0)
        rows = np.concatenate([_wanted(looks, (total - own) * folds / (folds - 1)) for own in counts])
        model = Logistic.fit(rows, (counts > 0).ravel())
        often, seldom = model.scores(_wanted(np.zeros((2,), np.float32), np.array([1.0, 0.0])))
        if often < seldom and not avoid:
            return cls(looks, ids)
        return cls(model.scores(_wanted(looks, total)), ids)

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
    return positive


def _cross_fitted(
    matrix: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_], folds: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return for each document the score of a model that was fitted without it."""
    fold = np.empty(len(positive), np.int64)
    for side in (positive, ~positive):  # each fold has its part of both
        fold[side] = rng.permutation(int(side.sum())) % folds
    scores = np.zeros(len(positive), np.float32)
    for part in range(folds):
        rest = fold != part
        scores[~rest] = Logistic.fit(matrix[rest], positive[rest]).scores(matrix[~rest])
    return scores


def _wanted(looks: npt.NDArray[np.float32], counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.column_stack([looks, counts > 0, np.log1p(counts)]).astype(np.float32)
