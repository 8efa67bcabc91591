"""Enrolment: what is kept of a subject's first vectors, and how a later one is scored against it.

K vectors of enrolment, N vectors of trials, D dimensions. A score is higher for vectors more alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.registry import choose
from twotower.verification.numbers import as_number, as_numbers

Vectors = npt.NDArray[np.float64]
LEAST = 6


@dataclass(frozen=True)
class Enrolment:
    """What is kept of a subject.

    Attributes
    ----------
    vectors : ndarray of float64, shape [K, D]
    mean : ndarray of float64, shape [D]
    covariance : ndarray of float64, shape [D, D]
        That of the vectors, drawn towards a sphere: see `enrol`.
    """

    vectors: Vectors
    mean: Vectors
    covariance: Vectors

    def scores(self, vectors: npt.ArrayLike, kind: str = "mean_cosine") -> Vectors:
        """Return how much each vector is the subject's, float64 [N].

        Parameters
        ----------
        vectors : array_like of float, shape [N, D]
        kind : str
            A name of `SCORES`. "mean_cosine": cosine to the mean; "cosine_mean": mean of the cosines to all vectors kept;
            "nearest_cosine": the largest of these; "density": log density of the normal distribution with this mean and
            covariance.

        Raises
        ------
        InvalidInputError
            If there is no score of that name, the shapes do not fit, or a value is not finite.
        """
        trials = check_vectors(vectors)
        if trials.shape[1] != len(self.mean):
            raise InvalidInputError(
                f"the trials have {trials.shape[1]} dimensions, the enrolment {len(self.mean)}: take the same encoder"
            )
        return choose(SCORES, kind, "score")(self, trials)


def enrol(vectors: npt.ArrayLike, *, shrinkage: float = 0.5) -> Enrolment:
    """Return what is to be kept of a subject with these first vectors.

    Parameters
    ----------
    vectors : array_like of float, shape [K, D]
        Six or more.
    shrinkage : float
        Share of the covariance that is taken from a sphere of the same trace; above 0, up to 1. Six vectors span five
        dimensions: without it there is no density in more.

    Raises
    ------
    InputTypeError
        If something is no number.
    InvalidInputError
        If there are fewer than six, a value is not finite, all are equal, or `shrinkage` is out of range.

    Notes
    -----
    (1 - s) C + s (tr C / D) I, with C the unbiased covariance. Source: mean and normal density of six stored vectors:
    Bromley et al. 1993; the sphere: Ledoit and Wolf 2004, with a fixed share.
    """
    kept = check_vectors(vectors)
    if len(kept) < LEAST:
        raise InvalidInputError(f"{len(kept)} vectors are too few to enrol a subject: give {LEAST} or more")
    if not 0 < as_number("shrinkage", shrinkage) <= 1:
        raise InvalidInputError(f"shrinkage is {shrinkage!r}: it must be above 0 and at most 1")
    mean = kept.mean(axis=0)
    own = np.atleast_2d(np.cov(kept, rowvar=False))
    sphere = np.trace(own) / len(mean) * np.eye(len(mean))
    if sphere[0, 0] == 0:
        raise InvalidInputError("all vectors are equal: a subject needs different recordings")
    return Enrolment(kept, mean, (1 - shrinkage) * own + shrinkage * sphere)


def cosines(left: Vectors, right: Vectors) -> Vectors:
    """Return the cosines of all pairs of rows, [N, K]; 0 where a row is zero."""
    units = [
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(float).tiny) for rows in (left, right)
    ]
    found: Vectors = units[0] @ units[1].T
    return found


def check_vectors(vectors: npt.ArrayLike) -> Vectors:
    """Return `vectors` as float64 [N, D].

    Raises
    ------
    InputTypeError
        If something is no number.
    InvalidInputError
        If they are no matrix or a value is not finite.
    """
    rows = as_numbers("vectors", vectors)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InvalidInputError(f"vectors have the shape {rows.shape}: give [N, D]")
    if not np.isfinite(rows).all():
        raise InvalidInputError(f"vector {int((~np.isfinite(rows)).any(axis=1).argmax())} is not finite: give numbers")
    return rows


def _mean_cosine(enrolment: Enrolment, trials: Vectors) -> Vectors:
    return cosines(trials, enrolment.mean[None])[:, 0]


def _cosine_mean(enrolment: Enrolment, trials: Vectors) -> Vectors:
    found: Vectors = cosines(trials, enrolment.vectors).mean(axis=1)
    return found


def _nearest_cosine(enrolment: Enrolment, trials: Vectors) -> Vectors:
    found: Vectors = cosines(trials, enrolment.vectors).max(axis=1)
    return found


def _density(enrolment: Enrolment, trials: Vectors) -> Vectors:
    """-1/2 (D log 2 pi + log det C + d' C^-1 d), through the Cholesky factor of C."""
    factor = np.linalg.cholesky(enrolment.covariance)
    whitened = np.linalg.solve(factor, (trials - enrolment.mean).T)
    log_det = 2 * np.log(np.diag(factor)).sum()
    found: Vectors = -0.5 * (len(enrolment.mean) * np.log(2 * np.pi) + log_det + (whitened**2).sum(axis=0))
    return found


SCORES: dict[str, Callable[[Enrolment, Vectors], Vectors]] = {
    "cosine_mean": _cosine_mean,
    "density": _density,
    "mean_cosine": _mean_cosine,
    "nearest_cosine": _nearest_cosine,
}
"""Name to function of an enrolment and trials [N, D]."""
