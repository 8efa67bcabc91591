"""Logistic regression with a ridge penalty, by Newton's method: small, exact, and without another dependency.

Legend: N rows, F features.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

RIDGE = 1.0
_STEPS = 100
_SMALL = 1e-10


@dataclass(frozen=True)
class Logistic:
    """A fitted model: scores are log-odds.

    Attributes
    ----------
    mean, spread : ndarray of float64, shape [F]
        What columns are standardised with.
    weights : ndarray of float64, shape [F]
        Of the standardised columns.
    intercept : float
    """

    mean: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    intercept: float

    @classmethod
    def fit(cls, features: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_]) -> Self:
        """Fit to labels [N]; constant columns count for nothing, and labels that are all alike give 0 for every row.

        Notes
        -----
        Penalty ``RIDGE / 2 * |w|^2`` on the weights of standardised columns, none on the intercept; iteratively reweighted least
        squares with step halving. Cost of a step: O(N F^2).
        """
        matrix = features.astype(np.float64)
        mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        matrix -= mean
        matrix /= spread
        if positive.all() or not positive.any():
            return cls(mean, spread, np.zeros(len(mean)), 0.0)
        weights, intercept = _logistic(matrix, positive)
        return cls(mean, spread, weights, intercept)

    def scores(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the log-odds of rows, float32 [N]."""
        standard = (features.astype(np.float64) - self.mean) / self.spread
        return (standard @ self.weights + self.intercept).astype(np.float32)


def _logistic(
    matrix: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], float]:
    """Return weights [F] and intercept of the ridge-penalised logistic regression."""
    design = np.column_stack([matrix, np.ones(len(matrix))])
    penalty = np.full(design.shape[1], RIDGE)
    penalty[-1] = 0.0
    sign = np.where(positive, 1.0, -1.0)

    def loss(weights: npt.NDArray[np.float64]) -> float:
        return float(np.logaddexp(0.0, -sign * (design @ weights)).sum() + (penalty * weights**2).sum() / 2)

    weights = np.zeros(design.shape[1])
    weights[-1] = np.log(positive.mean() / (1 - positive.mean()))
    now = loss(weights)
    for _ in range(_STEPS):
        chance = np.exp(-np.logaddexp(0.0, -(design @ weights)))
        gradient = design.T @ (chance - positive) + penalty * weights
        curvature = design.T @ (design * (chance * (1 - chance))[:, np.newaxis]) + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        decrease = float(gradient @ step)  # twice what the quadratic model still promises
        if decrease <= _SMALL * max(1.0, now):
            break
        size = 1.0
        while size > _SMALL and loss(weights - size * step) > now - size * decrease / 4:
            size /= 2
        weights = weights - size * step
        now = loss(weights)
    return weights[:-1], float(weights[-1])
