"""Reciprocal rank."""

from twotower.evaluation.ranking import Ranking


def reciprocal_rank(ranking: Ranking, k: int | None, rel: int) -> float:
    """Return 1 / the place of the first relevant document among the first k; 0 if there is none."""
    places = (ranking.top(k) >= rel).nonzero()[0]
    return 1.0 / (int(places[0]) + 1) if len(places) else 0.0
