"""Lexical indexes against the definition in plain Python: the same float32 scores, bit for bit, and the same order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import IDF, BM25Oracle, TfidfOracle
from twotower.index.bm25 import BM25Index
from twotower.index.native import core
from twotower.index.tfidf import TfidfIndex

TERMS = st.lists(st.sampled_from("abcdefgh"), max_size=12)
CORPORA = st.lists(TERMS, max_size=12)
QUERIES = st.lists(st.lists(st.sampled_from("abcdefghxyz"), max_size=6), min_size=1, max_size=4)
VARIANTS = [*core.bm25_variants(), "slide-10"]


def build_bm25(documents, variant, **options):
    if variant == "slide-10":
        options["log_base"] = 10
    return BM25Index.build(documents, variant=variant.removesuffix("-10"), **options)


def check(index, oracle, queries, n_docs):
    for k in {0, 1, 3, n_docs, n_docs + 5}:
        for threads in (1, 2):
            hits = index.search(queries, k, threads)
            assert hits.docs.shape == hits.scores.shape == (len(queries), k)
            for q, query in enumerate(queries):
                expected = oracle.rank(query, k)
                padding = k - len(expected)
                assert hits.docs[q].tolist() == [doc for _, doc in expected] + [-1] * padding
                assert hits.scores[q].tolist() == [float(score) for score, _ in expected] + [-np.inf] * padding
    everything = np.tile(np.arange(n_docs), (len(queries), 1))
    scores = index.score(queries, everything)
    for q, query in enumerate(queries):
        expected = dict.fromkeys(range(n_docs), 0.0) | {doc: float(score) for score, doc in oracle.rank(query, n_docs)}
        assert scores[q].tolist() == list(expected.values())


def test_the_oracle_has_every_variant():
    assert set(IDF) == set(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=40, deadline=None)
@given(documents=CORPORA, queries=QUERIES, k1=st.floats(0, 3), b=st.floats(0, 1))
def test_bm25(variant, documents, queries, k1, b):
    check(build_bm25(documents, variant, k1=k1, b=b), BM25Oracle(documents, variant, k1, b), queries, len(documents))


@pytest.mark.parametrize("variant", ["bm25l", "bm25plus"])
@settings(max_examples=20, deadline=None)
@given(documents=CORPORA, queries=QUERIES, delta=st.floats(0, 2))
def test_delta(variant, documents, queries, delta):
    oracle = BM25Oracle(documents, variant, 0.9, 0.4, delta)
    check(build_bm25(documents, variant, delta=delta), oracle, queries, len(documents))


@settings(max_examples=60, deadline=None)
@given(documents=CORPORA, queries=QUERIES)
def test_tfidf(documents, queries):
    check(TfidfIndex.build(documents), TfidfOracle(documents), queries, len(documents))


def test_frequencies_beyond_any_table():
    documents = [["a"] * n + ["b"] for n in (1, 254, 255, 256, 257, 5000)] + [["b", "c"]]
    queries = [["a"], ["a"] * 300 + ["c"], ["b", "a", "c"]]
    check(TfidfIndex.build(documents), TfidfOracle(documents), queries, len(documents))
    check(BM25Index.build(documents), BM25Oracle(documents, "lucene", 0.9, 0.4), queries, len(documents))
