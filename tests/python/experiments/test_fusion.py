"""The fusion experiment on made-up scores: it finds a gain that is there, none where one parent is noise, and tests nothing it tuned on."""

import json

import numpy as np
import pytest

from twotower.errors import InvalidInputError
from twotower.experiments import FusionCase, fusion_experiment
from twotower.types import Collection, Document, Hits

N_DOCS = 60


class Noisy:
    """Scores are a hidden relevance plus noise of this searcher's own."""

    def __init__(self, name, scores):
        self.name, self.scores, self.doc_ids = name, scores, [f"d{doc}" for doc in range(N_DOCS)]

    def search(self, texts, k):
        rows = self.score(texts, np.tile(np.arange(N_DOCS), (len(texts), 1)))
        order = np.argsort(-rows, axis=1, kind="stable")[:, :k]
        return Hits(np.take_along_axis(rows, order, axis=1), order, self.doc_ids.__getitem__)

    def score(self, texts, docs):
        rows = np.array([self.scores[int(text)] for text in texts], np.float32).reshape(len(texts), N_DOCS)
        return np.where(docs < 0, np.float32(-np.inf), np.take_along_axis(rows, np.maximum(docs, 0), axis=1))


def case(name, seed, tune=("train",), signal=(1.0, 1.0), n=120):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, N_DOCS))
    searchers = [Noisy(f"s{i}", s * hidden + rng.normal(size=(n, N_DOCS))) for i, s in enumerate(signal)]
    top = hidden.argsort(axis=1)[:, -3:]
    qrels = {str(query): {f"d{doc}": 1 for doc in row} for query, row in enumerate(top.tolist())}
    halves = {"train": dict(list(qrels.items())[: n // 2]), "test": dict(list(qrels.items())[n // 2 :])}
    corpus = {f"d{doc}": Document(f"text {doc} of {name}") for doc in range(N_DOCS)}
    collection = Collection(name, corpus, {str(query): str(query) for query in range(n)}, halves)
    return FusionCase(collection, searchers, tune, beside={"first again": searchers[0]})


KINDS = [("linear", "minmax"), ("rrf", None)]


@pytest.fixture(scope="module")
def result():
    lines = []
    cases = [case("a", 1), case("b", 2), case("c", 3, tune=())]
    found = fusion_experiment(cases, kinds=KINDS, n_resamples=400, log=lines.append)
    assert len(lines) == len(KINDS) + 3 + 3
    return found


def test_a_gain_that_is_there_is_found(result):
    assert result.gained
    claim = result.gains_of(result.questions[0])
    assert [gain.where for gain in claim] == ["a", "b", "c"]
    assert all(gain.low <= gain.mean <= gain.high for gain in result.gains)
    assert all(result.not_inferior(gain) == (gain.low > -0.02) for gain in claim)
    assert all(gain.p <= gain.p_holm for gain in claim)
    assert result.pooled[0].mean == pytest.approx(np.mean([gain.mean for gain in claim]))


def test_rows_are_what_they_say(result):
    test = result.tests[0]
    assert test.n_queries == 60
    parents = np.array([test.rows["s0"], test.rows["s1"]])
    assert (test.rows["better parent of each query (uses gold)"] == parents.max(axis=0)).all()
    assert test.baseline(result.questions[0]) == f"s{parents.mean(axis=1).argmax()}"
    assert (test.rows["first again"] == test.rows["s0"]).all()
    assert test.rows["random"].mean() < 0.2 < parents.mean()
    own = result.kinds[result.kind].own
    assert [test.tuning for test in result.tests] == [own["a"], own["b"], result.kinds[result.kind].pooled]


def test_a_shuffled_parent_gains_nothing(result):
    shuffled = [gain for gain in result.pooled[: len(result.questions)] if "shuffled" in gain.row]
    assert len(shuffled) == 2
    assert all(gain.low <= 0 for gain in shuffled)
    assert all(tuned.pooled.weight < 0.3 for tuned in result.shuffled.values())


def test_noise_as_a_parent_gets_next_to_no_weight():
    result = fusion_experiment([case("a", 1, signal=(1.0, 0.0), n=400)], kinds=KINDS[:1], n_resamples=200, seeds=[0])
    assert result.tests[0].tuning.weight < 0.2
    assert result.pooled[0].low <= 0
    assert len(result.pooled) == len(result.questions)


def test_figures_are_json_and_tables(result):
    figures = json.loads(json.dumps(result.to_dict()))
    assert figures["kind"] in [list(kind) for kind in KINDS]
    assert figures["gained"] is True
    assert figures["tests"][2]["means"]["hybrid"] == result.tests[2].rows["hybrid"].mean()
    assert figures["tests"][1]["by_query"]["s1"] == result.tests[1].rows["s1"].tolist()
    assert figures["tests"][0]["cost"]["parts"]["s0"]["searches"] == 60
    text = result.to_markdown()
    for row in result.tests[0].rows:
        assert f"| {row} |" in text
    assert (
        f"{result.pooled[0].mean:+.4f} | {result.pooled[0].low:+.4f} to {result.pooled[0].high:+.4f} | | | above 0"
        in text
    )


def test_the_same_again(result):
    again = fusion_experiment([case("a", 1), case("b", 2), case("c", 3, tune=())], kinds=KINDS, n_resamples=400)
    assert again.gains == result.gains
    assert again.pooled == result.pooled


def test_what_is_refused():
    with pytest.raises(InvalidInputError, match="name of its own"):
        fusion_experiment([case("a", 1), case("a", 2)])
    other = case("b", 2)
    other.searchers[0].name = "other"
    with pytest.raises(InvalidInputError, match="differ in the names"):
        fusion_experiment([case("a", 1), other])
    with pytest.raises(InvalidInputError, match="no case has a split to tune on"):
        fusion_experiment([case("a", 1, tune=())])
    with pytest.raises(InvalidInputError, match="cannot be tuned on and reported"):
        fusion_experiment([case("a", 1, tune=("test",))], kinds=KINDS)
