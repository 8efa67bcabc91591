"""Forced algorithms, filters and profiles of a lexical search; the answers are those of the oracle whatever is chosen."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_data import require
from twotower.errors import InputTypeError, InvalidInputError
from twotower.index import BM25Index, TfidfIndex
from twotower.index.native import core
from twotower.index.where import DocBitmap
from twotower.text import Analyzer

ALGORITHMS = ["auto", *core.query_algorithms()]
DOCUMENTS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), min_size=1, max_size=80)
QUERIES = st.lists(st.lists(st.sampled_from("abcdefghxyz"), max_size=6), min_size=1, max_size=4)
TEXTS = [["a", "b"], ["a"], ["b", "b", "c"], [], ["c", "a"]]


@pytest.mark.data
@pytest.mark.parametrize("isa", core.isa_names())
def test_pairwise_product(isa):
    require("msmarco-passage-32k")
    script = Path(__file__).with_name("lexical_product.py")
    command = [sys.executable, str(script), "--pairwise", "--one-isa"]
    env = {**os.environ, "TWOTOWER_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["isa"] == isa
    assert result["collections"]["comparisons"] > 5000
    assert result["random_corpora"]["comparisons"] > 4000


@settings(max_examples=60, deadline=None)
@given(documents=DOCUMENTS, queries=QUERIES, data=st.data())
def test_where_leaves_the_rest_as_it_was(documents, queries, data):
    index = BM25Index.build(documents)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(documents), max_size=len(documents))))
    everything = index.search(queries, len(documents))
    for algorithm in ALGORITHMS:
        for k in (1, 3, len(documents)):
            hits = index.search(queries, k, algorithm=algorithm, where=mask)
            for q in range(len(queries)):
                allowed = [(hit.doc, hit.score) for hit in everything[q] if mask[hit.doc]]
                assert [(hit.doc, hit.score) for hit in hits[q]] == allowed[:k]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_long_queries_and_many_repetitions(algorithm):
    index = TfidfIndex.build([["a"] * 3 + ["b"], ["b"], ["c", "a"]] * 10)
    bm25 = BM25Index.build([["a"] * 3 + ["b"], ["b"], ["c", "a"]] * 10)
    for queries in ([["a"] * 5000 + ["b"]], [["c", "b"] * 700], [["x"], [], ["a"]]):
        for searched in (index, bm25):
            hits = searched.search(queries, 7, algorithm=algorithm)
            expected = searched.search(queries, 7, algorithm="exhaustive")
            assert np.array_equal(hits.docs, expected.docs)
            assert np.array_equal(hits.scores, expected.scores)


def test_profile_says_what_ran():
    index = BM25Index.build([["a", "b"] if i % 2 else ["a"] for i in range(3000)] + [["c"]])
    hits, profile = index.profile([["a", "b"], ["x"], ["c"]], 10, algorithm="maxscore")
    assert profile.algorithms == {"maxscore": 2}  # a query without a known term is ranked by none
    assert profile.postings == 3000 + 1500 + 1
    assert 0 < profile.postings_scored <= profile.postings
    assert profile.rescored >= 11
    assert np.array_equal(hits.docs, index.search([["a", "b"], ["x"], ["c"]], 10).docs)
    exhaustive = index.profile([["a", "b", "b"]], 10, algorithm="exhaustive")[1]
    assert (exhaustive.postings, exhaustive.postings_scored) == (4500, 6000)
    assert index.profile([["a"] * 1024, ["a"] * 1025], algorithm="windowed")[1].algorithms == {
        "windowed": 1,
        "exhaustive": 1,
    }


@pytest.mark.parametrize(("n_allowed", "scans"), [(0, False), (3, False), (40, False), (4000, True)])
def test_a_filter_that_few_pass_is_where_the_search_begins(n_allowed, scans):
    random = np.random.default_rng(0)
    index = BM25Index.build([[f"t{t}" for t in random.integers(0, 41, random.integers(1, 6))] for _ in range(40_000)])
    queries = [["t0", "t1", "t1"], ["t2"], ["t3", "unknown", "t4"]]
    where = np.sort(random.choice(len(index), n_allowed, replace=False))
    expected = index.search(queries, 20, algorithm="exhaustive", where=where)
    hits, profile = index.profile(queries, 20, algorithm="adaptive", where=where)
    np.testing.assert_array_equal(hits.docs, expected.docs)
    np.testing.assert_array_equal(hits.scores, expected.scores)
    assert (profile.windows > 0) == scans


def test_auto_scores_all_where_all_are_asked_for():
    index = BM25Index.build([["a"]] * 500)
    assert index.profile([["a"]], 400)[1].algorithms == {"exhaustive": 1}
    assert index.profile([["a"]], 1)[1].algorithms == {"adaptive": 1}


def test_profiles_are_the_same_for_every_thread_count():
    random = np.random.default_rng(0)
    index = BM25Index.build([[str(t) for t in row] for row in random.integers(0, 90, (20_000, 5))])
    queries = [[str(t) for t in row] for row in random.integers(0, 90, (50, 4))]
    for algorithm in ALGORITHMS:
        assert (
            index.profile(queries, 5, 1, algorithm=algorithm)[1] == index.profile(queries, 5, 2, algorithm=algorithm)[1]
        )


@pytest.mark.parametrize(
    "where",
    [
        [True, False, False, True, True],
        np.array([True, False, False, True, True]),
        [0, 3, 4, 4],
        np.array([4, 0, 3], np.uint8),
        ["v", "z", "y"],
        iter(["v", "z", "y"]),
    ],
)
def test_ways_to_say_where(where):
    index = BM25Index.build(TEXTS, list("vwxyz"))
    hits = index.search([["a"], ["c"]], 5, where=where)
    assert sorted(hits.docs[0].tolist()) == [-1, -1, -1, 0, 4]
    assert hits.docs[1].tolist() == [4, -1, -1, -1, -1]


def test_a_bitmap_serves_many_searches():
    index = BM25Index.build([["a"]] * 130)
    some = index.bitmap(range(3, 130, 7))
    assert len(some) == 19
    assert some.words.dtype == np.uint64
    assert index.search([["a"]], 130, where=some).docs[0, :19].tolist() == list(range(3, 130, 7))
    assert index.search("a", where=index.bitmap([])) == []
    with pytest.raises(InvalidInputError, match="130 documents"):
        BM25Index.build(TEXTS).search([["a"]], where=some)


def test_a_bitmap_is_of_one_index(tmp_path):
    index = BM25Index.build(TEXTS)
    some = index.bitmap([0, 4])
    index.save(tmp_path)
    for other in (BM25Index.build(TEXTS), BM25Index.load(tmp_path)):
        with pytest.raises(InvalidInputError, match="another index"):
            other.search("a", where=some)
        assert other.search("a", where=DocBitmap(some.words, 5)) == index.search("a", where=some)
    copied = pickle.loads(pickle.dumps(some))
    assert index.search("a", where=copied) == index.search("a", where=index.bitmap(some))


@pytest.mark.parametrize(
    ("words", "n", "error"),
    [
        (None, 3, InputTypeError),
        ([5], 3, InputTypeError),
        (np.array([5]), 3, InputTypeError),
        (np.array([5], np.uint64), "3", InputTypeError),
        (np.array([5, 0], np.uint64), 3, InvalidInputError),
        (np.array([[5]], np.uint64), 3, InvalidInputError),
        (np.zeros(0, np.uint64), -1, InvalidInputError),
    ],
)
def test_a_bitmap_made_by_hand_is_checked(words, n, error):
    with pytest.raises(error, match="DocBitmap"):
        DocBitmap(words, n)


def test_an_empty_index_takes_an_empty_where():
    assert BM25Index.build([]).search("a", where=[]) == []
    assert len(DocBitmap.of_mask(np.zeros(0, bool))) == 0


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ([True], InvalidInputError),
        ([5], InvalidInputError),
        ([-1], InvalidInputError),
        ([2**63], InvalidInputError),
        ([-(2**70)], InvalidInputError),
        (["nobody"], InvalidInputError),
        ([0, "1"], InputTypeError),
        ([0.5], InputTypeError),
        ("0", InputTypeError),
        (3, InputTypeError),
        (np.zeros((5, 1), bool), InputTypeError),
        (np.zeros(5), InputTypeError),
    ],
)
def test_where_is_checked(where, error):
    with pytest.raises(error, match=r"where|doc_id"):
        BM25Index.build(TEXTS).search([["a"]], where=where)


def test_unknown_algorithms_list_the_table():
    with pytest.raises(InvalidInputError, match="choose one of auto, exhaustive, windowed, maxscore, adaptive"):
        BM25Index.build(TEXTS).search("a", algorithm="fast")
    with pytest.raises(InputTypeError, match="algorithm"):
        BM25Index.build(TEXTS).search("a", algorithm=3)


@pytest.mark.data
@pytest.mark.parametrize("stop_words", ["english", None])
def test_the_fast_form_takes_at_most_half_of_eight_bytes_a_posting(stop_words):
    with (require("msmarco-passage-32k") / "corpus.jsonl").open() as file:
        index = BM25Index.build((json.loads(line)["text"] for line in file), analyzer=Analyzer(stop_words=stop_words))
    n_postings = int(repr(index).split()[-2])
    assert index.memory()["docs"] == index.memory()["tfs"] == 4 * n_postings
    assert 3 * n_postings / 2 < index.memory()["impacts"] <= 0.5 * 8 * n_postings
