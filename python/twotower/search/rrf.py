"""Reciprocal rank fusion. Legend: S searchers, Q queries, C candidates."""

import numpy as np

from twotower.errors import InvalidInputError
from twotower.search.fusion import Fusion
from twotower.search.pool import Pool, Shares
from twotower.search.ranking import Docs

RANK_CONSTANT = 60
"""The constant of the paper, which found results insensitive to it."""


class ReciprocalRank(Fusion):
    """A searcher's share is ``1 / (60 + rank)``, 0 for a document outside its list.

    Parameters
    ----------
    normalise : None
        Ranks need no normalisation.

    Raises
    ------
    InvalidInputError
        If a normalisation is asked for.

    Notes
    -----
    Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods",
    SIGIR 2009. Needs no labels and no common scale, and forgets how far apart two scores are.
    """

    normalisations = ()

    def __init__(self, normalise: str | None = None) -> None:
        if normalise is not None:
            raise InvalidInputError(f"normalise is {normalise!r}, but rrf fuses ranks: leave it out, or use 'linear'")
        super().__init__()

    def shares(self, pool: Pool, docs: Docs) -> Shares:
        """Return the reciprocal ranks [S, Q, C] of `docs` [Q, C]."""
        ranks = pool.ranks(docs)
        return np.where((ranks > 0) & ~pool.silent[:, :, np.newaxis], 1.0 / (RANK_CONSTANT + ranks), 0.0)
