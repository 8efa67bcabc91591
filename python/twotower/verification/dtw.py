"""Dynamic time warping: how far two recordings are apart when each may be stretched. Needs no training: the baseline.

Q and M recordings, L frames of one, C channels of a frame.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twotower.errors import InvalidInputError
from twotower.verification.numbers import as_list, as_numbers

Frames = npt.NDArray[np.float64]


def dtw_distances(queries: Sequence[npt.ArrayLike], templates: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float64]:
    """Return the distances of all pairs, float64 [Q, M].

    Parameters
    ----------
    queries, templates : sequences of array_like, shape [L, C] each

    Raises
    ------
    InputTypeError
        If an argument is no list of recordings, or one holds something else than numbers.
    InvalidInputError
        If a recording is empty, no matrix, not finite, or has other channels than the first.

    Notes
    -----
    The least sum of Euclidean distances of frames along a path from both first to both last frames, where a step goes on
    by one frame in either recording or in both, and a step in both counts twice; divided by the frames of both, which is
    how often any path counts. Source: Sakoe and Chiba 1978, symmetric form without slope constraint. Cost Q M L^2 C; pairs
    are swept side by side.
    """
    left, right = (_check(name, recordings) for name, recordings in (("queries", queries), ("templates", templates)))
    if not left or not right:
        return np.zeros((len(left), len(right)))
    if len({recording.shape[1] for recording in [*left, *right]}) > 1:
        raise InvalidInputError("recordings have different numbers of channels: give frames of one kind")
    padded = _padded(right)
    ends = np.array([len(recording) for recording in right])
    return np.stack([_to_all(query, padded, ends) for query in left])


def _to_all(query: Frames, templates: Frames, ends: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the distances of one query to templates [M, L, C] of which `ends` frames count."""
    local = np.sqrt(((templates[:, None] - query[None, :, None]) ** 2).sum(axis=3))  # [M, query's frames, L]
    before = np.full((len(templates), local.shape[2]), np.inf)
    for row in range(len(query)):
        now = np.empty_like(before)
        for column in range(local.shape[2]):
            cost = local[:, row, column]
            if row == column == 0:
                now[:, 0] = 2 * cost
                continue
            best = before[:, column] + cost
            if column:
                best = np.minimum(best, now[:, column - 1] + cost)
                best = np.minimum(best, before[:, column - 1] + 2 * cost)
            now[:, column] = best
        before = now
    found: npt.NDArray[np.float64] = before[np.arange(len(ends)), ends - 1] / (len(query) + ends)
    return found


def _padded(recordings: list[Frames]) -> Frames:
    longest = max(len(recording) for recording in recordings)
    padded = np.zeros((len(recordings), longest, recordings[0].shape[1]))
    for place, recording in enumerate(recordings):
        padded[place, : len(recording)] = recording  # a path never comes back from behind a template's end
    return padded


def _check(name: str, recordings: Sequence[npt.ArrayLike]) -> list[Frames]:
    checked = [as_numbers(f"{name}[{place}]", recording) for place, recording in enumerate(as_list(name, recordings))]
    for place, recording in enumerate(checked):
        if recording.ndim != 2 or 0 in recording.shape or not np.isfinite(recording).all():
            raise InvalidInputError(
                f"{name}[{place}] has the shape {recording.shape}: give finite frames [L, C], at least one"
            )
    return checked
