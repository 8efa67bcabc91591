"""What a threshold costs: false acceptances, false rejections, where they are equal. Knows scores alone.

G genuine trials (the subject's own), I impostor trials (somebody else's); a trial is accepted if its score is at least the
threshold.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.verification.numbers import as_number, as_numbers

Array = npt.NDArray[np.float64]


class OperatingPoint(NamedTuple):
    """One threshold and what it gives.

    Attributes
    ----------
    threshold : float
        Scores from here on are accepted.
    false_accepts, genuine_accepts : float
        Share of impostor and of genuine trials accepted.
    """

    threshold: float
    false_accepts: float
    genuine_accepts: float


@dataclass(frozen=True)
class ErrorCurve:
    """Error rates at every threshold that makes a difference.

    Attributes
    ----------
    thresholds : ndarray of float64, shape [S+1]
        The S different scores, rising, then infinity.
    far, frr : ndarray of float64, shape [S+1]
        Share of impostor trials accepted (falling from 1 to 0), of genuine trials rejected (rising from 0 to 1).
    """

    thresholds: Array
    far: Array
    frr: Array

    @property
    def equal_error_rate(self) -> float:
        """Where the straight lines between neighbouring (far, frr) meet far = frr.

        Notes
        -----
        A step of the curve seldom has both rates equal; between two neighbours they are taken to change evenly, as a
        system that draws one of the two thresholds by lot would have it.
        """
        gap = self.far - self.frr
        after = int(np.argmax(gap <= 0))  # there is one: at infinity the gap is -1; and not the first, where it is 1
        before = after - 1
        share = gap[before] / (gap[before] - gap[after])
        return float(self.frr[before] + share * (self.frr[after] - self.frr[before]))

    def at_false_accepts(self, at_most: float) -> OperatingPoint:
        """Return the lowest threshold with no more than this share of impostors accepted; nothing is interpolated.

        Raises
        ------
        InvalidInputError
            If `at_most` is no share.
        """
        place = int(np.argmax(self.far <= _share("at_most", at_most)))
        return self._point(place)

    def at_genuine_accepts(self, at_least: float) -> OperatingPoint:
        """Return the highest threshold with no less than this share of genuine trials accepted.

        Raises
        ------
        InvalidInputError
            If `at_least` is no share.
        """
        kept = np.flatnonzero(self.frr <= 1 - _share("at_least", at_least))
        return self._point(int(kept[-1]))

    def _point(self, place: int) -> OperatingPoint:
        return OperatingPoint(float(self.thresholds[place]), float(self.far[place]), 1 - float(self.frr[place]))


def error_curve(genuine: npt.ArrayLike, impostor: npt.ArrayLike) -> ErrorCurve:
    """Return the error rates of all thresholds.

    Parameters
    ----------
    genuine, impostor : array_like of float, shapes [G] and [I]
        Scores; higher is more alike.

    Raises
    ------
    InputTypeError
        If something is no number.
    InvalidInputError
        If one of them is empty, not one-dimensional, or holds a NaN.

    Notes
    -----
    Cost (G + I) log (G + I).

    Examples
    --------
    >>> curve = error_curve(genuine=[0.9, 0.8, 0.4], impostor=[0.7, 0.3, 0.2])
    >>> round(curve.equal_error_rate, 4)
    0.3333
    >>> curve.at_false_accepts(0)
    OperatingPoint(threshold=0.8, false_accepts=0.0, genuine_accepts=0.6666666666666667)
    """
    own, other = _scores("genuine", genuine), _scores("impostor", impostor)
    thresholds = np.append(np.unique(np.concatenate([own, other])), np.inf)
    rejected_own = np.searchsorted(np.sort(own), thresholds, side="left")
    rejected_other = np.searchsorted(np.sort(other), thresholds, side="left")
    return ErrorCurve(thresholds, 1 - rejected_other / len(other), rejected_own / len(own))


def _scores(name: str, scores: npt.ArrayLike) -> Array:
    values = as_numbers(name, scores)
    if values.ndim != 1 or not len(values):
        raise InvalidInputError(f"{name} has the shape {values.shape}: give the scores of one trial or more, [N]")
    if np.isnan(values).any():
        raise InvalidInputError(f"{name}[{int(np.isnan(values).argmax())}] is NaN: give numbers")
    return values


def _share(name: str, value: float) -> float:
    if not 0 <= as_number(name, value) <= 1:
        raise InvalidInputError(f"{name} is {value!r}: it must be from 0 to 1")
    return value
