"""What a fusion is: how the answers of several searchers to one document become one number.

Knows no formula. Legend: S searchers, Q queries, C candidates.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from twotower.registry import choose
from twotower.search.pool import Pool, Shares
from twotower.search.ranking import Docs


class Fusion(ABC):
    """``score = factor * sum of weight * share`` over the searchers; a fusion says what share and factor are.

    Parameters
    ----------
    normalise : str, optional
        One of `normalisations`; the first if None.

    Attributes
    ----------
    normalisations : tuple of str
        How scores may be scaled before they are added; empty for a fusion that does not look at scores.
    normalise : str or None
        None where `normalisations` is empty.

    Raises
    ------
    InvalidInputError
        If the normalisation is not one of the fusion.
    """

    normalisations: ClassVar[tuple[str, ...]]

    def __init__(self, normalise: str | None = None) -> None:
        if normalise is not None:
            choose(dict.fromkeys(self.normalisations), normalise, "normalisation")
        self.normalise = normalise if normalise or not self.normalisations else self.normalisations[0]

    def check(self, searchers: Sequence[Any]) -> None:  # noqa: B027 (most need nothing)
        """Raise `InvalidInputError` if these searchers lack what the fusion needs of them."""

    def default_weight(self, n_searchers: int) -> float:
        """Return the weight of each searcher where none are given: 1, the plain sum."""
        return 1.0

    @abstractmethod
    def shares(self, pool: Pool, docs: Docs) -> Shares:
        """Return what each searcher brings to `docs` [Q, C], before weights: [S, Q, C], finite, 0 at padding."""

    def factor(self, n_lists: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | int:
        """Return the factor, given how many lists of searchers with a weight above 0 hold a document [Q, C]."""
        return 1
