"""Directions in which vectors vary most, gathered in the first dimensions of their codes: where a batch multiplies those alone.

Decides only how fast a search is: whatever comes from here, answers are exact (docs/math.md, section 3).
Legend: N documents, D dimensions, S sampled documents, P sampled queries, R reflections.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Prefix", "choose_prefix", "turned_to_prefix", "whole"]

_DIMS = (64, 2048)  # fewer gain nothing; more take minutes, and the core allows no more
_LEAST_DOCS = 8192
_SAMPLE_DOCS, _SAMPLE_QUERIES = 16_384, 64
_SAMPLE_K = 10
_STEP = 16
_ROUNDING = 0.015  # of the norms of query and row: what 8 bits leave open
_DIMS_OF_COMPLETION = 4096  # scan_panels.cpp
_WORTH = 0.85  # of all dimensions, above which the prefix is not worth its reflections


class Prefix(NamedTuple):
    """How a rotation begins.

    Attributes
    ----------
    size : int
        Dimensions of the prefix: D where there is no tail.
    reflections : float32 [R, D]
        Applied in turn.
    """

    size: int
    reflections: npt.NDArray[np.float32]


def whole(dim: int) -> Prefix:
    """Return the prefix of everything, which reflects nothing."""
    return Prefix(dim, np.zeros((0, dim), np.float32))


def turned_to_prefix(directions: npt.NDArray[np.float64], size: int) -> Prefix:
    """Return reflections that turn the span of the first `size` columns into the first `size` dimensions.

    Parameters
    ----------
    directions : float64 [D, D]
        Orthonormal columns.
    size : int
        A multiple of 8 below D.

    Notes
    -----
    Householder's QR decomposition (Golub and Van Loan, *Matrix Computations*, 4th ed., section 5.2) of the fewer columns:
    of the first ones, or of the others turned to the last dimensions.
    """
    dim = len(directions)
    if size <= dim - size:
        raw = np.linalg.qr(directions[:, :size], mode="raw")[0]
        return Prefix(size, _unit_lower(raw))
    raw = np.linalg.qr(directions[::-1, size:], mode="raw")[0]
    return Prefix(size, np.ascontiguousarray(_unit_lower(raw)[:, ::-1]))


def _unit_lower(raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Reflections [R, D] from LAPACK's packed form: a leading one, and zeros before it."""
    reflections = np.triu(raw, 1)
    np.fill_diagonal(reflections, 1.0)
    return reflections.astype(np.float32)


def choose_prefix(vectors: npt.NDArray[np.float32], mean: npt.NDArray[np.float32]) -> Prefix:
    """Return the prefix by which batches should cost least, as a sample of rows that ask each other says.

    Parameters
    ----------
    vectors : float32 [N, D]
    mean : float32 [D]
        What is subtracted before the rotation.
    """
    n, dim = vectors.shape
    if n < _LEAST_DOCS or not _DIMS[0] <= dim <= _DIMS[1]:
        return whole(dim)
    rows = vectors[:: max(1, n // _SAMPLE_DOCS)][:_SAMPLE_DOCS]
    with np.errstate(over="ignore", invalid="ignore"):
        centred = rows - mean
        gram = (centred.T @ centred).astype(np.float64)
    if not np.isfinite(gram).all() or gram.trace() == 0.0:
        return whole(dim)
    directions = np.linalg.eigh(gram)[1][:, ::-1]
    axes = directions.astype(np.float32)
    chosen = np.arange(_SAMPLE_QUERIES) * (len(rows) // _SAMPLE_QUERIES)
    size = _cheapest(centred @ axes, rows[chosen] @ axes, chosen)
    return turned_to_prefix(directions, size) if size < _WORTH * dim else whole(dim)


def _cheapest(rows: npt.NDArray[np.float32], queries: npt.NDArray[np.float32], own: npt.NDArray[np.int64]) -> int:
    """Return the size with the fewest products, those of rows that are completed included.

    Parameters
    ----------
    rows : float32 [S, D]
    queries : float32 [P, D]
    own : int64 [P]
        The row that each query is, which is no answer to it.
    """
    dim = rows.shape[1]
    scores = queries @ rows.T
    scores[np.arange(len(own)), own] = -np.inf
    kth = np.partition(scores, -_SAMPLE_K, axis=1)[:, -_SAMPLE_K, None]
    tails = [np.sqrt(np.cumsum(part[:, ::-1] ** 2, axis=1))[:, ::-1] for part in (queries, rows)]
    slack = kth - _ROUNDING * np.outer(tails[0][:, 0], tails[1][:, 0])
    part = np.zeros_like(scores)
    best, least = dim, float(dim)
    for size in range(_STEP, dim, _STEP):
        part += queries[:, size - _STEP : size] @ rows[:, size - _STEP : size].T
        left = (part + np.outer(tails[0][:, size], tails[1][:, size]) >= slack).mean()
        cost = size + _DIMS_OF_COMPLETION * float(left)
        if cost < least:
            best, least = size, cost
    return best
