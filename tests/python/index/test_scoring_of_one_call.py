"""Options of the formula that a single call brings: the answers of an index that was built with them, bit for bit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import BM25Oracle
from random_corpora import random_corpus
from twotower.errors import InputTypeError, InvalidInputError
from twotower.index import BM25Index, FlatIndex, HashedNgramIndex, TfidfIndex
from twotower.index.native import core
from twotower.index.scorers import MOST_SCORERS

ALGORITHMS = ["auto", *core.query_algorithms()]
DOCUMENTS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), min_size=1, max_size=12)
QUERIES = st.lists(st.lists(st.sampled_from("abcdefghxyz"), max_size=6), min_size=1, max_size=4)
VARIANTS = core.bm25_variants()


def assert_same(a, b):
    assert np.array_equal(a.docs, b.docs)
    assert np.array_equal(a.scores, b.scores)


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=25, deadline=None)
@given(documents=DOCUMENTS, queries=QUERIES, k1=st.floats(0, 3), b=st.floats(0, 1), data=st.data())
def test_oracle(variant, documents, queries, k1, b, data):
    own = data.draw(st.sampled_from(VARIANTS))
    delta = data.draw(st.floats(0, 2)) if variant in ("bm25l", "bm25plus") else None
    index, oracle = BM25Index.build(documents, variant=own), BM25Oracle(documents, variant, k1, b, delta)
    options = {"variant": variant, "k1": k1, "b": b, **({} if delta is None else {"delta": delta})}
    for algorithm in ALGORITHMS:
        hits = index.search(queries, 5, 2, algorithm=algorithm, **options)
        for q, query in enumerate(queries):
            assert [(hit.score, hit.doc) for hit in hits[q]] == [(float(s), d) for s, d in oracle.rank(query, 5)]
    explained = index.explain(queries[0], "0", **options)
    assert [part.score for part in explained.terms if part.tf] == (oracle.parts(queries[0], 0) if documents[0] else [])
    assert explained.score == index.score([queries[0]], [[0]], **options)[0, 0]


def test_larger_corpora_by_every_algorithm_and_thread_count():
    random = np.random.default_rng(5)
    for number in range(12):
        documents, queries = random_corpus(random)
        options = {"variant": VARIANTS[number % 6], "k1": random.uniform(0, 3), "b": random.uniform(0, 1)}
        index, built = BM25Index.build(documents), BM25Index.build(documents, **options)
        expected = built.search(queries, 20, algorithm="exhaustive")
        for algorithm in ALGORITHMS:
            for threads in (1, 2, 0):
                assert_same(expected, index.search(queries, 20, threads, algorithm=algorithm, **options))


def test_other_options_of_the_variant_go_back_to_defaults():
    texts = ["a b", "b b c", "c"]
    index = BM25Index.build(texts, variant="bm25plus", delta=0.3, k1=2.0)
    assert_same(index.search(["b c"], variant="bm25l"), BM25Index.build(texts, variant="bm25l", k1=2.0).search(["b c"]))
    assert_same(
        index.search(["b c"], k1=1), BM25Index.build(texts, variant="bm25plus", delta=0.3, k1=1).search(["b c"])
    )
    slide = BM25Index.build(texts, variant="slide", log_base=10)
    assert_same(slide.search(["b c"], variant="lucene"), BM25Index.build(texts).search(["b c"]))
    tfidf = TfidfIndex.build(texts, smart="Lnu.ltc", slope=0.9)
    assert_same(tfidf.search(["b c"], smart="ltc.ltc"), TfidfIndex.build(texts).search(["b c"]))
    assert_same(tfidf.search(["b c"], smart="nnu.nnn"), TfidfIndex.build(texts, smart="nnu.nnn").search(["b c"]))


def test_postings_are_quantised_once_that_pays():
    random = np.random.default_rng(0)
    documents = [[str(t) for t in row] for row in random.integers(0, 60, (5000, 20))]
    index = BM25Index.build(documents)
    queries = [["1", "2", "3"]] * 5
    ran = [next(iter(index.profile(queries, 3, k1=2.0)[1].algorithms)) for _ in range(20)]
    assert ran == sorted(ran, reverse=True)  # exhaustive, ..., adaptive
    assert {ran[0], ran[-1]} == {"exhaustive", "adaptive"}
    left = index.memory()["other_scorers"]
    assert 8 * 5000 < left <= index.memory()["impacts"] + 8 * 5000
    assert index.profile(queries, 3, k1=2.5, algorithm="maxscore")[1].algorithms == {"maxscore": 5}
    assert index.profile(queries, 3)[1].algorithms == {"adaptive": 5}


def test_few_sets_are_kept():
    index = BM25Index.build(["a b", "b"])
    assert index.memory()["other_scorers"] == 0
    assert index.search("a", k1=0.9, b=0.4) == index.search("a")  # its own
    assert index.memory()["other_scorers"] == 0
    for k1 in range(1, 30):
        index.search("a", k1=k1)
    assert index.memory()["other_scorers"] == MOST_SCORERS * 8 * 2


def test_from_many_threads():
    random = np.random.default_rng(1)
    index = BM25Index.build([[str(t) for t in row] for row in random.integers(0, 50, (500, 20))])
    queries = [[str(t) for t in row] for row in random.integers(0, 60, (20, 4))]
    k1s = [0.1 * n for n in range(1, 8)] * 12
    expected = {k1: BM25Index.build(_documents(index), k1=k1).search(queries) for k1 in set(k1s)}
    with ThreadPoolExecutor(6) as pool:
        for k1, hits in zip(k1s, pool.map(lambda k1: index.search(queries, k1=k1), k1s), strict=True):
            assert_same(hits, expected[k1])


def _documents(index):
    documents = [[] for _ in range(len(index))]
    for term in index.vocabulary:
        for doc_id, tf in zip(*index.postings(term), strict=True):
            documents[int(doc_id)] += [term] * int(tf)
    return documents


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k2": 1}, InputTypeError, "no option 'k2': it takes variant, k1, b, delta, log_base"),
        ({"k1": -1}, InvalidInputError, "k1 is -1"),
        ({"b": "x"}, InputTypeError, "b is 'x'"),
        ({"delta": 1.0}, InvalidInputError, "has no delta"),
        ({"variant": "none"}, InvalidInputError, "unknown BM25 variant"),
    ],
)
def test_bad_options(options, error, message):
    index = BM25Index.build(["a b", "b"])
    for call in (
        lambda: index.search("a", **options),
        lambda: index.profile(["a"], **options),
        lambda: index.score(["a"], [[0]], **options),
        lambda: index.explain("a", "0", **options),
    ):
        with pytest.raises(error, match=message):
            call()


def test_an_index_without_options_takes_none():
    with pytest.raises(InputTypeError, match="it takes none"):
        HashedNgramIndex.build(["a b"]).search("a", k1=1.0)
    with pytest.raises(TypeError):
        FlatIndex.build(np.eye(2, dtype=np.float32)).search(np.eye(2, dtype=np.float32), k1=1.0)
