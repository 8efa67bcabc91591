"""Error rates against a sweep over every threshold in whole numbers, and cases worked by hand."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from twotower.errors import InvalidInputError
from twotower.verification import error_curve


def sweep(genuine, impostor):
    """All (threshold, far, frr) as fractions, by counting."""
    thresholds = [*sorted({*genuine, *impostor}), float("inf")]
    return [
        (
            threshold,
            Fraction(sum(score >= threshold for score in impostor), len(impostor)),
            Fraction(sum(score < threshold for score in genuine), len(genuine)),
        )
        for threshold in thresholds
    ]


def equal_error_rate(points):
    """Where the line through neighbouring points meets far = frr."""
    for (_, far, frr), (_, next_far, next_frr) in itertools.pairwise(points):
        if next_far <= next_frr:
            share = (far - frr) / ((far - frr) - (next_far - next_frr))
            return frr + share * (next_frr - frr)
    raise AssertionError("the rates never meet")


@pytest.mark.parametrize("seed", range(30))
def test_equals_the_sweep(seed):
    draw = np.random.default_rng(seed)
    n_genuine, n_impostor = draw.integers(1, 30, size=2)
    genuine = np.round(draw.normal(0.5, 1, n_genuine), 1)  # rounded, so that scores are equal within and between
    impostor = np.round(draw.normal(-0.5, 1, n_impostor), 1)
    points = sweep(genuine.tolist(), impostor.tolist())
    curve = error_curve(genuine, impostor)
    np.testing.assert_array_equal(curve.thresholds, [threshold for threshold, _, _ in points])
    np.testing.assert_allclose(curve.far, [float(far) for _, far, _ in points], atol=1e-15)
    np.testing.assert_allclose(curve.frr, [float(frr) for _, _, frr in points], atol=1e-15)
    assert curve.equal_error_rate == pytest.approx(float(equal_error_rate(points)), abs=1e-12)
    for share in (0, 0.0625, 0.25, 1):
        strict = next(point for point in points if point[1] <= share)
        assert curve.at_false_accepts(share) == pytest.approx((strict[0], float(strict[1]), float(1 - strict[2])))
        lax = [point for point in points if 1 - point[2] >= share][-1]
        assert curve.at_genuine_accepts(share) == pytest.approx((lax[0], float(lax[1]), float(1 - lax[2])))


def test_by_hand():
    """Thresholds .2 .3 .4 .7 .8 .9 inf; far 1 2/3 1/3 1/3 0 0 0; frr 0 0 0 1/3 1/3 2/3 1: they meet at .7, in 1/3."""
    curve = error_curve([0.9, 0.8, 0.4], [0.7, 0.3, 0.2])
    np.testing.assert_allclose(curve.far, np.array([3, 2, 1, 1, 0, 0, 0]) / 3)
    np.testing.assert_allclose(curve.frr, np.array([0, 0, 0, 1, 1, 2, 3]) / 3)
    assert curve.equal_error_rate == pytest.approx(1 / 3)


def test_between_two_points_by_hand():
    """far 1 3/4 1/2 1/4 ... meets frr 0 0 0 1/2 between (1/2, 0) and (1/4, 1/2): 1/2 - x/4 = x/2, x = 2/3."""
    curve = error_curve([3.0, 5.0], [1.0, 2.0, 3.0, 4.0])
    assert curve.equal_error_rate == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("genuine", "impostor", "rate"),
    [
        ([1.0, 2.0], [-1.0, 0.0], 0.0),
        ([0.0], [1.0], 1.0),
        ([5.0, 5.0], [5.0], 0.5),
        ([1.0, 2.0] * 50, [1.0, 2.0] * 3, 0.5),
    ],
)
def test_extremes(genuine, impostor, rate):
    assert error_curve(genuine, impostor).equal_error_rate == pytest.approx(rate)


def test_no_impostor_may_pass():
    point = error_curve([0.1, 0.2], [0.5]).at_false_accepts(0)
    assert (point.threshold, point.false_accepts, point.genuine_accepts) == (float("inf"), 0, 0)


def test_what_makes_no_curve_is_refused():
    with pytest.raises(InvalidInputError, match="impostor has the shape"):
        error_curve([1.0], [])
    with pytest.raises(InvalidInputError, match=r"genuine\[1\] is NaN"):
        error_curve([1.0, float("nan")], [1.0])
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        error_curve([1.0], [0.0]).at_false_accepts(2)
