"""The learning experiment: its rows, its twins, and what it refuses."""

import pytest

import twotower as tt
from twotower.errors import InvalidInputError
from twotower.experiments import RECIPES, Recipe, learning_experiment

WORDS = ["csv", "graph", "tensor", "date", "path", "array", "matrix", "socket", "thread", "file"]


def collection():
    corpus = {f"{a}.{b}": tt.Document(f"about {a} with {b}") for a in WORDS for b in WORDS}
    queries = {doc_id: f"how {doc_id.replace('.', ' needs ')}" for doc_id in corpus}
    splits = {"train": {}, "valid": {}, "test": {}}
    for number, doc_id in enumerate(corpus):
        splits[("train", "train", "valid", "test")[number % 4]][doc_id] = {doc_id: 1}
    return tt.Collection("words", corpus, queries, splits)


RECIPE = Recipe("small", "average", {"dim": 8}, {"epochs": 1, "batch_size": 16, "lr": 0.1})


def test_every_tower_stands_beside_its_twins():
    result = learning_experiment(collection(), [RECIPE], seeds=(0, 1))
    rows = ["random", "query-blind", "BM25", "small, untrained", "small, shuffled", "small", "hybrid"]
    assert list(result.rows) == rows
    assert [len(result.rows[name]["test"]["RR@10"]) for name in rows] == [2, 1, 1, 2, 2, 2, 2]
    pairs = {(c.differences[0].name, c.differences[0].baseline) for _, c in result.comparisons}
    assert {
        ("small", "small, untrained"),
        ("small", "small, shuffled"),
        ("small", "query-blind"),
        ("hybrid", "BM25"),
    } <= pairs
    assert result.fingerprint[:16] in result.to_markdown()


def test_the_same_seed_gives_the_same_figures():
    first, second = (learning_experiment(collection(), [RECIPE]).to_dict() for _ in range(2))
    assert first["rows"] == second["rows"]


@pytest.mark.parametrize("split", ["train", "valid"])
def test_what_is_trained_or_chosen_on_is_no_test(split):
    with pytest.raises(InvalidInputError, match=split):
        learning_experiment(collection(), [RECIPE], tests=[split])


def test_missing_or_empty_splits_are_refused_before_any_work():
    data = collection()
    data.qrels["test"] = {"csv.csv": {"csv.csv": 0}}
    with pytest.raises(InvalidInputError, match="'test'"):
        learning_experiment(data, [RECIPE])
    with pytest.raises(InvalidInputError, match="train, valid"):
        learning_experiment(data, [RECIPE], tests=["dl19"])
    with pytest.raises(InvalidInputError, match="recipe"):
        learning_experiment(collection(), [])


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds(name):
    assert RECIPES[name].build(collection(), seed=0).encode_queries(["csv graph"]).shape[0] == 1
