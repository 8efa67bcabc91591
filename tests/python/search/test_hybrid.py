"""Every fusion of the registry against brute force over the whole corpus restricted to the candidates; order, limits, parts, bad input."""

import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion_oracle import KINDS, SHARES, Fake, Letters, fuse, two
from real_data import require
from twotower.data import load_collection
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index import BM25Index, FlatIndex
from twotower.search import FUSIONS, Dense, Hybrid, Shuffled

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


def test_every_fusion_has_a_second_definition():
    assert set(SHARES) == set(FUSIONS)


@settings(max_examples=80, deadline=None)
@given(
    tables=st.lists(TABLES, min_size=3, max_size=3),
    place=st.integers(0, 2),
    weight=st.sampled_from([0.3, 1.0, 7.0]),
    kind=st.sampled_from(KINDS),
    depth=st.integers(1, 14),
)
def test_the_limits_of_the_weights_are_the_parents(tables, place, weight, kind, depth):
    searchers = [Fake(name, 12, table) for name, table in zip("xyz", tables, strict=True)]
    weights = [weight if number == place else 0.0 for number in range(3)]
    found = Hybrid(searchers, kind[0], weights, depth, kind[1]).search(["p", "q", "unknown"], 14)
    assert (found.docs[:, :depth] == searchers[place].search(["p", "q", "unknown"], 14).docs[:, :depth]).all()
    assert (found.docs[:, depth:] == -1).all()


def test_scores_that_rounding_made_equal_keep_the_parents_order():
    close = {0: 1e-9, 1: 2e-9, 2: -1.0, 3: 1.0}
    left, right = Fake("left", 4, {"q": close}), Fake("right", 4, {"q": {2: 1.0}})
    hits = Hybrid([left, right], "linear", (1, 0)).search("q", 4)
    assert hits[1].score == hits[2].score
    assert [hit.doc for hit in hits] == [3, 1, 0, 2]


@settings(max_examples=40, deadline=None)
@given(tables=st.lists(TABLES, min_size=3, max_size=3), kind=st.sampled_from(KINDS), order=st.permutations(range(3)))
def test_permuting_searchers_permutes_their_parts(tables, kind, order):
    searchers = [Fake(name, 12, table) for name, table in zip("xyz", tables, strict=True)]
    weights = [0.5, 0.25, 2.0]
    every = np.arange(12)[np.newaxis]
    straight = Hybrid(searchers, kind[0], weights, 5, kind[1])
    permuted = Hybrid([searchers[i] for i in order], kind[0], [weights[i] for i in order], 5, kind[1])
    for name, part in straight.parts(["p"], every).items():
        assert (part == permuted.parts(["p"], every)[name]).all()
    # Only the order of additions differs, by less than rounding to float32 shows but at a border.
    np.testing.assert_allclose(straight.score(["p"], every), permuted.score(["p"], every), rtol=2e-7, atol=1e-12)


@pytest.mark.data
@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
def test_limits_on_real_queries(fusion, normalise, scifact):
    collection, searchers = scifact
    for place, parent in enumerate(searchers):
        weights = [float(number == place) for number in range(2)]
        hybrid = Hybrid(searchers, fusion, weights, normalise=normalise)
        queries = list(collection.queries.values())[:300]
        assert (hybrid.search(queries, 100).docs == parent.search(queries, 100).docs).all()


@pytest.fixture(scope="module")
def scifact():
    collection = load_collection(require("scifact"))
    texts, ids = [document.full_text for document in collection.corpus.values()], list(collection.corpus)
    # Random directions of hashed words: dense vectors with scores of both signs, no training.
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(4096, 24)).astype(np.float32)

    class Hashed:
        out_dim = 24

        def encode_queries(self, texts):
            return np.array([directions[[zlib.crc32(w.encode()) % 4096 for w in t.split()]].sum(0) for t in texts])

    return collection, [
        BM25Index.build(texts, ids),
        Dense(Hashed(), FlatIndex.build(Hashed().encode_queries(texts), ids)),
    ]


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


@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
def test_shares_do_not_depend_on_the_other_queries(fusion, normalise):
    rng = np.random.default_rng(0)
    sizes = {"p": 40, "q": 90, "r": 13, "s": 3}
    tables = [
        {text: dict(enumerate(rng.normal(size=size).astype(np.float32).tolist())) for text, size in sizes.items()}
        for _ in range(2)
    ]
    hybrid = Hybrid([Fake("x", 99, tables[0]), Fake("y", 99, tables[1])], fusion, normalise=normalise)
    (together,) = hybrid.candidates(list(sizes))
    for row, (text, size) in enumerate(sizes.items()):
        (alone,) = hybrid.candidates([text])
        assert (alone.docs[0] == range(size)).all()
        assert (alone.shares[:, 0] == together.shares[:, row, :size]).all()


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


@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
def test_a_query_that_nobody_knows_finds_nothing(fusion, normalise):
    hybrid = Hybrid(two(), fusion, normalise=normalise)
    assert hybrid.search(["", "zzz"], 5).docs.tolist() == [[-1] * 5] * 2
    # "x" is a term of BM25, and its vector is zero: the documents of the zero vector's list are no candidates.
    assert [hit.doc_id for hit in hybrid.search("x", 5)] == ["5"]


@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
def test_search_with_parts_asks_once(fusion, normalise):
    searchers = two()
    hybrid = Hybrid(searchers, fusion, (0.3, 1.4), 3, normalise)
    encoded = []
    encode = searchers[1].model.encode_queries
    searchers[1].model.encode_queries = lambda texts: encoded.append(len(texts)) or encode(texts)
    queries = ["a b", "", "x", "c d", "zzz"]
    hits, parts = hybrid.search_with_parts(queries, 4)
    assert encoded == [5]
    assert listed(hits) == listed(hybrid.search(queries, 4))
    again = hybrid.parts(queries, hits.docs)
    assert all((parts[name] == again[name]).all() for name in hybrid.names)


@pytest.mark.parametrize(("fusion", "normalise"), KINDS)
def test_the_cost_is_counted(fusion, normalise):
    hybrid = Hybrid(two(), fusion, depth=2, normalise=normalise)
    assert hybrid.cost is None
    hybrid.search(["a b", "c", "x"], 3)
    cost = hybrid.cost
    bm25, dense = cost.parts["bm25"], cost.parts["dense"]
    n_candidates = sum(len(set(bm) | set(de)) for bm, de in zip(*[
        [[hit.doc for hit in row] for row in searcher.search(["a b", "c", "x"], 2)] for searcher in hybrid.searchers
    ], strict=True))  # fmt: skip
    assert (cost.n_queries, cost.candidates) == (3, n_candidates)
    assert (bm25.searches, dense.searches, bm25.encoded, dense.encoded) == (3, 3, 0, 3)
    assert bm25.scored == dense.scored == (0 if fusion == "rrf" else n_candidates)
    assert 0 <= cost.fuse_seconds <= cost.seconds
    assert cost.to_dict()["parts"]["dense"]["encoded"] == 3
    assert "| dense | 3 |" in cost.to_markdown()
    hybrid.search([], 3)
    assert (hybrid.cost.n_queries, hybrid.cost.candidates) == (0, 0)
    assert "0 queries" in hybrid.cost.to_markdown()


def test_convex_knows_the_least_scores():
    bm25, dense = two()
    shares = Hybrid([bm25, dense], "convex", (1, 1), depth=7).parts(["a b"], [range(7)])
    scores = bm25.score(["a b"], [range(7)])[0].astype(np.float64)
    np.testing.assert_allclose(shares["bm25"][0], scores / scores.max(), rtol=1e-6)
    vectors, query = dense.index.vectors.astype(np.float64), dense.encode(["a b"])[0].astype(np.float64)
    bound = np.linalg.norm(query) * np.linalg.norm(vectors, axis=1).max()
    products = vectors @ query
    np.testing.assert_allclose(shares["dense"][0], (products + bound) / (products.max() + bound), rtol=1e-6)


def test_convex_refuses_scores_without_a_known_minimum():
    bm25, dense = two()
    robertson = BM25Index.build(["a"] * 7, bm25.doc_ids, variant="robertson")
    for other in (robertson, Hybrid([bm25, dense])):
        with pytest.raises(InvalidInputError, match=f"least score that '{other.name}'"):
            Hybrid([dense, other], "convex")


@settings(max_examples=50, deadline=None)
@given(
    vectors=st.lists(st.lists(st.floats(-8, 8, width=32), min_size=3, max_size=3), min_size=1, max_size=6),
    query=st.lists(st.floats(-8, 8, width=32), min_size=3, max_size=3),
)
def test_no_product_is_below_the_least_score(vectors, query):
    index, asked = FlatIndex.build(np.array(vectors, np.float32)), np.array([query], np.float32)
    least = Dense(Letters(), FlatIndex.build(np.eye(4, dtype=np.float32))).least_scores(np.eye(4, dtype=np.float32))
    assert (least == -1).all()
    dense = Dense(None, index)
    scores = index.score(asked, np.arange(len(vectors))[np.newaxis]).astype(np.float64)
    assert (scores >= dense.least_scores(asked)[:, np.newaxis] * (1 + 1e-6)).all()


def test_a_shuffled_searcher_gives_its_scores_to_others():
    bm25, dense = two()
    for searcher in (bm25, dense):
        shuffled = Shuffled(searcher, seed=3)
        assert shuffled.name == searcher.name
        queries = ["a b", "c", "", "d"]
        hits, plain = shuffled.search(queries, 4), searcher.search(queries, 4)
        assert (hits.scores == plain.scores).all()
        assert (hits.docs != plain.docs).any()
        assert (shuffled.score(queries, hits.docs) == hits.scores).all()
        every = np.tile([-1, *range(7)], (4, 1))
        assert (np.sort(shuffled.score(queries, every)) == np.sort(searcher.score(queries, every))).all()
        assert listed(Shuffled(searcher, seed=3).search(queries, 4)) == listed(hits)
    assert Hybrid([bm25, Shuffled(dense)], "convex").search("a b", 3)
    assert not hasattr(Shuffled(BM25Index.build(["a"], variant="robertson")), "least_scores")


def test_hybrids_nest():
    inner = Hybrid(two())
    outer = Hybrid([inner, *two()], "linear")
    assert list(outer.parts(["a"], [[0]])) == ["hybrid", "bm25", "dense"]
    assert outer.search("a b", 1)[0].doc_id == "1"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"searchers": []}, InvalidInputError, "no searchers"),
        ({"fusion": "sum"}, InvalidInputError, "combmnz, combsum, convex, linear, rrf"),
        ({"weights": [1]}, InvalidInputError, "1 weights for 2"),
        ({"weights": [0, 0]}, InvalidInputError, "all weights are 0"),
        ({"weights": [1, -1]}, InvalidInputError, "out of range"),
        ({"weights": [1, float("nan")]}, InvalidInputError, "out of range"),
        ({"weights": [1, "1"]}, InputTypeError, "give a number"),
        ({"weights": 1}, InputTypeError, "one number a searcher"),
        ({"depth": 0}, InvalidInputError, "depth is 0"),
        ({"normalise": "minmax"}, InvalidInputError, "rrf fuses ranks"),
        ({"fusion": "linear", "normalise": "z"}, InvalidInputError, "minmax, none, zscore"),
        ({"fusion": "combmnz", "normalise": "zscore"}, InvalidInputError, "choose one of minmax"),
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


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_not_finite_is_refused(score):
    left = Fake("left", 4, {"q": {3: 2.0, 1: 1.0}})
    right = Fake("right", 4, {"q": {0: 9.0, 2: score}})
    with pytest.raises(
        InvalidInputError, match=r"searcher 'right' gives document 'd2' the score .*(nan|inf) for query 0"
    ):
        Hybrid([left, right]).search("q", 4)
