"""Every fusion of the registry against brute force over the whole corpus restricted to the candidates; order, limits, parts, bad input."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion_oracle import KINDS, Fake, Letters, fuse, two
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index import BM25Index, FlatIndex
from twotower.search import FUSIONS, Dense, Hybrid

SCORE = st.sampled_from([-1.0, 0.0, 0.1, 0.5, 1.0, 1.5, 7.25]) | st.floats(-50, 50, width=32)
TABLE = st.dictionaries(st.integers(0, 11), SCORE)
TABLES = st.fixed_dictionaries({"p": TABLE, "q": TABLE})
WEIGHTS = st.lists(st.sampled_from([0.0, 0.25, 1.0, 1.1]), min_size=3, max_size=3).filter(any)


@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
@settings(max_examples=60, deadline=None)
@given(tables=st.lists(TABLES, min_size=3, max_size=3), weights=WEIGHTS, depth=st.integers(1, 20), k=st.integers(0, 15))
def test_equals_brute_force(fusion, normalise, tables, weights, depth, k):
    searchers = [Fake(name, 12, table) for name, table in zip("xyz", tables, strict=True)]
    hybrid = Hybrid(searchers, fusion, weights, depth, normalise)
    texts = ["p", "q", "unknown"]
    hits = hybrid.search(texts, k)
    every = np.tile(np.arange(-1, 12), (3, 1))
    scores = hybrid.score(texts, every)
    parts = hybrid.parts(texts, every)
    for row, text in enumerate(texts):
        expected = fuse(searchers, fusion, weights, depth, normalise, text)[:k]
        assert [(hit.doc, hit.score) for hit in hits[row]] == expected
        given_docs = fuse(searchers, fusion, weights, depth, normalise, text, range(12))
        assert scores[row].tolist() == [-np.inf, *(score for _, score in given_docs)]
    assert hits.docs.shape == hits.scores.shape == (3, k)
    assert (np.isneginf(hits.scores) == (hits.docs < 0)).all()
    assert list(parts) == ["x", "y", "z"]
    np.testing.assert_allclose(sum(part.astype(np.float64) for part in parts.values()), scores, rtol=1e-5, atol=1e-5)


def listed(hits):
    return [[(hit.doc_id, hit.score) for hit in row] for row in hits]


@pytest.mark.parametrize("depth", [1, 3, 100])
@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
def test_a_single_weight_gives_that_searchers_list(fusion, normalise, depth):
    searchers = two()
    queries = ["a b", "c", "d x", "", "nothing"]
    for place, parent in enumerate(searchers):
        weights = [0.0, 0.0]
        weights[place] = 1.0
        found = Hybrid(searchers, fusion, weights, depth, normalise).search(queries, 7)
        alone = parent.search(queries, min(depth, 7))
        assert [[hit.doc_id for hit in row] for row in found] == [[hit.doc_id for hit in row] for row in alone]
        if normalise == "none":
            assert listed(found) == listed(alone)


def test_real_indexes_and_missing_scores_are_computed():
    bm25, dense = two()
    hybrid = Hybrid([bm25, dense], "linear", (1.0, 1.1), depth=1, normalise="none")
    texts = ["a b", "c d"]
    hits = hybrid.search(texts, 7)
    direct = bm25.score(texts, hits.docs).astype(np.float64) + 1.1 * dense.score(texts, hits.docs).astype(np.float64)
    assert (hits.scores == direct.astype(np.float32)).all()
    assert (hits.scores == hybrid.score(texts, hits.docs)).all()
    parts = hybrid.parts(texts, hits.docs)
    assert list(parts) == ["bm25", "dense"]
    assert (parts["bm25"] == bm25.score(texts, hits.docs)).all()


def test_ties_go_to_the_lower_doc():
    left = Fake("left", 4, {"q": {3: 2.0, 1: 1.0}})
    right = Fake("right", 4, {"q": {0: 9.0, 2: 8.0}})
    assert [hit.doc for hit in Hybrid([left, right]).search("q", 4)] == [0, 3, 1, 2]


@pytest.mark.parametrize("fusion", sorted(FUSIONS))
def test_a_longer_list_begins_with_the_shorter(fusion):
    hybrid = Hybrid(two(), fusion, depth=4)
    longest = hybrid.search("a b d", 50)
    for k in range(8):
        assert hybrid.search("a b d", k) == longest[:k]


@pytest.mark.parametrize("fusion", sorted(FUSIONS))
def test_many_blocks_are_one(fusion, monkeypatch):
    hybrid = Hybrid(two(), fusion)
    queries = ["a", "b c", "", "d", "x a"]
    whole, scores = hybrid.search(queries, 5), hybrid.score(queries, np.tile([4, -1, 0], (5, 1)))
    monkeypatch.setattr("twotower.search.hybrid._BLOCK", 2)
    assert listed(hybrid.search(queries, 5)) == listed(whole)
    assert (hybrid.score(queries, np.tile([4, -1, 0], (5, 1))) == scores).all()


@pytest.mark.parametrize("fusion", sorted(FUSIONS))
def test_edges(fusion):
    hybrid = Hybrid(two(), fusion)
    assert hybrid.search([], 3).docs.shape == (0, 3)
    assert hybrid.search(["a"], 0).docs.shape == (1, 0)
    assert hybrid.search(["a"], 20).docs.shape == (1, 20)
    assert hybrid.score([], np.empty((0, 2), np.int64)).shape == (0, 2)
    assert hybrid.score(["a"], np.empty((1, 0), np.int64)).shape == (1, 0)
    empty = Hybrid([BM25Index.build([]), Dense(Letters(), FlatIndex.build(np.empty((0, 4), np.float32)))], fusion)
    assert empty.search("a", 3) == []
    assert len(empty) == 0


def test_hybrids_nest():
    inner = Hybrid(two())
    outer = Hybrid([inner, *two()], "linear")
    assert list(outer.parts(["a"], [[0]])) == ["hybrid", "bm25", "dense"]
    assert outer.search("a b", 1)[0].doc_id == "1"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"searchers": []}, InvalidInputError, "no searchers"),
        ({"fusion": "sum"}, InvalidInputError, "linear, rrf"),
        ({"weights": [1]}, InvalidInputError, "1 weights for 2"),
        ({"weights": [0, 0]}, InvalidInputError, "all weights are 0"),
        ({"weights": [1, -1]}, InvalidInputError, "out of range"),
        ({"weights": [1, float("nan")]}, InvalidInputError, "out of range"),
        ({"weights": [1, "1"]}, InputTypeError, "give a number"),
        ({"weights": 1}, InputTypeError, "one number a searcher"),
        ({"depth": 0}, InvalidInputError, "depth is 0"),
        ({"normalise": "minmax"}, InvalidInputError, "rrf fuses ranks"),
        ({"fusion": "linear", "normalise": "z"}, InvalidInputError, "minmax, none"),
    ],
)
def test_wrong_options(change, error, message):
    with pytest.raises(error, match=message):
        Hybrid(**{"searchers": two(), **change})


def test_wrong_queries_and_docs():
    hybrid = Hybrid(two())
    with pytest.raises(InputTypeError, match="query 1 is 3"):
        hybrid.search(["a", 3])
    with pytest.raises(InputTypeError, match="int"):
        hybrid.search(5)
    with pytest.raises(InvalidInputError, match="k is -1"):
        hybrid.search("a", -1)
    with pytest.raises(InvalidInputError, match="7 documents"):
        hybrid.score(["a"], [[7]])


def test_searchers_must_number_documents_alike():
    texts, vectors = ["a", "b"], np.eye(2, 4, dtype=np.float32)
    bm25 = BM25Index.build(texts, ["x", "y"])
    with pytest.raises(InvalidInputError, match="bm25 holds 2 documents, dense 1"):
        Hybrid([bm25, Dense(Letters(), FlatIndex.build(vectors[:1], ["x"]))])
    with pytest.raises(InvalidInputError, match="document 0 is 'x' in bm25, 'y' in dense"):
        Hybrid([bm25, Dense(Letters(), FlatIndex.build(vectors, ["y", "x"]))])
    with pytest.raises(InvalidInputError, match="two searchers are named 'bm25'"):
        Hybrid([bm25, bm25])
    assert len(Hybrid([bm25, Dense(Letters(), FlatIndex.build(vectors, ["x", "y"]))])) == 2
    # Numbers given as ids and numbers by default are the same ids.
    Hybrid([BM25Index.build(texts, ["0", "1"]), Dense(Letters(), FlatIndex.build(vectors))])


def test_dense_wants_the_models_width():
    with pytest.raises(InvalidInputError, match="4 dimensions, the index holds 3"):
        Dense(Letters(), FlatIndex.build(np.eye(3, dtype=np.float32)))


def test_dense_is_its_index():
    _, dense = two()
    vectors = Letters().encode_queries(["a d"])
    assert dense.search("a d", 3) == dense.index.search(vectors, 3)[0]
    assert listed(dense.search(["a d"], 3)) == listed(dense.index.search(vectors, 3))
    assert (dense.score(["a d"], [[0, -1]]) == dense.index.score(vectors, [[0, -1]])).all()
    assert dense.search([], 3).docs.shape == (0, 3)


@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
def test_config_round_trip(fusion, normalise):
    searchers = two()
    hybrid = Hybrid(searchers, fusion, [0.3, 0.7], 5, normalise)
    again = Hybrid.from_config(json.loads(json.dumps(hybrid.to_config())), searchers)
    assert again.to_config() == hybrid.to_config()
    assert again.search("a b", 5) == hybrid.search("a b", 5)


@pytest.mark.parametrize(
    "change",
    [
        {"fusion": "sum"},
        {"fusion": ["rrf"]},
        {"weights": None, "surplus": 1},
        {"weights": "12"},
        {"weights": [1.0]},
        {"searchers": ["bm25", "flat"]},
        {"depth": "5"},
        {"normalise": "minmax"},
        {"tuning": {"split": "valid"}},
        {"tuning": 3},
    ],
)
def test_nonsense_config_is_refused(change):
    searchers = two()
    with pytest.raises(CorruptFileError):
        Hybrid.from_config({**Hybrid(searchers).to_config(), **change}, searchers)
    with pytest.raises(CorruptFileError):
        Hybrid.from_config("rrf", searchers)
