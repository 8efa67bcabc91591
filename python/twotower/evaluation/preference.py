"""How often a relevant document stands before one that is not: Bpref, Accuracy@k."""

import numpy as np

from twotower.evaluation.rankings import Rankings, Values, count_within, seen_before, share


def binary_preference(rankings: Rankings, *, rel: int = 1) -> Values:
    """Return the mean, over relevant documents, of the share of judged non-relevant ones that stand behind.

    Notes
    -----
    Buckley and Voorhees 2004 as trec_eval counts: of R relevant documents and N judged below `rel` but not below 0, at most R
    non-relevant ones are counted above each, and divided by min(R, N). Documents without a judgement do not exist.
    """
    judged = rankings.grade >= 0
    query, relevant = rankings.query[judged], rankings.grade[judged] >= rel
    n_relevant = rankings.n_relevant(rel)
    bound = np.minimum(n_relevant, rankings.n_nonrelevant(rel))[query][relevant]
    above = np.minimum(seen_before(query, ~relevant), n_relevant[query])[relevant].astype(np.float64)
    return share(rankings.sums(query[relevant], 1 - share(above, bound)), n_relevant)


def accuracy(rankings: Rankings, *, k: int | None = None, rel: int = 1) -> Values:
    """Return the share of pairs of a relevant and another document, both in the first k places, that stand in the right order.

    Unjudged documents count as not relevant. Without a relevant document in these places 0; with relevant ones alone 1.
    """
    found = rankings.found(k, rel)
    query = rankings.query[found]
    wrong = rankings.sums(query, (rankings.place[found] - count_within(query)).astype(np.float64))
    n_found = rankings.n_found(k, rel)
    listed = rankings.n_retrieved if k is None else np.minimum(rankings.n_retrieved, k)
    values: Values = np.where(n_found > 0, 1 - share(wrong, n_found * (listed - n_found)), 0.0)
    return values
