"""Curves over the places of judged documents, as measures of `twotower.evaluation`. Knows which points are drawn."""

from collections.abc import Sequence

from twotower.evaluation import evaluate
from twotower.evaluation.rankings import AnyQrels, AnyRun

LEVELS = 11  # recall 0, .1, ..., 1
JUDGED_AT = 10
_STEPS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


def depths(deepest: int) -> list[int]:
    """Return about ten depths a decade, from 1 to `deepest`, both there.

    Examples
    --------
    >>> depths(14)
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14]
    """
    grid = set(range(1, 10)) | {step * 10**power for power in range(8) for step in _STEPS}
    return sorted({depth for depth in grid if depth < deepest} | {max(deepest, 1)})


def curves(run: AnyRun, qrels: AnyQrels, rel: int, at: Sequence[int]) -> tuple[list[float], list[float], float]:
    """Return mean interpolated precision at recall 0, .1, ..., 1, mean recall at the depths `at`, and Judged@10.

    All are means over all judged queries: a query without relevant documents, or without a list, counts 0.

    Notes
    -----
    A query's interpolated precision at recall r is its best precision at any place where recall is r or more, and 0 where its
    list never reaches r (Manning, Raghavan and Schütze 2008, section 8.4).
    """
    precision = [f"IPrec(rel={rel})@{level / (LEVELS - 1)}" for level in range(LEVELS)]
    recall = [f"R(rel={rel})@{depth}" for depth in at]
    means = evaluate(run, qrels, [*precision, *recall, f"Judged@{JUDGED_AT}"])
    return [means[name] for name in precision], [means[name] for name in recall], means[f"Judged@{JUDGED_AT}"]
