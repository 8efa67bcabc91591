"""Average precision."""

import numpy as np

from twotower.evaluation.ranking import Ranking


def average_precision(ranking: Ranking, k: int | None, rel: int, denominator: str = "relevant") -> float:
    """Return the mean of the precisions at the places of relevant documents.

    Parameters
    ----------
    denominator : {"relevant", "retrieved"}
        Divide by all relevant documents of the collection, as trec_eval does, or by the relevant ones in the list alone.
        The second is what the course's example does (.711667 where trec_eval says .395370); it rewards short lists.
    """
    hit = ranking.top(k) >= rel
    n_found = int(hit.sum())
    divisor = ranking.n_relevant(rel) if denominator == "relevant" else n_found
    if not n_found or not divisor:
        return 0.0
    places = np.flatnonzero(hit) + 1
    return float((np.arange(1, n_found + 1) / places).sum() / divisor)
