"""Tuning: the reported means are those of the hybrid itself, the ends are the single searchers, the best is taken."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_data import require
from twotower.data import load_collection
from twotower.errors import CorruptFileError, InvalidInputError
from twotower.evaluation import evaluate
from twotower.index import BM25Index, FlatIndex, TfidfIndex
from twotower.search import Dense, Hybrid, search_split
from twotower.search.tuning import Tuning
from twotower.types import Collection, Document

WORDS = ["red", "green", "blue", "apple", "sky", "sea"]


class Bag:
    """A model whose vector of a text counts a few letters: a searcher that errs differently from BM25."""

    def encode_queries(self, texts):
        return np.array([[text.count(letter) for letter in "aerbl"] for text in texts], np.float32).reshape(-1, 5)


def make(seed, n_docs=30, n_queries=12):
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 6))) for _ in range(n_docs)]
    queries = {f"q{i}": " ".join(rng.choice(WORDS, 2)) for i in range(n_queries)}
    qrels = {query_id: {f"d{d}": 1 for d in rng.choice(n_docs, 3, replace=False)} for query_id in queries}
    corpus = {f"d{i}": Document(text) for i, text in enumerate(texts)}
    searchers = [BM25Index.build(texts, corpus), Dense(Bag(), FlatIndex.build(Bag().encode_queries(texts), corpus))]
    return Collection("toy", corpus, queries, {"valid": qrels, "empty": {}}), searchers


@pytest.mark.parametrize("measure", ["nDCG@10", "RR@3", "AP"])
@pytest.mark.parametrize(("fusion", "normalise"), [("rrf", None), ("linear", "minmax"), ("linear", "none")])
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_means_are_those_of_the_hybrid(fusion, normalise, measure, seed):
    collection, searchers = make(seed)
    hybrid = Hybrid(searchers, fusion, depth=8, normalise=normalise)
    tuning = hybrid.tune(collection, "valid", measure)
    qrels = collection.split("valid")
    assert hybrid.tuning is tuning
    assert hybrid.weights == (1 - tuning.weight, tuning.weight)
    assert list(tuning.sensitivity) == sorted(tuning.sensitivity)
    assert {0.0, 0.05, 0.5, 0.95, 1.0} <= set(tuning.sensitivity)
    assert tuning.sensitivity[tuning.weight] == max(tuning.sensitivity.values())
    for weight, mean in tuning.sensitivity.items():
        fixed = Hybrid(searchers, fusion, (1 - weight, weight), 8, normalise)
        assert evaluate(search_split(fixed, collection, "valid"), qrels, [measure])[measure] == pytest.approx(mean)


def test_ends_are_the_single_searchers():
    collection, searchers = make(1)
    tuning = Hybrid(searchers, "linear", normalise="none").tune(collection, measure="nDCG@10")
    for weight, searcher in zip((0.0, 1.0), searchers, strict=True):
        alone = evaluate(search_split(searcher, collection, "valid"), collection.split("valid"), ["nDCG@10"])
        assert tuning.sensitivity[weight] == alone["nDCG@10"]


def test_equal_means_take_the_middle():
    collection, searchers = make(2)
    collection.qrels["valid"] = {query_id: {"d0": 0} for query_id in collection.queries}
    assert Hybrid(searchers).tune(collection).weight == 0.5


def test_tuning_survives_a_config():
    collection, searchers = make(3)
    hybrid = Hybrid(searchers, "linear")
    hybrid.tune(collection)
    config = json.loads(json.dumps(hybrid.to_config()))
    again = Hybrid.from_config(config, searchers)
    assert again.tuning == hybrid.tuning
    assert again.weights == hybrid.weights
    for key, value in {"weight": 2.0, "n_queries": "many", "sensitivity": [[0]], "split": None}.items():
        with pytest.raises(CorruptFileError, match="malformed"):
            Hybrid.from_config({**config, "tuning": {**config["tuning"], key: value}}, searchers)
    with pytest.raises(InvalidInputError):
        Tuning.from_dict({})


def test_tune_refuses():
    collection, searchers = make(4)
    hybrid = Hybrid(searchers)
    with pytest.raises(InvalidInputError, match="no judged query"):
        hybrid.tune(collection, "empty")
    with pytest.raises(InvalidInputError, match="no split 'dev'"):
        hybrid.tune(collection, "dev")
    with pytest.raises(InvalidInputError):
        hybrid.tune(collection, measure="beauty")
    with pytest.raises(InvalidInputError, match="this hybrid has 1"):
        Hybrid(searchers[:1]).tune(collection)
    assert hybrid.tuning is None


@pytest.mark.data
def test_tuned_on_one_split_of_scifact_is_no_worse_on_the_other():
    collection = load_collection(require("scifact"))
    texts, ids = [document.full_text for document in collection.corpus.values()], list(collection.corpus)
    searchers = [BM25Index.build(texts, ids), TfidfIndex.build(texts, ids)]
    hybrid = Hybrid(searchers, "linear")
    tuning = hybrid.tune(collection, "train")
    qrels = collection.split("test")
    both = [evaluate(search_split(s, collection, "test"), qrels, ["nDCG@10"])["nDCG@10"] for s in (*searchers, hybrid)]
    assert tuning.n_queries == len(collection.split("train"))
    assert both[2] > max(both[:2]) - 0.01
