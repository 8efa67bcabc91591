"""Options of BM25, and what sets its variants apart."""

import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.bm25 import BM25Index
from twotower.index.native import core

TERMS = [["a", "b", "a"], ["a"], ["c", "a"]]


def test_unknown_variant_lists_the_table():
    with pytest.raises(InvalidInputError, match=re.escape(", ".join(core.bm25_variants()))):
        BM25Index.build(TERMS, variant="bm26")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k1": -0.1}, "k1 is -0.1"),
        ({"k1": float("nan")}, "k1 is nan"),
        ({"k1": float("inf")}, "k1 is inf"),
        ({"k1": 1e7}, "from 0 to 1000000"),
        ({"b": 1.01}, "b is 1.01"),
        ({"b": -1}, "b is -1"),
        ({"variant": "bm25l", "delta": -1}, "delta is -1"),
        ({"delta": 1.0}, "has no delta"),
        ({"log_base": 10}, "has no log_base"),
        ({"variant": "slide", "log_base": 2}, "must be 'e' or '10'"),
        ({"threads": -1}, "threads is -1"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(InvalidInputError, match=message):
        BM25Index.build(TERMS, **options)


@pytest.mark.parametrize("options", [{"k1": "1"}, {"b": None}, {"k1": True}, {"variant": 3}, {"k1": 1j}])
def test_options_of_a_wrong_type(options):
    with pytest.raises(InputTypeError, match=next(iter(options))):
        BM25Index.build(TERMS, **options)


def test_options_are_checked_before_texts_are_read():
    def texts():
        raise AssertionError("read")
        yield

    with pytest.raises(InvalidInputError):
        BM25Index.build(texts(), variant="none")


def test_options_are_filled_in():
    assert BM25Index.build(TERMS).delta is None
    assert BM25Index.build(TERMS, variant="bm25l").delta == 0.5
    assert BM25Index.build(TERMS, variant="bm25plus").delta == 1.0
    assert BM25Index.build(TERMS, variant="slide").log_base == "e"
    assert BM25Index.build(TERMS, variant="slide", log_base=10).log_base == "10"


def test_robertson_keeps_negative_scores_and_their_documents():
    hits = BM25Index.build(TERMS, variant="robertson").search([["a"]], k=4)
    assert sorted(hits.docs[0, :3].tolist()) == [0, 1, 2]
    assert (hits.scores[0, :3] < 0).all()
    assert hits.docs[0, 3] == -1


def test_a_repeated_query_term_counts_again():
    index = BM25Index.build(TERMS)
    once, twice = index.search([["b"]], k=1), index.search([["b", "b"]], k=1)
    assert twice.scores[0, 0] == 2 * once.scores[0, 0]


def test_bm25plus_gives_nothing_for_terms_that_a_document_lacks():
    index = BM25Index.build(TERMS, variant="bm25plus")
    assert index.score([["b"]], [[1]]).tolist() == [[0.0]]
    assert [hit.doc for hit in index.search([["b"]], k=3)[0]] == [0]


def test_arrays_of_the_core_are_never_converted():
    with pytest.raises(TypeError):
        core.build_inverted_arrays(np.zeros(1, np.int64), np.array([0, 1]), 1)


def test_many_threads_and_queries_from_threads():
    random = np.random.default_rng(0)
    documents = [[str(t) for t in random.integers(0, 50, 20)] for _ in range(500)]
    queries = [[str(t) for t in random.integers(0, 60, 4)] for _ in range(200)]
    index = BM25Index.build(documents)
    expected = index.search(queries)
    with ThreadPoolExecutor(4) as pool:
        for hits in pool.map(lambda threads: index.search(queries, threads=threads), [1, 2, 3, 0]):
            assert np.array_equal(hits.docs, expected.docs)
            assert np.array_equal(hits.scores, expected.scores)


def test_ctrl_c_stops_a_long_search():
    random = np.random.default_rng(0)
    index = BM25Index.build([[str(t) for t in row] for row in random.integers(0, 50, (20_000, 20))])
    queries = [[str(t) for t in range(30)]] * 100_000  # more than a minute of work
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    started = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        index.search(queries, threads=2)
    assert time.monotonic() - started < 20  # on a busy machine too
