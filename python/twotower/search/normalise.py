"""How scores of one searcher for one query are shifted and scaled, so that scores of several can be added.

Every normalisation is ``(score - shift) / scale`` with one shift and one scale for a searcher and a query, taken over the pool's
candidates; a scale of 0 (the searcher tells no candidate from another) gives every document 0. So a document outside the candidates
has a normalised score too, and a normalisation never changes a searcher's own order.
Legend: S searchers, Q queries, C candidates, U size of the largest union.
"""

from collections.abc import Callable

import numpy as np

from twotower.search.pool import Pool, Shares
from twotower.search.ranking import Docs

ShiftAndScale = tuple[Shares, Shares]
"""Each of shape [S, Q, 1]; the scale is 0 or more."""


def min_max(pool: Pool) -> ShiftAndScale:
    """Let the candidates fill [0, 1]: the least score is the shift, the range the scale."""
    lowest, highest = _range(pool)
    return lowest, highest - lowest


def z_score(pool: Pool) -> ShiftAndScale:
    """Give the candidates mean 0 and (population) standard deviation 1."""
    scores, there = pool.candidate_scores, pool.candidates_that_count
    n = np.maximum(there.sum(axis=1), 1)[np.newaxis, :, np.newaxis]
    mean = _sum(np.where(there, scores, 0.0)) / n
    deviation = np.sqrt(_sum(np.where(there, (scores - mean) ** 2, 0.0)) / n)
    lowest, highest = _range(pool)
    # The deviation of equal numbers is not always 0 in floating point; their range is.
    return mean, np.where(highest > lowest, deviation, 0.0)


def theoretical(pool: Pool) -> ShiftAndScale:
    """Map the least score that the searcher can give at all to 0, and that of its best candidate to 1.

    Notes
    -----
    "TMM" in Bruch, Gai and Ingber 2023, section 4. `Asked.least_scores` says what the least score is.
    """
    least = np.stack([asked.least_scores() for asked in pool.asked])[:, :, np.newaxis]
    _, highest = _range(pool)
    return least, np.maximum(highest - least, 0.0)


def as_they_are(pool: Pool) -> ShiftAndScale:
    """Leave scores alone."""
    shape = (len(pool.asked), len(pool.candidates), 1)
    return np.zeros(shape), np.ones(shape)


NORMALISATIONS: dict[str, Callable[[Pool], ShiftAndScale]] = {
    "minmax": min_max,
    "zscore": z_score,
    "theoretical": theoretical,
    "none": as_they_are,
}


def normalised(pool: Pool, docs: Docs, name: str) -> Shares:
    """Return the scores [S, Q, C] of `docs` [Q, C], computed for every searcher and normalised; 0 at padding."""
    shift, scale = NORMALISATIONS[name](pool)
    scores = pool.candidate_scores if docs is pool.candidates else pool.scores(docs)
    flat = ~(scale > 0)
    return np.where(flat | (docs < 0), 0.0, (scores - np.where(flat, 0.0, shift)) / np.where(flat, 1.0, scale))


def _range(pool: Pool) -> ShiftAndScale:
    """Return the least and the greatest score of the candidates; 0 and 0 where there is none."""
    scores, there = pool.candidate_scores, pool.candidates_that_count
    none = ~np.asarray(there.any(axis=1))[np.newaxis, :, np.newaxis]
    lowest = scores.min(axis=2, keepdims=True, where=there, initial=np.inf)
    highest = scores.max(axis=2, keepdims=True, where=there, initial=-np.inf)
    return np.where(none, 0.0, lowest), np.where(none, 0.0, highest)


def _sum(values: Shares) -> Shares:
    """Return sums over candidates, added one after the other: padding at the end of a row then changes nothing."""
    padded = np.concatenate([np.zeros((*values.shape[:2], 1)), values], axis=2)
    return np.cumsum(padded, axis=2)[:, :, -1:]
