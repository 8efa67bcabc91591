"""Average precision."""

from twotower.evaluation.rankings import Rankings, Values, count_within, share


def average_precision(rankings: Rankings, k: int | None, rel: int, denominator: str = "relevant") -> Values:
    """Return the mean of the precisions at the places of relevant documents.

    Parameters
    ----------
    denominator : {"relevant", "retrieved"}
        Divide by all relevant documents of the collection, as trec_eval does, or by the relevant ones in the list alone.
        The second is what the course's example does (.711667 where trec_eval says .395370); it rewards short lists.
    """
    found = rankings.found(k, rel)
    query = rankings.query[found]
    precisions = rankings.sums(query, count_within(query) / rankings.place[found])
    return share(precisions, rankings.n_relevant(rel) if denominator == "relevant" else rankings.n_found(k, rel))
