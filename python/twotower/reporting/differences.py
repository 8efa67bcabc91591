"""Where two runs differ, query by query."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

MOST_BARS = 400


@dataclass(frozen=True)
class QueryDifference:
    """One query's value with two runs; `text` is None where there are no texts."""

    query_id: str
    text: str | None
    baseline: float
    value: float

    @property
    def difference(self) -> float:
        """The run's value minus the baseline's."""
        return self.value - self.baseline


@dataclass(frozen=True)
class Differences:
    """A run against the baseline by the first measure.

    Attributes
    ----------
    name : str
        Of the run.
    better, worse, equal : int
        Queries.
    bars : list of float
        Differences, largest first: one a query, or means of neighbours where there are more than 400 queries.
    wins, losses : list of QueryDifference
        The largest ones, largest first.
    """

    name: str
    better: int
    worse: int
    equal: int
    bars: list[float]
    wins: list[QueryDifference]
    losses: list[QueryDifference]


def differences(
    name: str, values: Mapping[str, float], baseline: Mapping[str, float], texts: Mapping[str, str], shown: int
) -> Differences:
    """Compare the values of two runs.

    Parameters
    ----------
    name : str
    values, baseline : mapping of query_id to float
        With the same keys.
    texts : mapping of query_id to str
    shown : int
        Wins and losses to list.
    """
    ordered = sorted(values, key=lambda query_id: baseline[query_id] - values[query_id])
    found = [QueryDifference(q, texts.get(q), baseline[q], values[q]) for q in ordered]
    steps = np.array([one.difference for one in found])
    bars = [float(part.mean()) for part in np.array_split(steps, min(len(steps), MOST_BARS))]
    better, worse = int((steps > 0).sum()), int((steps < 0).sum())
    return Differences(
        name=name,
        better=better,
        worse=worse,
        equal=len(found) - better - worse,
        bars=bars,
        wins=found[: min(shown, better)],
        losses=found[::-1][: min(shown, worse)],
    )
