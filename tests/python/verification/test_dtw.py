"""Dynamic time warping against the recursion written down, path by path."""

import functools
import math

import numpy as np
import pytest

from twotower.errors import InvalidInputError
from twotower.verification import dtw_distances


def by_recursion(left, right):
    """Sakoe and Chiba's symmetric form."""

    @functools.cache
    def best(i, j):
        cost = math.dist(left[i], right[j])
        if i == j == 0:
            return 2 * cost
        steps = []
        if i:
            steps.append(best(i - 1, j) + cost)
        if j:
            steps.append(best(i, j - 1) + cost)
        if i and j:
            steps.append(best(i - 1, j - 1) + 2 * cost)
        return min(steps)

    return best(len(left) - 1, len(right) - 1) / (len(left) + len(right))


def test_equals_the_recursion():
    draw = np.random.default_rng(0)
    queries = [draw.standard_normal((length, 3)) for length in (1, 4, 9)]
    templates = [draw.standard_normal((length, 3)) for length in (1, 7, 2, 12)]
    expected = [[by_recursion(query, template) for template in templates] for query in queries]
    np.testing.assert_allclose(dtw_distances(queries, templates), expected)
    np.testing.assert_allclose(dtw_distances(templates, queries), np.transpose(expected))


def test_a_stretched_copy_is_at_distance_0():
    recording = np.arange(12.0).reshape(6, 2)
    assert dtw_distances([np.repeat(recording, 3, axis=0)], [recording, recording[::-1]])[0, 0] == 0
    assert dtw_distances([recording], [recording[::-1]])[0, 0] > 0


def test_by_hand():
    """0 1 against 0 3, over 4 frames: 0 with 0, 1 with 0, 1 with 3 costs 0 + 1 + 2, the diagonal 0 + 2 * 2."""
    assert dtw_distances([[[0.0], [1.0]]], [[[0.0], [3.0]]]).item() == 3 / 4
    assert dtw_distances([[[0.0], [2.0]]], [[[0.0], [3.0]]]).item() == 2 / 4


def test_nothing_and_what_is_refused():
    assert dtw_distances([], [np.ones((2, 1))]).shape == (0, 1)
    with pytest.raises(InvalidInputError, match=r"templates\[1\] has the shape \(0, 2\)"):
        dtw_distances([np.ones((1, 2))], [np.ones((1, 2)), np.ones((0, 2))])
    with pytest.raises(InvalidInputError, match="numbers of channels"):
        dtw_distances([np.ones((1, 2))], [np.ones((1, 3))])
