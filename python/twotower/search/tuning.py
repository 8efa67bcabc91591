"""Finding the weights of searchers on judged queries, and remembering on which. Knows no fusion's formula.

Legend: S searchers, Q queries.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from twotower.errors import InvalidInputError
from twotower.search.candidates import Candidates
from twotower.search.splits import judged_queries
from twotower.search.weights import Point, search_simplex
from twotower.types import Collection, Hits, Qrels, Run

if TYPE_CHECKING:
    from twotower.search.hybrid import Hybrid

TUNING_SPLITS = ("train", "training", "valid", "validation", "dev", "development")
"""Names of splits on which weights may be found, alone or before a sign and more: "valid", "dev.small", "train-2"."""

_ALLOWED = re.compile(rf"(?:{'|'.join(TUNING_SPLITS)})(?:[^a-z].*)?", re.IGNORECASE | re.DOTALL)
Weights = tuple[float, ...]


@dataclass(frozen=True)
class TunedOn:
    """A part of the judgements that weights have seen: collection, its content's SHA-256, splits, judged queries."""

    collection: str
    fingerprint: str
    splits: tuple[str, ...]
    n_queries: int


@dataclass(frozen=True)
class Tuning:
    """How weights were found.

    Attributes
    ----------
    searchers : tuple of str
        Names, in the order of the weights.
    fusion : str
    normalise : str or None
    measure : str
    seen : tuple of TunedOn
    weights : tuple of float
        Those with the best mean; they sum to 1. Among equals the nearest to equal weights.
    means : dict of tuple of float to float
        Mean of the measure by weights, for all that were tried: over the queries of a collection, then over collections, each of
        which counts the same. With a single weight of 1 it is the mean of that searcher.
    """

    searchers: tuple[str, ...]
    fusion: str
    normalise: str | None
    measure: str
    seen: tuple[TunedOn, ...]
    weights: Weights
    means: dict[Weights, float]

    @property
    def best(self) -> float:
        """The mean of the measure at `weights`."""
        return self.means[self.weights]

    @property
    def n_queries(self) -> int:
        """Judged queries of all collections."""
        return sum(seen.n_queries for seen in self.seen)

    @property
    def weight(self) -> float:
        """The weight of the last searcher; of two, the first has the rest."""
        return self.weights[-1]

    @property
    def sensitivity(self) -> dict[float, float]:
        """What the weight of the last searcher matters: `profile` of it."""
        return self.profile(self.searchers[-1])

    def profile(self, searcher: str) -> dict[float, float]:
        """Return the mean by the weight of one searcher, ascending; with three or more searchers the best over the others' weights.

        Raises
        ------
        InvalidInputError
            If there is no searcher of that name.
        """
        if searcher not in self.searchers:
            raise InvalidInputError(f"no searcher is named {searcher!r}: choose one of {', '.join(self.searchers)}")
        place = self.searchers.index(searcher)
        profile: dict[float, float] = {}
        for weights, mean in self.means.items():
            profile[weights[place]] = max(mean, profile.get(weights[place], mean))
        return dict(sorted(profile.items()))

    def saw(self, collection: Collection, split: str) -> bool:
        """Tell whether the weights were found on this split of this collection."""
        digests = {seen.fingerprint for seen in self.seen if split in seen.splits}
        return bool(digests) and collection.fingerprint() in digests

    def to_markdown(self) -> str:
        """Return what was found, and a table of means by weight."""
        from twotower.search.sensitivity import to_markdown

        return to_markdown(self)

    def plot(self) -> str:
        """Return an SVG of the mean by the weight of each searcher; the same text for the same tuning.

        Raises
        ------
        ImportError
            Without matplotlib, which ``pip install "twotower[report]"`` brings.
        """
        from twotower.search.sensitivity import to_svg

        return to_svg(self)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values; the means are a list of [weights, mean]."""
        means = [[list(weights), mean] for weights, mean in self.means.items()]
        return {**asdict(self), "means": means}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make the report that `to_dict` described.

        Raises
        ------
        InvalidInputError
            If the values are malformed.
        """
        try:
            means = {tuple(float(w) for w in weights): float(mean) for weights, mean in values["means"]}
            seen = tuple(TunedOn(**{**one, "splits": tuple(one["splits"])}) for one in values["seen"])
            lists = {name: tuple(values[name]) for name in ("searchers", "weights")}
            tuning = cls(**{**values, **lists, "means": means, "seen": seen})
        except (TypeError, ValueError, KeyError) as error:
            raise InvalidInputError(f"the tuning report is malformed ({error})") from error
        if not tuning._is_sound():
            raise InvalidInputError(f"the tuning report is malformed: {values!r:.200}")
        return tuning

    def _is_sound(self) -> bool:
        texts = [*self.searchers, self.fusion, self.measure]
        texts += [text for one in self.seen for text in (one.collection, one.fingerprint, *one.splits)]
        return (
            all(isinstance(text, str) for text in texts)
            and isinstance(self.normalise, str | None)
            and all(isinstance(one.n_queries, int) for one in self.seen)
            and self.weights in self.means
            and all(len(weights) == len(self.searchers) for weights in self.means)
        )


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
        from twotower.evaluation import parse_measure

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
        self.k = parse_measure(measure).k or len(hybrid.names) * hybrid.depth
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
