"""The whole list as a set, whatever its order: SetP, SetR, SetF, SetAP."""

import numpy as np

from twotower.evaluation.rankings import Rankings, Values, share


def set_precision(rankings: Rankings, *, rel: int = 1, relative: bool = False, judged_only: bool = False) -> Values:
    """Return the share of relevant documents in the list; `relative`: over the best that a list of its length can have."""
    rankings = rankings.considering(judged_only)
    listed = rankings.n_retrieved.astype(np.float64)
    best = np.minimum(listed, rankings.n_relevant(rel)) if relative else listed
    return share(rankings.n_found(None, rel), best)


def set_recall(rankings: Rankings, *, rel: int = 1) -> Values:
    """Return the share of the relevant documents that the list has."""
    return share(rankings.n_found(None, rel), rankings.n_relevant(rel))


def set_f(rankings: Rankings, *, rel: int = 1, beta: float = 1.0, judged_only: bool = False) -> Values:
    """Return (beta + 1) P R / (R + beta P) of the set's precision and recall.

    Notes
    -----
    trec_eval's form: its parameter, which ir-measures calls beta, is the square of van Rijsbergen's beta.
    """
    p, r = set_precision(rankings, rel=rel, judged_only=judged_only), set_recall(rankings, rel=rel)
    return share((beta + 1) * p * r, r + beta * p)


def set_average_precision(rankings: Rankings, *, rel: int = 1, judged_only: bool = False) -> Values:
    """Return the product of the set's precision and recall."""
    return set_precision(rankings, rel=rel, judged_only=judged_only) * set_recall(rankings, rel=rel)
