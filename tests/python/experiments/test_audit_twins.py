"""Twins inside an audit: a tower that learned, one that learned nothing, one that learned by a leak, and a model that is given."""

from dataclasses import replace

import numpy as np
import pytest

import planted
import twotower as tt
from small_collection import translated, vocabulary_of
from twotower.experiments import Recipe
from twotower.training import train

CHECKS = ("twins", "query leaks", "document leaks", "shared sources", "twins without leaks")
TRAINING = {"epochs": 12, "batch_size": 64, "lr": 0.1}
RECIPE = Recipe("small", "average", {"dim": 32}, TRAINING, analyzer="plain")


def shuffled(collection, splits=("train", "valid"), seed=0):
    """Deal the documents of all queries of some splits out anew: labels that teach nothing."""
    rng = np.random.default_rng(seed)
    qrels = dict(collection.qrels)
    for split in splits:
        documents = list(qrels[split].values())
        order = rng.permutation(len(documents))
        qrels[split] = {q: documents[at] for q, at in zip(qrels[split], order.tolist(), strict=True)}
    return replace(collection, qrels=qrels)


def twins(collection, **options):
    return tt.audit(collection, checks=["twins"], **({"recipes": [RECIPE], "seeds": (0, 1)} | options)).of(
        "twins", "test"
    )


@pytest.fixture(scope="module")
def collection():
    return translated(600)


def test_learning_is_found(collection):
    found = twins(collection)
    assert found.verdict == "ok", found.says
    assert "small learned" in found.says
    for control in ("small, untrained", "small, shuffled", "query-blind"):
        assert found.figures[f"small - {control}"][1] > 0


def test_nothing_is_found_where_the_labels_teach_nothing(collection):
    found = twins(shuffled(collection))
    assert found.verdict != "ok", found.says
    assert "no evidence" in found.says or "cannot be shown" in found.says


def test_a_gain_by_leaks_alone_does_not_stay():
    # Each query has words of its own, so nothing carries over but what train repeats: every second test query, with its answer.
    collection = planted.clean(n_test=80)
    queries = {q: f"what about {q}one {q}two {q}three" for q in collection.queries}
    learn = dict(collection.qrels["train"])
    leaked = list(collection.qrels["test"])[::2]
    for query_id in leaked:
        queries[f"{query_id} again"] = queries[query_id]
        learn[f"{query_id} again"] = collection.qrels["test"][query_id]
    leaky = replace(collection, queries=queries, qrels={**collection.qrels, "train": learn})
    recipe = replace(RECIPE, training={**TRAINING, "epochs": 40})
    result = tt.audit(leaky, checks=CHECKS, recipes=[recipe], seeds=(0,), valid=None, tests=["test"])
    assert result.of("twins", "test").verdict == "ok", result.of("twins", "test").says
    for check in ("query leaks", "document leaks"):
        assert result.of(check, "test").verdict == "problem"
        assert result.of(check, "test").affected == leaked
    with_leaks, without = result.of("query leaks", "test").figures["nDCG@10, all queries / without the affected"][
        "small"
    ]
    assert with_leaks > without + 0.1
    clean = result.of("twins without leaks", "test")
    assert clean.verdict == "problem", clean.says
    assert clean.figures["clean queries"] == 40


def test_a_given_model_is_set_against_its_own_twins(collection):
    model = tt.TwoTower.average(vocabulary_of(collection), "plain", dim=32)
    found = twins(collection, model=model, recipes=None)
    assert found.verdict != "ok", found.says
    train(model, collection, **TRAINING)
    found = twins(collection, model=model, recipes=None)
    assert found.verdict == "ok", found.says
    assert {"model - model, untrained", "model - model, shuffled"} <= found.figures.keys()


def test_a_given_model_without_pairs_to_shuffle(collection):
    model = tt.TwoTower.average(vocabulary_of(collection), "plain", dim=8)
    train(model, collection, **TRAINING)
    found = twins(collection, model=model, train=None, valid=None, tests=["test"])
    assert "model - model, untrained" in found.figures
    assert "model - model, shuffled" not in found.figures


def test_nothing_is_trained_where_nobody_asks_or_nothing_is_there(collection):
    assert twins(collection, recipes=[]).verdict == "not run"
    assert twins(collection, train=None, valid=None, tests=["test"]).verdict == "not run"


def test_splits_of_other_names_and_without_valid(collection):
    named = replace(collection, qrels={"learn": collection.qrels["train"], "exam": collection.qrels["test"]})
    result = tt.audit(named, train="learn", checks=["twins"], recipes=[RECIPE], seeds=(0,))
    assert list(result.splits) == ["exam"]
    assert result.of("twins", "exam").verdict == "ok"
