"""Finding the weights of searchers on judged queries. Knows measures by name only, and no fusion's formula."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from twotower.errors import InvalidInputError
from twotower.search.candidates import Candidates
from twotower.search.splits import judged_queries
from twotower.search.tuning import TunedOn, Tuning, Weights
from twotower.search.weights import Point, search_simplex
from twotower.types import Collection, Hits, Qrels, Run

if TYPE_CHECKING:
    from twotower.search.hybrid import Hybrid

TUNING_SPLITS = ("train", "training", "valid", "validation", "dev", "development")
"""Names of splits on which weights may be found, alone or before a sign and more: "valid", "dev.small", "train-2"."""

_ALLOWED = re.compile(rf"(?:{'|'.join(TUNING_SPLITS)})(?:[^a-z].*)?", re.IGNORECASE | re.DOTALL)


def tune_together(
    cases: "Sequence[tuple[Hybrid, Collection, str | Sequence[str]]]", measure: str = "nDCG@10"
) -> Tuning:
    """Find and take one set of weights for several hybrids, each on judged queries of its own collection.

    Parameters
    ----------
    cases : sequence of (Hybrid, Collection, split or splits)
        The hybrids have searchers of the same names, and the same fusion. Several splits of a case are one set of queries.
    measure : str
        An ir-measures name. Its mean over a case's queries is averaged over cases, so that each counts the same.

    Returns
    -------
    Tuning
        Also taken by every hybrid, see `Hybrid.take`. It is one more that another collection can take which has no split to tune on.

    Raises
    ------
    InvalidInputError
        If there is no case or hybrids differ; if there are fewer than two searchers; if a split is unknown, has no judgement, or is
        not named as one to tune on (`TUNING_SPLITS`); if the measure is unknown.
    """
    if not cases:
        raise InvalidInputError("nothing to tune on: give at least one hybrid with a collection and a split")
    first = cases[0][0]
    if len(first.names) < 2:
        raise InvalidInputError("one searcher has no weight to tune: give a hybrid of two or more")
    for hybrid, _, _ in cases[1:]:
        _check_alike(hybrid, first)
    judged = [_Judged(*case, measure) for case in cases]
    # Searching in the order of names makes ties, and so the weights, independent of the order of the searchers.
    by_name = sorted(range(len(first.names)), key=first.names.__getitem__)

    def weights_of(point: Point) -> Weights:
        return tuple(weight / 100 for _, weight in sorted(zip(by_name, point, strict=True)))

    def mean_at(point: Point) -> float:
        return float(np.mean([one.mean(weights_of(point)) for one in judged]))

    point, means = search_simplex(mean_at, len(first.names))
    tuning = Tuning(
        tuple(first.names), first.fusion, first.normalise, measure, tuple(one.seen for one in judged),
        weights_of(point), {weights_of(tried): mean for tried, mean in sorted(means.items())},
    )  # fmt: skip
    for hybrid, _, _ in cases:
        hybrid.take(tuning)
    return tuning


class _Judged:
    """One case: what its hybrid says of the judged queries, collected once, and the mean at any weights."""

    def __init__(self, hybrid: "Hybrid", collection: Collection, split: str | Sequence[str], measure: str) -> None:
        from twotower.evaluation.measures import check_order

        splits = (split,) if isinstance(split, str) else tuple(split)
        queries: dict[str, str] = {}
        self.qrels: Qrels = {}
        for name in splits:
            _check_split(name)
            queries |= judged_queries(collection, name)
            self.qrels |= collection.split(name)
        if not queries:
            raise InvalidInputError(f"{splits} of {collection.name} has no judged query: nothing to tune on")
        self.measure, self.query_ids, self.name_of = measure, list(queries), hybrid.doc_ids.__getitem__
        self.k = check_order([measure])[0].k or len(hybrid.names) * hybrid.depth
        self.blocks = list(hybrid.candidates(list(queries.values())))
        self.seen = TunedOn(collection.name, collection.fingerprint(), splits, len(queries))

    def mean(self, weights: Weights) -> float:
        """Return the mean of the measure over the queries."""
        from twotower.evaluation import evaluate

        run: Run = {}
        for block in self.blocks:
            hits = _head(block, weights, self.k, self.name_of)
            run |= hits.to_run(self.query_ids[len(run) : len(run) + len(hits)])
        return next(iter(evaluate(run, self.qrels, [self.measure]).values()))


def _head(block: Candidates, weights: Weights, k: int, name_of: Callable[[int], str]) -> Hits:
    """Return the `k` best and all that tie with the last, so that it is the measure that breaks ties."""
    scores, docs, _ = block.best(weights, block.docs.shape[1])
    if 0 < k < scores.shape[1]:
        width = int((scores >= scores[:, k - 1 : k]).sum(axis=1).max(initial=k))
        tail = scores < scores[:, k - 1 : k]
        docs = np.where(tail, -1, docs)[:, :width]
        scores = scores[:, :width]
    return Hits(scores, docs, name_of)


def _check_split(split: str) -> None:
    if not _ALLOWED.fullmatch(split):
        raise InvalidInputError(
            f"split {split!r} is not one to tune on: weights found on it would be reported on it. Use one whose name begins "
            f"with {', '.join(TUNING_SPLITS)}; if {split!r} is for tuning, give its judgements such a name in qrels"
        )


def _check_alike(hybrid: "Hybrid", first: "Hybrid") -> None:
    ours, theirs = ((one.names, one.fusion, one.normalise) for one in (hybrid, first))
    if ours != theirs:
        raise InvalidInputError(f"hybrids to be tuned together differ: {ours} and {theirs}")
