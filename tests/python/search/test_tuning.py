"""Tuning: the reported means are those of the hybrid itself, the ends are the single searchers, the best is taken."""

import json
import sys
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion_oracle import KINDS
from real_data import require
from twotower.data import load_collection
from twotower.errors import CorruptFileError, InvalidInputError, TunedSplitWarning
from twotower.evaluation import evaluate
from twotower.index import BM25Index, FlatIndex, TfidfIndex
from twotower.search import Dense, Hybrid, search_split, tune_together
from twotower.search.tuning import Tuning
from twotower.search.weights import search_simplex
from twotower.types import Collection, Document, Hits

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
    return Collection("toy", corpus, queries, {"valid": qrels, "dev-empty": {}, "test": qrels}), searchers


@pytest.mark.parametrize("measure", ["nDCG@10", "RR@3", "AP"])
@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000))
def test_means_are_those_of_the_hybrid(fusion, normalise, measure, seed):
    collection, searchers = make(seed)
    hybrid = Hybrid(searchers, fusion, depth=8, normalise=normalise)
    tuning = hybrid.tune(collection, "valid", measure)
    qrels = collection.split("valid")
    assert hybrid.tuning is tuning
    assert hybrid.weights == tuning.weights
    assert sum(tuning.weights) == pytest.approx(1)
    assert list(tuning.sensitivity) == sorted(tuning.sensitivity)
    assert {0.0, 0.05, 0.5, 0.95, 1.0} <= set(tuning.sensitivity)
    assert tuning.sensitivity[tuning.weight] == max(tuning.sensitivity.values())
    for weight, mean in tuning.sensitivity.items():
        fixed = Hybrid(searchers, fusion, (round(1 - weight, 2), weight), 8, normalise)
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
    wrong = {"weights": [2.0, 1.0], "seen": "many", "means": [[0]], "measure": None, "searchers": ["bm25"]}
    for key, value in wrong.items():
        with pytest.raises(CorruptFileError, match="malformed"):
            Hybrid.from_config({**config, "tuning": {**config["tuning"], key: value}}, searchers)
    with pytest.raises(InvalidInputError):
        Tuning.from_dict({})


def test_tune_refuses():
    collection, searchers = make(4)
    hybrid = Hybrid(searchers)
    with pytest.raises(InvalidInputError, match="no judged query"):
        hybrid.tune(collection, "dev-empty")
    with pytest.raises(InvalidInputError, match="no split 'dev'"):
        hybrid.tune(collection, "dev")
    with pytest.raises(InvalidInputError):
        hybrid.tune(collection, measure="beauty")
    with pytest.raises(InvalidInputError, match="one searcher has no weight"):
        Hybrid(searchers[:1]).tune(collection)
    assert hybrid.tuning is None


class Planted:
    """Scores by query, 40 documents each; all are listed."""

    def __init__(self, name, scores):
        self.name, self.scores, self.doc_ids = name, scores, [f"d{doc}" for doc in range(scores.shape[1])]

    def search(self, texts, k):
        rows = self.scores[[int(text) for text in texts]]
        order = np.argsort(-rows, axis=1, kind="stable")[:, :k]
        return Hits(np.take_along_axis(rows, order, axis=1), order, self.doc_ids.__getitem__)

    def score(self, texts, docs):
        return np.take_along_axis(self.scores[[int(text) for text in texts]], docs, axis=1)

    def least_scores(self, texts):
        return np.zeros(len(texts))


def planted(weights, seed=0, n_queries=150, n_docs=40):
    """Relevant is what the weighted sum of the scores, in [0, 1] for each query, puts first."""
    scores = np.random.default_rng(seed).random((len(weights), n_queries, n_docs)).astype(np.float32)
    scores[:, :, 0], scores[:, :, 1] = 0, 1  # so that min-max leaves them alone
    first = np.tensordot(np.array(weights), scores[:, :, 2:], axes=1).argmax(axis=1) + 2
    names = [f"d{doc}" for doc in range(n_docs)]
    qrels = {str(query): {names[doc]: 1} for query, doc in enumerate(first.tolist())}
    corpus = {name: Document(f"{name} of {seed}") for name in names}
    queries = {str(query): str(query) for query in range(n_queries)}
    searchers = [Planted(f"s{number}", table) for number, table in enumerate(scores)]
    return Collection(f"planted {seed}", corpus, queries, {"train": qrels, "test": qrels}), searchers


@pytest.mark.parametrize("weights", [(0.7, 0.3), (0.15, 0.85), (0.5, 0.3, 0.2), (0.1, 0.2, 0.3, 0.4)])
@pytest.mark.parametrize("normalise", ["minmax", "none"])
def test_the_planted_weights_are_found(weights, normalise):
    collection, searchers = planted(weights)
    tuning = Hybrid(searchers, "linear", normalise=normalise).tune(collection, "train", "RR@10")
    np.testing.assert_allclose(tuning.weights, weights, atol=0.04)
    assert tuning.best > max(tuning.profile(name)[1.0] for name in tuning.searchers)
    assert len(tuning.means) <= 500


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("weights", "n_queries"), [((0.6, 0.4), 3), ((0.6, 0.4), 25), ((0.5, 0.3, 0.2), 4)])
def test_permuting_searchers_permutes_weights(weights, n_queries, kind):
    collection, searchers = planted(weights, n_queries=n_queries)  # few queries: many weights have the same mean
    straight = Hybrid(searchers, kind[0], normalise=kind[1]).tune(collection, "train")
    for order in permutations(range(len(weights))):
        permuted = Hybrid([searchers[i] for i in order], kind[0], normalise=kind[1]).tune(collection, "train")
        assert permuted.weights == tuple(straight.weights[i] for i in order)


@pytest.mark.parametrize("n", [2, 3, 5, 9, 30])
def test_the_search_keeps_its_bound_and_holds_every_corner(n):
    asked = []

    def mean_at(point):
        asked.append(point)
        return -sum((weight - number) ** 2 for number, weight in enumerate(point))

    point, means = search_simplex(mean_at, n)
    assert len(asked) == len(set(asked)) == len(means) <= 500
    assert all(sum(tried) == 100 and min(tried) >= 0 for tried in means)
    assert {tuple(100 * (i == j) for i in range(n)) for j in range(n)} <= set(means)
    assert means[point] == max(means.values())


def test_tuned_together_is_the_mean_over_collections():
    cases = []
    for seed, weights in ((1, (0.8, 0.2)), (2, (0.4, 0.6))):
        collection, searchers = planted(weights, seed, n_queries=60 * seed)
        cases.append((Hybrid(searchers, "linear"), collection, "train"))
    tuning = tune_together(cases, "RR@10")
    alone = [Hybrid(h.searchers, "linear").tune(c, split, "RR@10") for h, c, split in cases]
    assert alone[0].weight < tuning.weight < alone[1].weight
    for weights in set(tuning.means) & set(alone[0].means) & set(alone[1].means):
        assert tuning.means[weights] == pytest.approx(np.mean([one.means[weights] for one in alone]))
    assert [seen.collection for seen in tuning.seen] == ["planted 1", "planted 2"]
    assert tuning.n_queries == 180
    assert all(hybrid.tuning is tuning and hybrid.weights == tuning.weights for hybrid, _, _ in cases)


def test_several_splits_are_one_set_of_queries():
    collection, searchers = planted((0.5, 0.5), n_queries=40)
    qrels = list(collection.qrels["train"].items())
    collection.qrels |= {"train-1": dict(qrels[:30]), "valid": dict(qrels[30:])}
    parts = Hybrid(searchers, "linear").tune(collection, ["train-1", "valid"])
    assert parts.means == Hybrid(searchers, "linear").tune(collection, "train").means
    assert parts.seen[0].splits == ("train-1", "valid")


def test_weights_are_carried_to_another_collection():
    collection, searchers = planted((0.7, 0.3))
    tuning = Hybrid(searchers, "linear").tune(collection, "train")
    _, others = planted((0.5, 0.5), seed=3)
    taken = Hybrid(others, "linear").take(tuning)
    assert taken.weights == tuning.weights
    assert taken.tuning is tuning
    for hybrid in (Hybrid(others), Hybrid(others, "linear", normalise="zscore"), Hybrid(others[::-1], "linear")):
        with pytest.raises(InvalidInputError, match="were found for"):
            hybrid.take(tuning)
    with pytest.raises(InvalidInputError, match="differ"):
        tune_together([(Hybrid(searchers), collection, "train"), (Hybrid(others, "linear"), collection, "train")])
    with pytest.raises(InvalidInputError, match="at least one"):
        tune_together([])


@pytest.mark.parametrize("split", ["test", "Test", "dl19", "devtest", "testing", "held-out", "trainer", ""])
def test_a_split_to_report_is_not_tuned_on(split):
    collection, searchers = make(4)
    collection.qrels[split] = collection.qrels["valid"]
    hybrid = Hybrid(searchers)
    with pytest.raises(InvalidInputError, match="is not one to tune on"):
        hybrid.tune(collection, split)
    with pytest.raises(InvalidInputError, match="is not one to tune on"):
        hybrid.tune(collection, ["valid", split])
    assert hybrid.tuning is None


@pytest.mark.parametrize("split", ["train", "Valid", "validation", "dev", "dev.small", "train-2", "development_1"])
def test_a_split_to_tune_on_is(split):
    collection, searchers = make(4)
    collection.qrels[split] = collection.qrels["valid"]
    assert Hybrid(searchers).tune(collection, split).seen[0].splits == (split,)


def test_reporting_what_was_tuned_on_is_flagged():
    collection, searchers = make(5)
    hybrid = Hybrid(searchers, "linear")
    search_split(hybrid, collection, "valid")
    hybrid.tune(collection)
    search_split(hybrid, collection, "test")
    nested = Hybrid([hybrid, TfidfIndex.build([d.full_text for d in collection.corpus.values()], collection.corpus)])
    again = Hybrid.from_config(json.loads(json.dumps(hybrid.to_config())), searchers)
    for searcher in (hybrid, nested, again):
        with pytest.warns(TunedSplitWarning, match="'hybrid' were found on 'valid' of toy"):
            search_split(searcher, collection, "valid")
    # The same name with other content is another collection.
    other = Collection(collection.name, collection.corpus, collection.queries, {"valid": {"q0": {"d0": 1}}})
    search_split(hybrid, other, "valid")


def test_sensitivity_as_text_and_picture():
    collection, searchers = make(6)
    tuning = Hybrid(searchers, "linear").tune(collection)
    text = tuning.to_markdown()
    assert f"{tuning.measure} {tuning.best:.4f} on toy valid, 12 queries" in text
    assert f"| dense | {tuning.sensitivity[0.0]:.4f} | {tuning.sensitivity[0.1]:.4f} |" in text
    assert "| bm25 |" not in text
    with pytest.raises(InvalidInputError, match="choose one of bm25, dense"):
        tuning.profile("tfidf")
    three = [*searchers, TfidfIndex.build([d.full_text for d in collection.corpus.values()], collection.corpus)]
    tuning = Hybrid(three, "linear").tune(collection)
    assert all(f"| {searcher.name} |" in tuning.to_markdown() for searcher in three)
    profile = tuning.profile("tfidf")
    assert profile[1.0] == tuning.means[0.0, 0.0, 1.0]
    assert max(profile.values()) == tuning.best
    pytest.importorskip("matplotlib")
    svg = tuning.plot()
    assert svg == tuning.plot()
    assert all(word in svg for word in ("<svg", "tfidf", "nDCG@10", "toy valid"))


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    collection, searchers = make(7)
    tuning = Hybrid(searchers).tune(collection)
    with pytest.raises(ImportError, match=r'pip install "twotower\[report\]"'):
        tuning.plot()


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
