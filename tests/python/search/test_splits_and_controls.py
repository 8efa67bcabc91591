"""Runs over splits, chance and the query-blind control, on collections small enough to check by hand."""

from itertools import permutations

import numpy as np
import pytest

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index import BM25Index
from twotower.search import QueryBlind, expected_random_rr, random_run, rank_candidates, search_split
from twotower.types import Collection, Document


@pytest.fixture
def collection():
    texts = {"a": "red apple", "b": "green apple", "c": "blue sky", "d": "grey sky sky"}
    return Collection(
        "fruit",
        {doc_id: Document(text) for doc_id, text in texts.items()},
        {"1": "apple", "2": "sky", "3": "nothing", "4": "unjudged"},
        {"test": {"2": {"d": 1}, "1": {"a": 1}, "3": {"a": 0}}, "none": {}, "broken": {"9": {"a": 1}}},
        {"1": ["c", "b", "a", "b"], "2": ["d"]},
    )


@pytest.fixture
def bm25(collection):
    return BM25Index.build([d.full_text for d in collection.corpus.values()], list(collection.corpus))


def test_search_split(collection, bm25):
    run = search_split(bm25, collection, "test")
    assert list(run) == ["2", "1", "3"]
    assert list(run["2"]) == ["d", "c"]
    assert list(run["1"]) == ["a", "b"]
    assert run["3"] == {}
    assert search_split(bm25, collection, "test", k=1)["1"].keys() == {"a"}
    assert search_split(bm25, collection, "test", k=0) == {"2": {}, "1": {}, "3": {}}
    assert search_split(bm25, collection, "none") == {}


def test_rank_candidates(collection, bm25, monkeypatch):
    run = rank_candidates(bm25, collection, "test")
    assert list(run) == ["2", "1", "3"]
    assert list(run["1"]) == ["a", "b", "c"]
    assert run["1"]["c"] == 0.0
    assert list(run["2"]) == ["d"]
    assert run["3"] == {}
    assert rank_candidates(bm25, collection, "none") == {}
    monkeypatch.setattr("twotower.search.splits._BLOCK", 1)
    assert rank_candidates(bm25, collection, "test") == run


def test_splits_refuse(collection, bm25):
    with pytest.raises(InvalidInputError, match="no split 'dev'"):
        search_split(bm25, collection, "dev")
    with pytest.raises(InvalidInputError, match="'9' is judged in 'broken' but has no text"):
        search_split(bm25, collection, "broken")
    collection.candidates["1"].append("z")
    with pytest.raises(InvalidInputError, match="'z'"):
        rank_candidates(bm25, collection, "test")
    collection.candidates.clear()
    with pytest.raises(InvalidInputError, match="no candidates"):
        rank_candidates(bm25, collection, "test")


def test_random_run(collection):
    run = random_run(collection, "test", k=3, seed=5)
    assert run == random_run(collection, "test", k=3, seed=5)
    assert list(run) == ["2", "1", "3"]
    for found in run.values():
        assert list(found.values()) == [3.0, 2.0, 1.0]
        assert set(found) <= set(collection.corpus)
    assert len({tuple(random_run(collection, "test", seed=seed)["1"]) for seed in range(30)}) > 10
    assert len(random_run(collection, "test", k=50)["1"]) == 4
    assert random_run(collection, "test", k=0)["1"] == {}
    with pytest.raises(InvalidInputError, match="seed"):
        random_run(collection, "test", seed=-1)


@pytest.mark.parametrize("n", range(7))
def test_expected_random_rr_is_the_mean_over_all_orders(n):
    for n_relevant in range(n + 1):
        for k in (None, *range(n + 3)):
            orders = list(permutations([1] * n_relevant + [0] * (n - n_relevant)))
            firsts = [order.index(1) + 1 if 1 in order else None for order in orders]
            values = [1 / rank if rank and (k is None or rank <= k) else 0.0 for rank in firsts]
            assert expected_random_rr(n, n_relevant, k) == pytest.approx(sum(values) / len(values), abs=1e-12)


def test_expected_random_rr_refuses():
    with pytest.raises(InvalidInputError, match="n_relevant is 4"):
        expected_random_rr(3, 4)
    with pytest.raises(InvalidInputError, match="k is -1"):
        expected_random_rr(3, 1, -1)


def blobs(seed=0, n=400):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 3)).astype(np.float32) * np.array([1, 100, 0.01], np.float32) + 5
    chance = 1 / (1 + np.exp(-(1.5 * (features[:, 0] - 5) - 1)))
    return features, np.flatnonzero(rng.random(n) < chance)


def test_query_blind_maximises_the_penalised_likelihood():
    features, positives = blobs()
    blind = QueryBlind.fit(features, positives)
    standard = (features.astype(np.float64) - features.mean(0, dtype=np.float64)) / features.std(0, dtype=np.float64)
    logits = blind.scores.astype(np.float64)
    weights, *_ = np.linalg.lstsq(np.column_stack([standard, np.ones(len(standard))]), logits, rcond=None)
    labels = np.isin(np.arange(len(features)), positives)
    residual = 1 / (1 + np.exp(-logits)) - labels
    np.testing.assert_allclose(standard.T @ residual + weights[:3], 0, atol=1e-3)
    assert residual.sum() == pytest.approx(0, abs=1e-3)
    assert abs(weights[0]) > 5 * np.abs(weights[1:3]).max()


def test_query_blind_ranks_every_query_alike():
    features, positives = blobs(n=30)
    blind = QueryBlind.fit(features, positives, [f"d{doc}" for doc in range(30)])
    hits = blind.search(["one", "two"], 40)
    assert hits.docs[0].tolist() == hits.docs[1].tolist()
    assert sorted(hits.docs[0, :30].tolist()) == list(range(30))
    assert (hits.docs[:, 30:] == -1).all()
    assert (blind.score(["x", "y"], hits.docs) == hits.scores).all()
    assert blind.search("one", 2)[0].doc_id == f"d{hits.docs[0, 0]}"
    assert blind.search([], 3).docs.shape == (0, 3)


def test_query_blind_survives_separable_and_constant_features():
    features = np.array([[0, 1], [0, 1], [9, 1], [9, 1]], np.float32)
    blind = QueryBlind.fit(features, [2, 3, 3])
    assert np.isfinite(blind.scores).all()
    assert blind.search("", 4)[0].doc == 2
    alike = QueryBlind.fit(np.ones((3, 2), np.float32), [1])
    assert [hit.doc for hit in alike.search("", 3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("positives", "error", "message"),
    [
        ([], InvalidInputError, "empty"),
        ([0, 1, 2], InvalidInputError, "all 3"),
        ([3], InvalidInputError, "holds 3"),
        ([-1], InvalidInputError, "holds -1"),
        ([0.5], InputTypeError, "integers"),
        (["a"], InputTypeError, "integers"),
    ],
)
def test_query_blind_refuses(positives, error, message):
    with pytest.raises(error, match=message):
        QueryBlind.fit(np.eye(3, dtype=np.float32), positives)
