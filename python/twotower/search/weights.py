"""Weights of searchers: which are allowed, and the search for good ones among those that sum to 1.

Knows neither searchers nor measures. Weights under search are whole hundredths, so that each is the float nearest to its decimal.
Legend: S searchers.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from math import comb
from numbers import Real
from typing import Any

from twotower.errors import InputTypeError, InvalidInputError

Point = tuple[int, ...]
"""Weights in hundredths; they sum to 100."""

_STEPS = (5, 10, 20, 25, 50, 100)
_MOST_COARSE = 150
_MOST = 500
_AROUND = 4


def check_weights(weights: Any, n_searchers: int) -> tuple[float, ...]:
    """Return the weights as floats.

    Raises
    ------
    InputTypeError
        If they are not a sequence of numbers.
    InvalidInputError
        If their number is not `n_searchers`, one is negative or not finite, or all are 0.
    """
    if isinstance(weights, str | bytes) or not isinstance(weights, Iterable):
        raise InputTypeError(f"weights is {weights!r}: give one number a searcher")
    given = list(weights)
    for weight in given:
        if not isinstance(weight, Real) or isinstance(weight, bool):
            raise InputTypeError(f"the weight {weight!r} is {type(weight).__name__}: give a number")
        if not (math.isfinite(weight) and float(weight) >= 0):
            raise InvalidInputError(f"the weight {weight} is out of range: give finite numbers, 0 or more")
    if len(given) != n_searchers:
        raise InvalidInputError(f"{len(given)} weights for {n_searchers} searchers: give one each")
    if not any(given):
        raise InvalidInputError("all weights are 0: nothing would be found")
    return tuple(float(weight) for weight in given)


def simplex(n: int, step: int) -> Iterator[Point]:
    """Yield all points of `n` weights that are multiples of `step` hundredths.

    Examples
    --------
    >>> list(simplex(2, 50))
    [(0, 100), (50, 50), (100, 0)]
    """

    def extend(head: Point, left: int) -> Iterator[Point]:
        if len(head) == n - 1:
            yield (*head, left)
            return
        for weight in range(0, left + 1, step):
            yield from extend((*head, weight), left - weight)

    return extend((), 100)


def search_simplex(mean_at: Callable[[Point], float], n: int) -> tuple[Point, dict[Point, float]]:
    """Find the weights of `n` searchers, 2 or more, with the greatest mean.

    Parameters
    ----------
    mean_at : callable
        Asked once for a point.
    n : int

    Returns
    -------
    best : Point
        Among equal means the one nearest to equal weights, then the first in the order of tuples.
    means : dict of Point to float
        Every point tried, at most about 500; each single searcher is among them.

    Notes
    -----
    First a grid over the simplex: the finest of .05, .1, .2, .25, .5, 1 that has at most 150 points. Then for two searchers every
    hundredth within .04 of the best; for more, moves of weight from one to another, of half the grid's step, then ever smaller ones
    down to .01, as long as one of them is better. A mean that has several maxima can keep the best one hidden.
    """
    means: dict[Point, float] = {}

    def best_of(points: Iterable[Point]) -> Point:
        for point in points:
            if point not in means and len(means) < _MOST:
                means[point] = mean_at(point)
        return max(means, key=lambda point: (means[point], -_unevenness(point), tuple(-weight for weight in point)))

    step = next(step for step in _STEPS if comb(100 // step + n - 1, n - 1) <= _MOST_COARSE or step == _STEPS[-1])
    best = best_of(simplex(n, step))
    if n == 2:
        around = range(max(0, best[0] - _AROUND), min(100, best[0] + _AROUND) + 1)
        return best_of((weight, 100 - weight) for weight in around), means
    while step > 1:
        step //= 2
        while (better := best_of(_moves(best, step))) != best:
            best = better
    return best, means


def _moves(point: Point, step: int) -> Iterator[Point]:
    """Yield the points that are `step` from one weight to another away."""
    for giver, weight in enumerate(point):
        for taker in range(len(point)):
            if taker != giver and weight:
                moved = list(point)
                moved[giver] -= min(step, weight)
                moved[taker] += min(step, weight)
                yield tuple(moved)


def _unevenness(point: Point) -> int:
    return sum((len(point) * weight - 100) ** 2 for weight in point)
