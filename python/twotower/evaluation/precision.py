"""Set measures at a cut-off: P@k, R@k, Success@k."""

from twotower.evaluation.rankings import Rankings, Values, share


def precision(rankings: Rankings, k: int, rel: int) -> Values:
    """Return the share of relevant documents in the first k places; a list shorter than k counts as if filled up."""
    return rankings.n_found(k, rel) / k


def recall(rankings: Rankings, k: int, rel: int) -> Values:
    """Return the share of the relevant documents that stand in the first k places; 0 if none is relevant."""
    return share(rankings.n_found(k, rel), rankings.n_relevant(rel))


def success(rankings: Rankings, k: int, rel: int) -> Values:
    """Return 1 if a relevant document stands in the first k places, else 0."""
    return (rankings.n_found(k, rel) > 0).astype(float)
