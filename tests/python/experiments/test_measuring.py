"""Towers measured by pieces: the same figures as the learning experiment, and tables that say what the values say."""

import json
from dataclasses import replace

import numpy as np
import pytest

import twotower as tt
from small_collection import translated
from twotower.errors import InvalidInputError
from twotower.experiments import Recipe, learning_experiment
from twotower.experiments.measuring import Measuring, with_fewer
from twotower.experiments.seed_tables import differences_table, means_table, rows_of, without_queries

MEASURES = ("nDCG@10", "R@10")
RECIPE = Recipe("small", "average", {"dim": 8}, {"epochs": 2, "batch_size": 16, "lr": 0.3}, analyzer="plain")


@pytest.fixture(scope="module")
def home():
    return translated()


@pytest.fixture(scope="module")
def measuring(home):
    other = translated(60, seed=5)
    other.name = "other"
    return Measuring(home, {"home": (home, "test"), "other": (other, "test")}, MEASURES)


@pytest.fixture(scope="module")
def records(measuring):
    made = [{"rows": measuring.controls(RECIPE.build(measuring.home.collection, 0))}]
    for seed in (0, 1):
        made.append({"rows": measuring.untrained(RECIPE, seed)})
        made += [measuring.trained(RECIPE, seed, shuffled=shuffled) for shuffled in (True, False)]
    return json.loads(json.dumps(made))  # as the pieces come back from their file


def test_pieces_have_the_figures_of_the_learning_experiment(home, records):
    whole = learning_experiment(home, [RECIPE], seeds=(0, 1), measures=MEASURES).rows
    rows = rows_of(records)
    for name, other in (("BM25", "BM25"), ("query-blind", "query-blind"), ("small", "small"), ("small, untrained",) * 2,
                        ("small, shuffled",) * 2, ("hybrid with small", "hybrid")):  # fmt: skip
        for measure in MEASURES:
            expected = whole[other]["test"][measure]
            np.testing.assert_allclose(rows[name]["home"].by_measure[measure].mean(axis=1), expected, atol=2e-6)


def test_a_hybrid_takes_its_weight_to_another_collection(records):
    assert all(
        set(record["rows"]["hybrid with small"]) == {"home", "other"} for record in records if "weight" in record
    )


def test_the_unseen_collection_stays_out_of_training(home, measuring):
    alone = Measuring(home, {"home": (home, "test")}, MEASURES)
    assert alone.trained(RECIPE, 0)["rows"]["small"]["home"] == measuring.trained(RECIPE, 0)["rows"]["small"]["home"]


def test_splits_that_are_learned_or_chosen_on_are_no_tests(home):
    for split in ("train", "valid"):
        with pytest.raises(InvalidInputError, match=split):
            Measuring(home, {"x": (home, split)}, MEASURES)
    empty = replace(home, qrels={**home.qrels, "test": {"query140": {"doc0": 0}}})
    with pytest.raises(InvalidInputError, match="nothing to measure"):
        Measuring(empty, {"x": (empty, "test")}, MEASURES)


def test_fewer_examples_are_nested_and_leave_the_rest_alone(home):
    small, large = with_fewer(home, 10, seed=3), with_fewer(home, 40, seed=3)
    assert len(small.qrels["train"]) == 10
    assert small.qrels["train"].items() <= large.qrels["train"].items() <= home.qrels["train"].items()
    assert small.qrels["test"] == home.qrels["test"]
    assert with_fewer(home, 10**6).qrels["train"] == home.qrels["train"]
    assert with_fewer(home, 10, seed=4).qrels["train"] != small.qrels["train"]


def by_hand():
    return rows_of(
        [
            {"rows": {"a": {"t": {"R@10": [1.0, 0.0, 1.0, 1.0]}}, "b": {"t": {"R@10": [0.0, 0.0, 1.0, 0.0]}}}},
            {"rows": {"a": {"t": {"R@10": [1.0, 1.0, 1.0, 1.0]}}}},
        ]
    )


def test_means_and_spreads_of_a_table():
    lines = means_table(by_hand(), "t", ["R@10"], ["b", "a", "missing"]).splitlines()
    assert lines[0] == "| t, 4 queries | seeds | R@10 |"
    assert lines[2:] == ["| b | 1 | 0.2500 |", "| a | 2 | 0.8750 ± 0.1768 |"]


def test_differences_are_those_of_compare():
    rng = np.random.default_rng(0)
    qrels = {f"q{i}": {"good": 1} for i in range(50)}
    runs = {
        name: [{q: {"good": float(rng.random()), "bad": 0.5} for q in qrels} for _ in range(2)] for name in ("a", "b")
    }
    found = tt.compare(runs, qrels, ["RR"]).differences[0]
    rows = rows_of(
        {"rows": {name: {"t": {"RR": list(tt.evaluate_queries(run, qrels, ["RR"])["RR"].values())}}}}
        for name in runs
        for run in runs[name]
    )
    line = differences_table(rows, ["t"], [("b", "a"), ("b", "missing")], ["RR"]).splitlines()[2:]
    assert line == [
        f"| t | b - a | RR | {found.difference:+.4f} | {found.low:+.4f} to {found.high:+.4f} | {found.p:.4f} | {found.p_holm:.4f} |"
    ]


def test_leaving_queries_out():
    clean = without_queries(by_hand(), "t", ["q0", "q1", "q2", "q3"], ["q0", "q3"])
    assert clean["a"]["t"].by_measure["R@10"].tolist() == [[0.0, 1.0], [1.0, 1.0]]
    assert clean["b"]["t"].by_measure["R@10"].tolist() == [[0.0, 1.0]]


def test_values_of_two_test_sets_are_not_mixed():
    pieces = [{"rows": {"a": {"t": {"R@10": values}}}} for values in ([1.0], [1.0, 0.0])]
    with pytest.raises(InvalidInputError, match=r"\[1, 2\] queries"):
        rows_of(pieces)


def test_a_hybrid_with_an_untrained_tower_is_tuned_on_valid(home, measuring):
    record = measuring.untrained_hybrid(RECIPE, 1)
    assert list(record["rows"]) == ["hybrid with small, untrained"]
    dense = measuring.home.dense(RECIPE.build(home, 1))
    hybrid = tt.Hybrid([measuring.home.bm25, dense], fusion="linear")
    assert record["weight"] == hybrid.tune(home, split="valid").weight
    expected = tt.evaluate_queries(tt.search_split(hybrid, home, "test", k=1000), home.split("test"), MEASURES)
    for measure in MEASURES:
        found = record["rows"]["hybrid with small, untrained"]["home"][measure]
        np.testing.assert_allclose(found, list(expected[measure].values()), atol=2e-6)
    assert set(record["rows"]["hybrid with small, untrained"]) == {"home", "other"}
