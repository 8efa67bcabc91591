"""Ctrl-C stops one long query, whatever is done with it."""

import signal
import threading
import time

import numpy as np
import pytest

from twotower.index import BM25Index, SparseIndex, TfidfIndex
from twotower.index.native import core

N = 40_000
WORDS = [f"w{n}" for n in range(200)]


@pytest.fixture(scope="module")
def documents():
    return [WORDS[n % 50 :: 7] for n in range(N)]


def stops(work):
    """Time from Ctrl-C, half a second after the start, to the end of the work; alone it takes minutes."""
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    started = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        work()
    return time.monotonic() - started


@pytest.mark.parametrize("kind", [BM25Index, TfidfIndex])
def test_a_query_of_very_many_terms(kind, documents):
    index = kind.build(documents, analyzer="plain")
    query = [f"w{n % 200}" for n in range(2_000_000)] if kind is BM25Index else WORDS * 100
    if kind is TfidfIndex:  # repeated terms are one: the work is in the candidates
        docs = np.tile(np.arange(N), 2000)[np.newaxis]
        assert stops(lambda: index.score([query], docs)) < 20
    else:
        assert stops(lambda: index.search([query])) < 20


def test_scores_of_very_many_documents(documents):
    index = BM25Index.build(documents, analyzer="plain")
    docs = np.tile(np.arange(N), 500)[np.newaxis]
    assert stops(lambda: index.score([WORDS * 20], docs)) < 20


def test_scores_of_sparse_vectors():
    index = SparseIndex.build([dict.fromkeys(range(n % 7, 300, 5), 1.0) for n in range(2000)])
    docs = np.tile(np.arange(2000), 20_000)[np.newaxis]
    assert stops(lambda: index.score([dict.fromkeys(range(300), 1.0)], docs)) < 20


@pytest.mark.parametrize("algorithm", core.query_algorithms())
def test_many_queries_of_many_terms(algorithm, documents):
    index = BM25Index.build(documents, analyzer="plain")
    queries = [WORDS * 5] * 20_000
    assert stops(lambda: index.search(queries, 1000, algorithm=algorithm)) < 20
