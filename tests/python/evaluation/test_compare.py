"""Paired comparisons against enumeration and against cases with a known answer."""

from itertools import product

import numpy as np
import pytest

import twotower as tt
from twotower.errors import InvalidInputError
from twotower.evaluation.significance import (
    bootstrap_intervals,
    detectable_effect,
    holm,
    paired_t_p,
    randomisation_p,
    stratified_interval,
)


def run_with(first_place):
    """A run whose reciprocal rank is 1 for the queries in `first_place` and 1/2 elsewhere."""
    return {f"q{i}": {"good": 2.0 if i in first_place else 0.0, "bad": 1.0} for i in range(20)}


QRELS = {f"q{i}": {"good": 1} for i in range(20)}


@pytest.mark.parametrize("n", [1, 4, 9, 12])
def test_the_randomisation_test_equals_enumeration(n):
    rng = np.random.default_rng(n)
    paired = rng.integers(-3, 4, (n, 3)) / 2
    signs = np.array(list(product([-1, 1], repeat=n)))
    exact = (np.abs(signs @ paired) >= np.abs(paired.sum(axis=0)) - 1e-12).mean(axis=0)
    assert randomisation_p(paired, 40_000, rng) == pytest.approx(exact, abs=0.01)


def test_the_bootstrap_intervals_equal_enumeration_of_all_resamples():
    paired = np.array([[0.0, 2.0], [0.0, -1.0], [1.0, 4.0]])
    resamples = paired[list(product(range(3), repeat=3))].mean(axis=1)
    found = bootstrap_intervals(paired, 50_000, 0.90, np.random.default_rng(0))
    np.testing.assert_allclose(found, np.quantile(resamples, [0.05, 0.95], axis=0), atol=1e-12)


def test_the_interval_covers_the_true_mean_as_often_as_it_says():
    paired = np.random.default_rng(1).standard_normal((60, 300))
    low, high = bootstrap_intervals(paired, 2000, 0.95, np.random.default_rng(2))
    assert 0.90 <= ((low <= 0) & (high >= 0)).mean() <= 0.98


def test_resamples_come_in_blocks_and_all_of_them_count():
    paired = np.ones((500_000, 1))  # eight resamples a block
    low, high = bootstrap_intervals(paired, 20, 0.9, np.random.default_rng(0))
    assert (low[0], high[0]) == pytest.approx((1, 1))
    assert randomisation_p(paired, 19, np.random.default_rng(0))[0] == 1 / 20


def test_other_runs_and_measures_change_no_figure():
    runs = {"a": run_with(range(7)), "b": run_with(range(9)), "c": run_with(range(3, 12))}
    together = tt.compare(runs, QRELS, ["RR", "P@1"]).differences
    for name in "bc":
        alone = tt.compare({"a": runs["a"], name: runs[name]}, QRELS, ["P@1"]).differences[0]
        again = next(d for d in together if (d.name, d.measure) == (name, "P@1"))
        assert (again.low, again.high, again.p) == pytest.approx((alone.low, alone.high, alone.p))


def test_a_better_run_is_found_better():
    found = tt.compare({"half": run_with(range(10)), "all": run_with(range(20))}, QRELS, ["RR"])
    (difference,) = found.differences
    assert (difference.name, difference.baseline, difference.n_queries) == ("all", "half", 20)
    assert difference.difference == pytest.approx(0.25)
    assert 0 < difference.low < 0.25 < difference.high
    assert difference.p < 0.01
    assert found.means["half"]["RR"] == pytest.approx(0.75)
    assert "all - half" in found.to_markdown()


def test_a_run_does_not_differ_from_itself():
    (difference,) = tt.compare({"a": run_with(range(7)), "b": run_with(range(7))}, QRELS, ["RR"]).differences
    assert (difference.difference, difference.low, difference.high, difference.p) == (0, 0, 0, 1)


def test_seeds_are_averaged_for_each_query_before_pairing():
    seeds = [run_with(range(10)), run_with(range(10, 20))]
    found = tt.compare({"half": run_with(range(10)), "seeds": seeds}, QRELS, ["RR"])
    assert found.differences[0].difference == pytest.approx(0)
    assert found.spread == {"seeds": {"RR": 0.0}}
    assert "| seeds | 0.7500 ± 0.0000 |" in found.to_markdown()
    assert found.to_dict()["spread"] == found.spread


def test_the_same_seed_gives_the_same_figures():
    runs = {"half": run_with(range(10)), "more": run_with(range(12))}
    assert tt.compare(runs, QRELS, ["RR"], seed=3) == tt.compare(runs, QRELS, ["RR"], seed=3)


def test_holm_steps_down_and_never_falls():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_wrong_input_is_refused():
    run = run_with(range(3))
    with pytest.raises(InvalidInputError, match="at least two"):
        tt.compare({"a": run}, QRELS)
    with pytest.raises(InvalidInputError, match=r"'c'.*a, b"):
        tt.compare({"a": run, "b": run}, QRELS, baseline="c")
    with pytest.raises(InvalidInputError, match="no query"):
        tt.compare({"a": run, "b": run}, {})
    with pytest.raises(InvalidInputError, match="confidence"):
        tt.compare({"a": run, "b": run}, QRELS, confidence=1.0)
    with pytest.raises(InvalidInputError, match="at least one run"):
        tt.compare({"a": run, "b": []}, QRELS)


def test_the_stratified_interval_equals_enumeration_and_weighs_collections_alike():
    strata = [np.array([0.0, 1.0]), np.array([2.0, 2.0, 5.0])]
    every = [
        (strata[0][list(a)].mean() + strata[1][list(b)].mean()) / 2
        for a in product(range(2), repeat=2)
        for b in product(range(3), repeat=3)
    ]
    mean, low, high = stratified_interval(strata, 60_000, 0.8, np.random.default_rng(0))
    assert mean == pytest.approx((0.5 + 3.0) / 2)
    assert (low, high) == pytest.approx(tuple(np.quantile(every, [0.1, 0.9])), abs=0.13)


@pytest.mark.parametrize("n", [2, 3, 20, 400])
def test_the_t_test_equals_scipy(n):
    from scipy.stats import ttest_1samp

    paired = np.random.default_rng(n).normal(0.1, 1, (n, 5))
    np.testing.assert_allclose(paired_t_p(paired), ttest_1samp(paired, 0).pvalue, rtol=1e-10)


def test_the_t_test_of_equal_differences_needs_no_division():
    assert paired_t_p(np.array([[0.0, 0.1], [0.0, 0.1], [0.0, 0.1]])).tolist() == [1.0, 0.0]
    assert paired_t_p(np.array([[3.0]])).tolist() == [1.0]


@pytest.mark.parametrize(("n", "power"), [(10, 0.8), (50, 0.8), (50, 0.5)])
def test_an_effect_of_the_detectable_size_is_found_as_often_as_said(n, power):
    rng = np.random.default_rng(n)
    effect = detectable_effect(0.3, n, power)
    found = paired_t_p(rng.normal(effect, 0.3, (n, 20_000))) < 0.05
    assert found.mean() == pytest.approx(power, abs=0.015)
