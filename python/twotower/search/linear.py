"""Linear fusion: a weighted sum of scores. Legend: S searchers, Q queries, C candidates."""

import numpy as np

from twotower.registry import choose
from twotower.search.pool import Pool, Shares
from twotower.search.ranking import Docs


def _min_max(pool: Pool, docs: Docs, scores: Shares) -> Shares:
    """Map each searcher's scores of a query so that its candidates fill [0, 1]; all 0 where they are equal."""
    there = pool.candidates >= 0
    candidates = scores if docs is pool.candidates else pool.scores(pool.candidates)
    lowest = candidates.min(axis=2, keepdims=True, where=there, initial=np.inf)
    highest = candidates.max(axis=2, keepdims=True, where=there, initial=-np.inf)
    width = highest - lowest
    flat = ~(width > 0)  # also a query without candidates, whose width is -inf
    return np.where(flat, 0.0, (scores - np.where(flat, 0.0, lowest)) / np.where(flat, 1.0, width))


def _as_they_are(pool: Pool, docs: Docs, scores: Shares) -> Shares:
    return scores


NORMALISATIONS = {"minmax": _min_max, "none": _as_they_are}


class Linear:
    """A searcher's share is its score, computed for every candidate, whichever list brought it.

    Parameters
    ----------
    normalise : {"minmax", "none"}
        "minmax" (if None): scores of a query are shifted and scaled so that its candidates fill [0, 1]; documents
        outside may fall outside. A searcher that gives all candidates the same score has the share 0.

    Raises
    ------
    InvalidInputError
        If the normalisation is unknown.

    Notes
    -----
    docs/decisions/fusion.md says why "minmax" is the default and why missing scores are computed.
    """

    def __init__(self, normalise: str | None = None) -> None:
        self.normalise: str = "minmax" if normalise is None else normalise
        self._normalised = choose(NORMALISATIONS, self.normalise, "normalisation")

    def default_weight(self, n_searchers: int) -> float:
        """Return 1 / S: the mean."""
        return 1.0 / n_searchers

    def shares(self, pool: Pool, docs: Docs) -> Shares:
        """Return the normalised scores [S, Q, C] of `docs` [Q, C]."""
        return self._normalised(pool, docs, pool.scores(docs))
