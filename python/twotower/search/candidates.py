"""Documents to be ranked, and all that fusing them needs, whatever the weights. Knows no searcher and no formula.

Legend: S searchers, Q queries, K results, U candidates a query at most.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from twotower.search.fusion import Fusion
from twotower.search.pool import Pool, Shares
from twotower.search.ranking import Docs, best_with_columns


@dataclass(frozen=True)
class Candidates:
    """Documents of a block of queries, with what each searcher says of them.

    Attributes
    ----------
    docs : ndarray of int64, shape [Q, U]
        -1 is padding.
    shares : ndarray of float64, shape [S, Q, U]
    ranks : ndarray of int64, shape [S, Q, U]
        From 1, in each searcher's list; 0 outside.
    silent : ndarray of bool, shape [S, Q]
        As of `Pool`.
    factor : callable
        Of the fusion.
    """

    docs: Docs
    shares: Shares
    ranks: npt.NDArray[np.int64]
    silent: npt.NDArray[np.bool_]
    factor: Callable[[npt.NDArray[np.int64]], Any]

    @classmethod
    def of(cls, pool: Pool, fusion: Fusion, docs: Docs) -> Self:
        """Ask the searchers about `docs` [Q, U]."""
        return cls(docs, fusion.shares(pool, docs), pool.ranks(docs), pool.silent, fusion.factor)

    def parts(self, weights: Sequence[float]) -> Shares:
        """Return each searcher's part of the scores, float64 [S, Q, U]: factor times weight times share."""
        return np.asarray(self._factor(weights) * np.asarray(weights)[:, np.newaxis, np.newaxis] * self.shares)

    def fused(self, weights: Sequence[float]) -> npt.NDArray[np.float32]:
        """Return the scores [Q, U]: summed over searchers in their order, multiplied, rounded once; -inf at padding."""
        total = np.zeros(self.docs.shape)
        for weight, share in zip(weights, self.shares, strict=True):
            total += weight * share
        scores = (self._factor(weights) * total).astype(np.float32)
        return np.where(self.docs < 0, np.float32(-np.inf), scores)

    def best(self, weights: Sequence[float], k: int) -> tuple[npt.NDArray[np.float32], Docs, npt.NDArray[np.intp]]:
        """Return scores, docs and their columns [Q, K].

        Only documents that a searcher with a weight above 0 lists take part, and no silent list brings any. With a single such
        weight the answer is that searcher's list as it is: where rounding made scores equal that were not, its order decides.
        """
        active = _active(weights)
        if len(active) == 1:
            order = self.ranks[active[0]]
            return best_with_columns(self.fused(weights), np.where(order > 0, self.docs, -1), k, order)
        there = self._holds[active].any(axis=0)
        return best_with_columns(self.fused(weights), np.where(there, self.docs, -1), k, self.docs)

    @property
    def _holds(self) -> npt.NDArray[np.bool_]:
        return (self.ranks > 0) & ~self.silent[:, :, np.newaxis]

    def _factor(self, weights: Sequence[float]) -> Any:
        return self.factor(self._holds[_active(weights)].sum(axis=0))


def _active(weights: Sequence[float]) -> list[int]:
    return [number for number, weight in enumerate(weights) if weight > 0]
