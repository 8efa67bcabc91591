"""On a CUDA device: the same answers, tensors in and out, streams, memory. `pytest -m gpu`."""

import threading

import numpy as np
import pytest

import dense_oracle
from twotower.errors import BackendError, InvalidInputError
from twotower.index import FlatIndex
from twotower.index.cuda_flat import CudaFlatIndex
from twotower.index.flat_storage import METRICS, STORAGES

pytestmark = pytest.mark.gpu


def vectors_of(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def check(index, queries, k, where=None):
    expected = index.search(queries, k, where=where)
    hits = index.search(queries, k, where=where, device="cuda")
    np.testing.assert_array_equal(hits.docs, expected.docs)
    np.testing.assert_array_equal(hits.scores, expected.scores)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("metric", METRICS)
def test_sizes(storage, metric):
    for n, dim, n_queries, k in [
        (0, 3, 2, 5),
        (1, 1, 1, 1),
        (49, 17, 33, 49),
        (1000, 384, 257, 100),
        (30000, 768, 64, 10),
    ]:
        check(FlatIndex.build(vectors_of(n, dim), storage=storage, metric=metric), vectors_of(n_queries, dim, 1), k)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("name", dense_oracle.ADVERSARIAL)
def test_hostile_numbers(storage, name):
    vectors, queries = dense_oracle.adversarial(name, np.random.default_rng(2))
    limit = {"float16": 60000, "bfloat16": 3e38}.get(storage)
    vectors = vectors if limit is None else np.clip(vectors, -limit, limit)
    check(FlatIndex.build(vectors, storage=storage), queries, 20)


def test_a_large_k_and_a_filter():
    index = FlatIndex.build(vectors_of(20000, 16))
    check(index, vectors_of(3, 16, 1), 20000)
    check(index, vectors_of(3, 16, 1), 50, np.random.default_rng(1).random(20000) < 0.1)


def test_tensors_on_a_stream_of_their_own():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device")
    with torch.cuda.stream(torch.cuda.Stream()):
        vectors = torch.randn(5000, 40, device="cuda", dtype=torch.bfloat16)
        queries = torch.randn(70, 40, device="cuda", dtype=torch.bfloat16)
        hits = CudaFlatIndex.build(vectors).search(queries, 9)
        docs = torch.from_dlpack(hits.docs)
    host = FlatIndex.build(vectors.float().cpu().numpy(), storage="bfloat16")
    np.testing.assert_array_equal(docs.cpu().numpy(), host.search(queries.float().cpu().numpy(), 9).docs)
    vectors[3, 4] = float("nan")
    with pytest.raises(InvalidInputError, match=r"vectors\[3\]"):
        CudaFlatIndex.build(vectors)


def test_many_threads_at_once():
    index = FlatIndex.build(vectors_of(5000, 32))
    queries = vectors_of(20, 32, 1)
    expected, wrong = index.search(queries, 10), []

    def search_often():
        wrong.extend(i for i in range(10) if (index.search(queries, 10, device="cuda").docs != expected.docs).any())

    threads = [threading.Thread(target=search_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_device_that_is_not_there():
    with pytest.raises(BackendError, match="there is no CUDA device 77"):
        FlatIndex.build(vectors_of(3, 4)).to("cuda:77")
