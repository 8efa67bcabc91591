"""Set measures at a cut-off: P@k, R@k, Success@k."""

from twotower.evaluation.ranking import Ranking


def precision(ranking: Ranking, k: int | None, rel: int) -> float:
    """Return the share of relevant documents in the first k places; a list shorter than k counts as if filled up."""
    assert k is not None
    return int((ranking.top(k) >= rel).sum()) / k


def recall(ranking: Ranking, k: int | None, rel: int) -> float:
    """Return the share of the relevant documents that stand in the first k places; 0 if none is relevant."""
    n_relevant = ranking.n_relevant(rel)
    return int((ranking.top(k) >= rel).sum()) / n_relevant if n_relevant else 0.0


def success(ranking: Ranking, k: int | None, rel: int) -> float:
    """Return 1 if a relevant document stands in the first k places, else 0."""
    return float((ranking.top(k) >= rel).any())
