"""What `compare` says beside the difference: failed seeds, all pairs, verdicts, what the queries can show; and pooled collections."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import ttest_rel

import twotower as tt
from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.significance import detectable_effect, holm, stratified_interval, verdict, wilson_interval

N = 20
QRELS = {f"q{i}": {"good": 1} for i in range(N)}


def run_with(first_place):
    """A run whose reciprocal rank is 1 for the queries in `first_place` and 1/2 elsewhere."""
    return {f"q{i}": {"good": 2.0 if i in first_place else 0.0, "bad": 1.0} for i in range(N)}


def noisy(seed, last=10):
    """A run that puts the good document at a random place from 1 to `last`."""
    places = np.random.default_rng(seed).integers(0, last, N)
    return {f"q{i}": {"good": 9.5 - p, **{f"d{j}": 9.0 - j for j in range(10)}} for i, p in enumerate(places.tolist())}


def test_both_tests_and_both_corrections_stand_beside_each_other():
    runs = {name: noisy(seed, last) for seed, (name, last) in enumerate(zip("abcd", (10, 3, 4, 6), strict=True))}
    found = tt.compare(runs, QRELS, ["RR"]).differences
    values = {name: list(tt.evaluate_queries(run, QRELS, ["RR"])["RR"].values()) for name, run in runs.items()}
    assert [d.p_t for d in found] == pytest.approx([ttest_rel(values[d.name], values["a"]).pvalue for d in found])
    assert [d.p_t_holm for d in found] == pytest.approx(holm([d.p_t for d in found]))
    assert [d.p_holm for d in found] == pytest.approx(holm([d.p for d in found]))
    assert len({d.p_t_holm for d in found} | {d.p_holm for d in found}) == 6  # no two of them mixed up or capped


def test_wins_ties_and_losses_count_queries():
    (d,) = tt.compare({"a": run_with(range(7)), "b": run_with(range(4, 14))}, QRELS, ["RR"]).differences
    assert (d.wins, d.ties, d.losses) == (7, 9, 4)


def test_rounding_over_seeds_is_no_win():
    run = noisy(5)
    (d,) = tt.compare({"one": run, "three": [run, run, run]}, QRELS, ["RR", "nDCG@10"]).differences[1:]
    assert (d.wins, d.ties, d.losses) == (0, N, 0)


def test_all_pairs_take_each_run_against_those_before_it():
    runs = {name: noisy(seed) for seed, name in enumerate("abc")}
    found = tt.compare(runs, QRELS, ["RR"], all_pairs=True).differences
    assert [(d.name, d.baseline) for d in found] == [("b", "a"), ("c", "a"), ("c", "b")]
    assert found[2].difference == pytest.approx(found[1].difference - found[0].difference)
    with pytest.raises(InvalidInputError, match="leave out the baseline"):
        tt.compare(runs, QRELS, baseline="a", all_pairs=True)


def test_a_failed_seed_is_shown_and_counts_zero_in_a_mean_of_its_own():
    found = tt.compare({"a": run_with(range(5)), "b": [run_with(range(10)), None, run_with(range(20))]}, QRELS, ["RR"])
    summary = found.seeds["b"]
    assert (summary.n_runs, summary.n_failed) == (3, 1)
    assert found.means["b"]["RR"] == pytest.approx((0.75 + 1) / 2)
    assert summary.failures_as_zero["RR"] == pytest.approx((0.75 + 1) / 3)
    assert (summary.lowest["RR"], summary.highest["RR"]) == (0.75, 1.0)
    assert found.spread["b"]["RR"] == pytest.approx(np.std([0.75, 1], ddof=1))
    assert found.differences[0].difference == pytest.approx(0.875 - 0.625)
    for text in (found.to_markdown(), found.to_latex()):
        assert "b (2 of 3 seeds, 1 failed)" in text
        assert "0.5833" in text


@pytest.mark.parametrize("runs", [None, [None, None]])
def test_a_system_whose_runs_all_failed_is_listed_without_a_difference(runs):
    found = tt.compare({"a": run_with(range(5)), "b": runs, "c": run_with(range(6))}, QRELS, ["RR"])
    assert [d.name for d in found.differences] == ["c"]
    assert "b" not in found.means
    assert "failed |" in found.to_markdown()
    assert found.seeds["b"].failures_as_zero == {"RR": 0.0}
    against = tt.compare({"b": runs, "c": run_with(range(6))}, QRELS, ["RR"])
    assert against.differences == []
    assert "failed |" in against.to_markdown()
    assert "failed" in against.to_latex()


def test_an_undecided_row_says_what_the_queries_could_have_shown():
    runs = {"a": noisy(1), "b": noisy(2)}
    (d,) = tt.compare(runs, QRELS, ["RR"]).differences
    values = [np.array(list(tt.evaluate_queries(run, QRELS, ["RR"])["RR"].values())) for run in runs.values()]
    assert d.detectable == pytest.approx(detectable_effect((values[1] - values[0]).std(ddof=1), N))
    assert d.verdict == "undecided"
    assert abs(d.difference) < d.detectable
    assert "undecided is not equal" in tt.compare(runs, QRELS, ["RR"]).to_markdown()


def test_a_margin_tells_a_small_loss_from_an_unknown_one():
    run = run_with(range(10))
    close = {**run, "q0": {"good": 0.0, "bad": 1.0}}  # one query of twenty loses 1/2
    (d,) = tt.compare({"a": run, "b": close}, QRELS, ["RR"], margin=0.1).differences
    assert (d.verdict, d.losses) == ("not worse by 0.1", 1)
    (d,) = tt.compare({"a": run, "b": close}, QRELS, ["RR"], margin=0.01).differences
    assert d.verdict == "undecided"
    with pytest.raises(InvalidInputError, match="margin"):
        tt.compare({"a": run, "b": close}, QRELS, margin=-0.1)


@pytest.mark.parametrize(
    ("interval", "p", "margin", "said"),
    [
        ((0.01, 0.03), 0.01, None, "better"), ((0.01, 0.03), 0.2, None, "undecided"),
        ((-0.03, -0.01), 0.01, None, "worse"), ((-0.03, -0.01), 0.2, None, "undecided"),
        ((-0.03, -0.01), 0.01, 0.02, "worse"), ((-0.015, -0.01), 0.01, 0.02, "worse, by less than 0.02"),
        ((-0.015, -0.01), 0.2, 0.02, "not worse by 0.02"), ((-0.03, 0.01), 0.5, 0.02, "undecided"),
        ((-0.01, 0.01), 0.5, 0.02, "not worse by 0.02"), ((0.0, 0.0), 1.0, None, "undecided"),
    ],
)  # fmt: skip
def test_every_verdict(interval, p, margin, said):
    assert verdict(*interval, p, 0.05, margin) == said


def test_equal_systems_are_called_different_no_more_often_than_the_level():
    """At level 10 %, over 300 pairs of systems that draw their places alike; the interval alone is too sure."""
    alone = both = 0
    for i in range(300):
        runs = {"a": noisy(2 * i), "b": noisy(2 * i + 1)}
        (d,) = tt.compare(runs, QRELS, ["RR"], confidence=0.9, n_resamples=400).differences
        alone += not d.low <= 0 <= d.high
        both += d.verdict != "undecided"
    assert 0.05 * 300 < both < 0.13 * 300
    assert alone > both


def test_runs_and_judgements_that_do_not_belong_together_are_refused():
    run = run_with(range(3))
    with pytest.raises(InvalidInputError, match=r"run 'b' answers none of the 20 judged queries: its first is 'x'"):
        tt.compare({"a": run, "b": {"x": {"good": 1.0}}}, QRELS)
    with pytest.raises(InvalidInputError, match="one query"):
        tt.compare({"a": run, "b": run}, {"q1": {"good": 1}})
    assert tt.compare({"a": run, "b": {}}, QRELS, ["RR"]).means["b"] == {"RR": 0.0}  # found nothing: that is a result


def enumerated_p(strata):
    signed = [np.array(list(product([-1, 1], repeat=len(s)))) @ s / len(s) for s in strata]
    sums = np.abs(signed[0][:, np.newaxis] + signed[1][np.newaxis, :])
    return (sums >= abs(sum(s.mean() for s in strata)) - 1e-12).mean()


def test_pooled_collections_count_alike_and_agree_with_enumeration():
    small, large = {q: QRELS[q] for q in list(QRELS)[:4]}, {q: QRELS[q] for q in list(QRELS)[:9]}
    runs = {"a": noisy(3), "b": noisy(4)}
    pooled = tt.compare_pooled({"small": (runs, small), "large": (runs, large)}, ["RR"], margin=0.5, n_resamples=40_000)
    (d,) = pooled.differences
    alone = [tt.compare(runs, qrels, ["RR"]).differences[0] for qrels in (small, large)]
    strata = [
        np.subtract(*(list(tt.evaluate_queries(runs[name], qrels, ["RR"])["RR"].values()) for name in "ba"))
        for qrels in (small, large)
    ]
    assert d.difference == pytest.approx((alone[0].difference + alone[1].difference) / 2)
    assert (d.n_queries, d.n_collections) == (13, 2)
    assert d.p == pytest.approx(enumerated_p(strata), abs=0.01)
    _, low, high = stratified_interval(strata, 40_000, 0.95, np.random.default_rng(9))
    assert (d.low, d.high) == pytest.approx((low, high), abs=0.02)
    error = np.sqrt(sum(s.var(ddof=1) / len(s) for s in strata)) / 2
    assert d.detectable == pytest.approx(detectable_effect(error * np.sqrt(13), 13))
    assert {c.differences[0].n_queries for c in pooled.collections.values()} == {4, 9}
    text = pooled.to_markdown()
    assert text.count("b - a") == 3
    assert "mean of 2" in text
    assert pooled.to_latex().count("b - a") == 3
    assert pooled.to_dict()["differences"][0]["p"] == d.p


def test_a_system_that_failed_in_one_collection_has_no_pooled_row():
    good, bad = {"a": noisy(3), "b": noisy(4)}, {"a": noisy(3), "b": None}
    pooled = tt.compare_pooled({"x": (good, QRELS), "y": (bad, QRELS)}, ["RR"])
    assert pooled.differences == []
    assert pooled.to_markdown().count("b - a") == 1


def test_pooling_refuses_what_does_not_fit():
    runs = {"a": noisy(3), "b": noisy(4)}
    with pytest.raises(InvalidInputError, match="no collection"):
        tt.compare_pooled({})
    with pytest.raises(InvalidInputError, match=r"'y'.*\['c'\]"):
        tt.compare_pooled({"x": (runs, QRELS), "y": ({**runs, "c": noisy(5)}, QRELS)})
    with pytest.raises(InvalidInputError, match="'z'"):
        tt.compare_pooled({"x": (runs, QRELS)}, baseline="z")


def test_wilson_against_a_published_value_and_coverage():
    # Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20.
    assert wilson_interval(81 / 263, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20, 0.95) == pytest.approx((0.0, 0.1611), abs=5e-5)
    shares = np.random.default_rng(0).binomial(30, 0.8, 4000) / 30
    inside = [low <= 0.8 <= high for low, high in (wilson_interval(s, 30, 0.95) for s in shares.tolist())]
    assert np.mean(inside) > 0.93


TWENTY = {f"q{i}": {"d": 1} for i in range(20)}


def found_at(place):
    return {query_id: {"d": 1.0, "other": 2.0 if place == 2 else 0.0} for query_id in TWENTY}


def test_a_run_of_foreign_documents_is_said():
    foreign = {query_id: {"elsewhere": 1.0} for query_id in TWENTY}
    found = tt.compare({"good": found_at(1), "foreign": foreign}, TWENTY, ["RR"])
    assert any("'foreign'" in note and "judged documents" in note for note in found.notes)
    assert found.notes[0] in found.to_markdown()
    assert tt.compare({"good": found_at(1), "same": found_at(2)}, TWENTY, ["RR"]).notes == []


def test_missing_queries_are_counted():
    half = dict(list(found_at(1).items())[:7])
    notes = tt.compare({"good": found_at(1), "half": half}, TWENTY, ["RR"]).notes
    assert notes == ["Run 'half': 13 of 20 judged queries are missing and count 0."]


@pytest.mark.parametrize("measure", ["hole@10", "NumRet", "NumQ"])
def test_a_measure_of_which_more_is_not_better_orders_nothing(measure):
    with pytest.raises(InvalidInputError, match="is not better"):
        tt.compare({"a": found_at(1), "b": found_at(2)}, TWENTY, [measure])


@pytest.mark.parametrize("n", [2, 3, 20])
def test_not_worse_needs_queries_enough(n):
    """Runs that never differ: only so many queries can rule out a loss above the margin."""
    few = dict(list(TWENTY.items())[:n])
    difference = tt.compare({"a": found_at(1), "b": found_at(1)}, few, ["RR"], margin=0.01).differences[0]
    assert (difference.low, difference.high, difference.verdict) == (0, 0, "undecided")


def test_not_worse_of_runs_that_never_differ_on_many_queries():
    many = {f"q{i}": {"d": 1} for i in range(400)}
    run = {query_id: {"d": 1.0} for query_id in many}
    assert tt.compare({"a": run, "b": run}, many, ["RR"], margin=0.01).differences[0].verdict == "not worse by 0.01"


@pytest.mark.parametrize(
    ("runs", "qrels", "options", "message"),
    [
        ({"a": "bm25.trec", "b": {}}, TWENTY, {}, "read_run"),
        ({"a": {}, "b": [[1]]}, TWENTY, {}, "a run of 'b' is list"),
        ({"a": {}, "b": {}}, "qrels.txt", {}, "read_qrels"),
        ({"a": {}, "b": {}}, TWENTY, {"confidence": "x"}, "give an integer and a number"),
    ],
)
def test_wrong_types_are_named(runs, qrels, options, message):
    with pytest.raises(InputTypeError, match=message):
        tt.compare(runs, qrels, ["RR"], **options)


def test_a_confidence_that_no_test_can_reach_is_refused():
    with pytest.raises(InvalidInputError, match=r"0\.9999"):
        tt.compare({"a": found_at(1), "b": found_at(2)}, TWENTY, ["RR"], confidence=1 - 2**-53)
