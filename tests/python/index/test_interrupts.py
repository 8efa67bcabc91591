"""Ctrl-C stops one long query, whatever is done with it."""

import signal
import threading
import time

import numpy as np
import pytest

from twotower.index import BM25Index, SparseIndex
from twotower.index.native import core

N = 40_000
WORDS = [f"w{n}" for n in range(200)]
MOST_SECONDS = 10  # of the processor, so that a busy machine does not count; the work alone takes a minute and more


@pytest.fixture(scope="module")
def index():
    return BM25Index.build([WORDS] * N, analyzer="plain")


def seconds_to_stop(work):
    """Return the processor seconds from the start, a second before Ctrl-C, to the end of the work."""
    timer = threading.Timer(1.0, signal.raise_signal, [signal.SIGINT])
    started = time.process_time()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        work()
    return time.process_time() - started


def test_a_query_of_very_many_terms(index):
    query = WORDS * 10_000
    assert seconds_to_stop(lambda: index.search([query])) < MOST_SECONDS


def test_scores_of_a_long_query(index):
    docs, query = np.tile(np.arange(N), 5)[np.newaxis], WORDS * 200
    assert seconds_to_stop(lambda: index.score([query], docs)) < MOST_SECONDS


def test_scores_of_a_long_sparse_query():
    index = SparseIndex.build([dict.fromkeys(range(n % 7, 20_000, 50), 1.0) for n in range(1000)])
    docs, query = np.tile(np.arange(1000), 500)[np.newaxis], dict.fromkeys(range(20_000), 1.0)
    assert seconds_to_stop(lambda: index.score([query], docs)) < MOST_SECONDS


@pytest.mark.parametrize("algorithm", core.query_algorithms())
def test_many_long_queries(algorithm, index):
    queries = [WORDS * 5] * 20_000
    assert seconds_to_stop(lambda: index.search(queries, algorithm=algorithm)) < MOST_SECONDS
