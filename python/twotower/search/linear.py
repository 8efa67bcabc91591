"""Sums of scores: linear fusion, CombSUM and CombMNZ. Legend: Q queries, C candidates."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from twotower.search.fusion import Fusion
from twotower.search.normalise import normalised
from twotower.search.pool import Pool, Shares
from twotower.search.ranking import Docs


class Linear(Fusion):
    """A searcher's share is its score, computed for every candidate, whichever list brought it, and normalised.

    Parameters
    ----------
    normalise : {"minmax", "zscore", "none"}
        See `twotower.search.normalise`. docs/decisions/fusion.md says why "minmax" is the default.
    """

    normalisations: ClassVar[tuple[str, ...]] = ("minmax", "zscore", "none")

    def default_weight(self, n_searchers: int) -> float:
        """Return 1 / S: the mean."""
        return 1.0 / n_searchers

    def shares(self, pool: Pool, docs: Docs) -> Shares:
        """Return the normalised scores [S, Q, C] of `docs` [Q, C]."""
        assert self.normalise is not None
        return normalised(pool, docs, self.normalise)


class CombSum(Linear):
    """The plain sum of scores: linear fusion with weights of 1 unless others are given.

    Notes
    -----
    Fox and Shaw, "Combination of Multiple Searches", TREC-2 1994, who give a document 0 for each list that lacks it; here its score
    is computed. Scaling by min-max: Lee, "Analyses of Multiple Evidence Combination", SIGIR 1997.
    """

    def default_weight(self, n_searchers: int) -> float:
        """Return 1."""
        return 1.0


class CombMnz(CombSum):
    """CombSUM times the number of lists that hold the document.

    Notes
    -----
    The lists counted are those of `depth` documents of the searchers with a weight above 0; a document in none of them has the score
    0. Sources as of `CombSum`. Only "minmax": the factor is a reward for scores of 0 or more, and a punishment for others.
    """

    normalisations = ("minmax",)

    def factor(self, n_lists: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the number of lists."""
        return n_lists
