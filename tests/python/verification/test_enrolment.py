"""Enrolment against SciPy's normal density and cosines in a plain loop."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from twotower.errors import InvalidInputError
from twotower.verification import SCORES, enrol


def vectors(n=7, dims=4, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dims)) + 1


def cosine(left, right):
    return (
        sum(a * b for a, b in zip(left, right, strict=True))
        / math.dist(left, [0] * len(left))
        / math.dist(right, [0] * len(right))
    )


@pytest.mark.parametrize("shrinkage", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("dims", [1, 4, 40])
def test_density_is_scipys(shrinkage, dims):
    kept, trials = vectors(dims=dims), vectors(5, dims, seed=1)
    own = np.atleast_2d(np.cov(kept.T))
    covariance = (1 - shrinkage) * own + shrinkage * np.trace(own) / dims * np.eye(dims)
    expected = multivariate_normal(kept.mean(axis=0), covariance).logpdf(trials)
    np.testing.assert_allclose(enrol(kept, shrinkage=shrinkage).scores(trials, "density"), expected, rtol=1e-8)


def test_cosines_are_those_of_a_loop():
    kept, trials = vectors(), vectors(5, seed=1)
    enrolment = enrol(kept)
    for kind, pooled in (("cosine_mean", lambda row: sum(row) / len(row)), ("nearest_cosine", max)):
        expected = [pooled([cosine(trial, one) for one in kept]) for trial in trials]
        np.testing.assert_allclose(enrolment.scores(trials, kind), expected)
    mean = kept.mean(axis=0)
    np.testing.assert_allclose(enrolment.scores(trials), [cosine(trial, mean) for trial in trials])


@pytest.mark.parametrize("kind", sorted(SCORES))
def test_the_subjects_own_vectors_score_above_those_of_others(kind):
    own, other = vectors(20, seed=0) + np.eye(4)[0] * 3, vectors(20, seed=1) + np.eye(4)[1] * 3
    enrolment = enrol(own[:6])
    assert enrolment.scores(own[6:], kind).mean() > enrolment.scores(other, kind).mean()


def test_a_zero_vector_has_the_cosine_0():
    for kind in ("mean_cosine", "cosine_mean", "nearest_cosine"):
        assert enrol(vectors()).scores(np.zeros((1, 4)), kind).tolist() == [0.0]


def test_what_cannot_be_enrolled_or_scored_is_named():
    with pytest.raises(InvalidInputError, match="5 vectors are too few"):
        enrol(vectors(5))
    with pytest.raises(InvalidInputError, match="all vectors are equal"):
        enrol(np.ones((6, 3)))
    with pytest.raises(InvalidInputError, match="shrinkage"):
        enrol(vectors(), shrinkage=0)
    with pytest.raises(InvalidInputError, match="vector 2 is not finite"):
        enrol(np.where(np.arange(7)[:, None] == 2, np.nan, vectors()))
    with pytest.raises(InvalidInputError, match="3 dimensions, the enrolment 4"):
        enrol(vectors()).scores(vectors(dims=3))
    with pytest.raises(InvalidInputError, match="cosine_mean, density, mean_cosine, nearest_cosine"):
        enrol(vectors()).scores(vectors(), "euclid")
