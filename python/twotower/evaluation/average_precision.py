"""Average precision, and its estimate where the pool was judged in part: AP, infAP."""

import numpy as np

from twotower.evaluation.rankings import Rankings, Values, count_within, seen_before, share

_EPSILON = 0.00001  # trec_eval's INFAP_EPSILON


def average_precision(
    rankings: Rankings, *, k: int | None = None, rel: int = 1, judged_only: bool = False, denominator: str = "relevant"
) -> Values:
    """Return the mean of the precisions at the places of relevant documents.

    Parameters
    ----------
    denominator : {"relevant", "retrieved"}
        Divide by all relevant documents of the collection, as trec_eval does, or by the relevant ones in the list alone.
        The second is what the course's example does (.711667 where trec_eval says .395370); it rewards short lists.
    """
    rankings = rankings.considering(judged_only)
    found = rankings.found(k, rel)
    query = rankings.query[found]
    precisions = rankings.sums(query, count_within(query) / rankings.place[found])
    return share(precisions, rankings.n_relevant(rel) if denominator == "relevant" else rankings.n_found(k, rel))


def inferred_average_precision(rankings: Rankings, *, rel: int = 1) -> Values:
    """Return AP as it would be expected if the judged documents are a random part of the pool.

    Notes
    -----
    Yilmaz and Aslam 2006, with trec_eval's smoothing. A grade below 0 means: in the pool, not judged; a document
    without a grade is taken as not relevant.
    """
    relevant = rankings.grade >= rel
    pooled_above = count_within(rankings.query)[relevant] - 1
    relevant_above = seen_before(rankings.query, relevant)[relevant]
    judged_above = seen_before(rankings.query, rankings.grade >= 0)[relevant]
    place = rankings.place[relevant]
    precision = (relevant_above + _EPSILON) / (judged_above + 2 * _EPSILON)
    expected = np.where(place == 1, 1.0, (1 + pooled_above * precision) / place)
    return share(rankings.sums(rankings.query[relevant], expected), rankings.n_relevant(rel))
