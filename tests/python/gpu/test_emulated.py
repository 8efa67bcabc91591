"""The source of the CUDA kernels, run on the host, against the oracle: sizes, storages, metrics, hostile numbers."""

import itertools

import numpy as np
import pytest

import dense_oracle
from cuda_emulation import OnDevice, cuda_index, searcher, to_numpy
from twotower.errors import BackendError, InputTypeError, InvalidInputError
from twotower.index import FlatIndex
from twotower.index.cuda_flat import device_number
from twotower.index.flat_storage import METRICS, STORAGES

SIZES = (0, 1, 7, 8, 15, 16, 17, 47, 48, 49, 1000)
DIMS = (1, 3, 16, 17, 384, 768, 1000)
BATCHES = (1, 2, 31, 32, 33, 257)


def vectors_of(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def check(index, queries, k, where=None, **how):
    expected = index.search(queries, k, where=where)
    words = None if where is None else index.bitmap(where).words
    scores, docs = searcher(index, **how).search(queries, k, words)
    np.testing.assert_array_equal(docs, expected.docs)
    np.testing.assert_array_equal(scores, expected.scores)


@pytest.mark.parametrize("storage", STORAGES)
def test_every_pair_of_sizes(storage):
    for turn, (n, dim) in enumerate(itertools.product(SIZES, DIMS)):
        many = n * dim > 100_000  # the emulation takes a second for 1000 x 1000 x 33
        n_queries = BATCHES[turn % (3 if many else 6)]
        index = FlatIndex.build(vectors_of(n, dim, turn), storage=storage, metric=METRICS[turn % 3])
        queries = vectors_of(n_queries, dim, 1000 + turn)
        for k in ((1, 10, 100, n)[turn % 4], (100, n, 1, 10)[turn % 4]):
            check(index, queries, k, capacity=(0, 128)[turn % 2], backward=turn % 3 == 0, groups=turn % 2 == 0)


@pytest.mark.parametrize("storage", STORAGES)
def test_the_largest_batch(storage):
    index = FlatIndex.build(vectors_of(1000, 100), storage=storage)
    for groups in (False, True):
        check(index, vectors_of(257, 100, 1), 100, capacity=256, groups=groups)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", dense_oracle.ADVERSARIAL)
def test_hostile_numbers(storage, metric, name):
    vectors, queries = dense_oracle.adversarial(name, np.random.default_rng(2))
    vectors = vectors[:1500]
    limit = {"float16": 60000, "bfloat16": 3e38}.get(storage)
    if limit is not None:
        vectors = np.clip(vectors, -limit, limit)
    index = FlatIndex.build(vectors, storage=storage, metric=metric)
    check(index, queries, 20, capacity=256)
    check(index, queries[:1], 20, capacity=256, window_docs=700)


@pytest.mark.parametrize("storage", STORAGES)
def test_filters_and_windows(storage):
    index = FlatIndex.build(vectors_of(1000, 21), storage=storage)
    rng = np.random.default_rng(5)
    for share in (0, 0.01, 0.5, 1):
        check(index, vectors_of(9, 21, 4), 30, rng.random(1000) < share, capacity=128, window_docs=333)


def test_hits_have_ids_and_single_queries_give_lists():
    index = FlatIndex.build(vectors_of(50, 8), [f"d{i}" for i in range(50)])
    queries = vectors_of(3, 8, 1)
    on_device = cuda_index(index)
    assert on_device.search(queries, 5).doc_ids == index.search(queries, 5).doc_ids
    assert on_device.search(queries[0], 5) == index.search(queries[0], 5)
    assert on_device.resident
    assert repr(on_device) == "CudaFlatIndex(50 documents, 8 dimensions, float32, inner_product, on cuda:0)"
    assert not cuda_index(index, window_docs=20).resident
    with pytest.raises(InvalidInputError, match="9 dimensions, the index has 8"):
        on_device.search(vectors_of(3, 9))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_arrays_of_a_device_go_in_and_come_out(dtype):
    index = FlatIndex.build(vectors_of(300, 24))
    queries = vectors_of(5, 24, 1).astype(dtype)
    expected = index.search(queries.astype(np.float32), 7)
    hits = cuda_index(index).search(OnDevice(queries), 7)
    np.testing.assert_array_equal(to_numpy(hits.docs), expected.docs)
    np.testing.assert_array_equal(to_numpy(hits.scores), expected.scores)
    assert hits.scores.__dlpack_device__() == (2, 0)
    assert hits.scores.shape == (5, 7)
    one = cuda_index(index).search(OnDevice(queries[0]), 7)
    np.testing.assert_array_equal(to_numpy(one.docs), expected.docs[:1])


def test_results_are_read_through_dlpack():
    from twotower import _core

    index = FlatIndex.build(vectors_of(30, 4))
    hits = cuda_index(index).search(OnDevice(vectors_of(2, 4, 1)), 3)
    capsule = hits.docs.__dlpack__(stream=None)
    pointer, shape, strides, kind, bits, device_type, device = _core.read_dlpack(capsule)
    assert (shape, strides, kind, bits, device_type, device) == ([2, 3], [], 0, 64, 2, 0)
    assert pointer == hits.docs.__cuda_array_interface__["data"][0]


def test_arrays_that_do_not_fit_are_refused():
    index = cuda_index(FlatIndex.build(vectors_of(30, 4)))
    queries = vectors_of(6, 4, 1)
    for wrong, error, problem in [
        (OnDevice(queries.astype(np.float64)), InputTypeError, "'<f8': give float32"),
        (OnDevice(queries[::2]), InvalidInputError, "has strides .* C-contiguous"),
        (OnDevice(queries[:, :3].copy()), InvalidInputError, "3 dimensions, the index has 4"),
        (OnDevice(queries[None]), InvalidInputError, r"shape \[1, 6, 4\]"),
    ]:
        with pytest.raises(error, match=problem):
            index.search(wrong)
    queries[4, 1] = np.nan
    with pytest.raises(InvalidInputError, match=r"queries\[4\] has a value that is not finite"):
        index.search(OnDevice(queries))


def test_the_index_of_a_device_is_found_beside_the_others():
    import twotower.index

    assert isinstance(cuda_index(FlatIndex.build(vectors_of(3, 4))), twotower.index.CudaFlatIndex)
    assert "CudaFlatIndex" in dir(twotower.index)


def test_names_of_devices():
    assert [device_number(name) for name in ("cuda", "cuda:0", "cuda:3")] == [0, 0, 3]
    index = FlatIndex.build(vectors_of(3, 4))
    for wrong in ("gpu", "cuda:x", "cuda:-1", "cuda:", ""):
        with pytest.raises(InvalidInputError, match="choose one of cpu, auto, cuda"):
            index.search(vectors_of(1, 4), device=wrong)
    with pytest.raises(InputTypeError, match="device is 3"):
        index.to(3)
    assert index.to("cpu") is index


def test_without_a_device_cuda_is_an_error_and_auto_the_cpu():
    from twotower.hardware import backend

    if backend().cuda_devices:
        pytest.skip("this machine has a CUDA device")
    index = FlatIndex.build(vectors_of(30, 4))
    with pytest.raises(BackendError, match="device='cpu'"):
        index.search(vectors_of(1, 4), device="cuda")
    assert index.to("auto") is index
    np.testing.assert_array_equal(
        index.search(vectors_of(2, 4), device="auto").docs, index.search(vectors_of(2, 4)).docs
    )
