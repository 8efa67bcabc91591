"""Finding the weight of two searchers on judged queries. Knows measures by name only, and no fusion's formula."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from twotower.errors import InvalidInputError
from twotower.search.splits import judged_queries
from twotower.types import Collection, Hits, Run

if TYPE_CHECKING:
    from twotower.search.hybrid import Candidates, Hybrid

_GRID = range(0, 101, 5)  # in hundredths, so that weights are the nearest floats to their decimals
_AROUND = 4


@dataclass(frozen=True)
class Tuning:
    """How a weight was found.

    Attributes
    ----------
    split, measure : str
    n_queries : int
        Judged queries of the split.
    weight : float
        Of the second searcher, 0 to 1, with the best mean; among equals the one nearest to 1/2. The first has the rest.
    sensitivity : dict of float to float
        Mean of the measure by weight, ascending: at 0 and 1 those of the single searchers.
    """

    split: str
    measure: str
    n_queries: int
    weight: float
    sensitivity: dict[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values; the sensitivity is a list of [weight, mean]."""
        return {**asdict(self), "sensitivity": [list(pair) for pair in self.sensitivity.items()]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make the report that `to_dict` described.

        Raises
        ------
        InvalidInputError
            If the values are malformed.
        """
        try:
            pairs = {float(weight): float(mean) for weight, mean in values["sensitivity"]}
            tuning = cls(**{**values, "sensitivity": pairs})
        except (TypeError, ValueError, KeyError) as error:
            raise InvalidInputError(f"the tuning report is malformed ({error})") from error
        texts = all(isinstance(text, str) for text in (tuning.split, tuning.measure))
        if not texts or tuning.weight not in pairs or not isinstance(tuning.n_queries, int):
            raise InvalidInputError(f"the tuning report is malformed: {values!r:.200}")
        return tuning


def sweep(hybrid: "Hybrid", collection: Collection, split: str, measure: str) -> Tuning:
    """Measure the hybrid at each weight; its own weights are neither used nor changed.

    Raises
    ------
    InvalidInputError
        If the split or measure is unknown, or the split has no judgements.
    """
    from twotower.evaluation import evaluate

    queries, qrels = judged_queries(collection, split), collection.split(split)
    if not queries:
        raise InvalidInputError(f"split {split!r} of {collection.name} has no judged query: nothing to tune on")
    blocks = list(hybrid.candidates(list(queries.values())))
    k = _places(measure, 2 * hybrid.depth)
    means: dict[int, float] = {}

    def measure_at(hundredths: range) -> int:
        for step in hundredths:
            if step not in means:
                run = _run(blocks, (1 - step / 100, step / 100), k, hybrid, list(queries))
                means[step] = evaluate(run, qrels, [measure])[measure]
        return max(means, key=lambda step: (means[step], -abs(step - 50), -step))

    coarse = measure_at(_GRID)
    best = measure_at(range(max(0, coarse - _AROUND), min(100, coarse + _AROUND) + 1))
    return Tuning(split, measure, len(queries), best / 100, {step / 100: means[step] for step in sorted(means)})


def _places(measure: str, most: int) -> int:
    """Return how many places of a list the measure can see: 10 for "nDCG@10", `most` where it names none."""
    cutoff = measure.rpartition("@")[2]
    return min(int(cutoff), most) if "@" in measure and cutoff.isdecimal() else most


def _run(
    blocks: "list[Candidates]", weights: tuple[float, float], k: int, hybrid: "Hybrid", query_ids: list[str]
) -> Run:
    """Return the run of the `k` best and all that tie with the last, so that it is the measure that breaks ties."""
    run: Run = {}
    for block in blocks:
        scores, docs = block.best(weights, block.docs.shape[1])
        if 0 < k < scores.shape[1]:
            width = int((scores >= scores[:, k - 1 : k]).sum(axis=1).max(initial=k))
            tail = scores < scores[:, k - 1 : k]
            docs = np.where(tail, -1, docs)[:, :width]
            scores = scores[:, :width]
        hits = Hits(scores, docs, hybrid.doc_ids.__getitem__)
        run |= hits.to_run(query_ids[len(run) : len(run) + len(docs)])
    return run
