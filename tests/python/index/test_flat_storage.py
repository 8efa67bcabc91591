"""Storages, metrics and filters of FlatIndex: what is stored, and that hostile numbers change no answer."""

import itertools
import os
import threading

import numpy as np
import pytest

import dense_oracle
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index import FlatIndex
from twotower.index.flat_storage import METRICS, STORAGES
from twotower.storage import read_container, write_container


def random_vectors(n=300, dim=21, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def check(index, queries, k, where=None, allowed=None, threads=1):
    hits = index.search(queries, k=k, where=where, threads=threads)
    scores, docs = dense_oracle.search(index.vectors, queries, k, index.metric, allowed)
    np.testing.assert_array_equal(hits.docs, docs)
    np.testing.assert_array_equal(hits.scores, scores)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", dense_oracle.ADVERSARIAL)
def test_hostile_numbers_equal_the_oracle(storage, metric, name):
    vectors, queries = dense_oracle.adversarial(name, np.random.default_rng(2))
    vectors = vectors[:1500]
    if storage == "float16":
        vectors = np.clip(vectors, -60000, 60000)
    if storage == "bfloat16":
        vectors = np.clip(vectors, -3e38, 3e38)
    index = FlatIndex.build(vectors, storage=storage, metric=metric)
    for part in (queries[:1], queries):
        check(index, part, 20)


@pytest.mark.parametrize(("storage", "metric"), list(itertools.product(STORAGES, METRICS)))
def test_rows_that_8_bits_blur(storage, metric):
    # A rogue dimension that queries do not ask for: codes of 8 bits say next to nothing, and are given up on the way.
    vectors, queries = random_vectors(9000, 40), random_vectors(9, 40, seed=1)
    vectors[:, 7] *= 100
    queries[:, 7] = 0
    index = FlatIndex.build(vectors, storage=storage, metric=metric)
    check(index, queries, 10)
    check(index, queries, 10, threads=2)


@pytest.mark.parametrize("metric", METRICS)
def test_many_copies_of_zero_and_equal_vectors(metric):
    vectors = np.zeros((200, 5), np.float32)
    vectors[100:] = 0.25
    for storage in STORAGES:
        index = FlatIndex.build(vectors, storage=storage, metric=metric)
        for queries in (np.zeros((9, 5), np.float32), np.full((9, 5), 0.25, np.float32), -np.ones((1, 5), np.float32)):
            check(index, queries, 150)


def test_cosine_and_l2_have_the_stated_scores():
    vectors = np.array([[3, 4], [0, 0], [-3, -4], [30, 40]], np.float32)
    hits = FlatIndex.build(vectors, metric="cosine").search(np.array([[6, 8], [0, 0]], np.float32), k=4)
    assert hits.docs.tolist() == [[0, 3, 1, 2], [0, 1, 2, 3]]
    assert hits.scores.tolist() == [[1, 1, 0, -1], [0, 0, 0, 0]]
    hits = FlatIndex.build(vectors, metric="l2").search(np.array([[3, 4]], np.float32), k=4)
    assert hits.docs.tolist() == [[0, 1, 2, 3]]
    assert hits.scores.tolist() == [[0, -25, -100, -2025]]


def test_float_storages_round_to_the_nearest_even():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    values = (rng.standard_normal((500, 16)) * 10.0 ** rng.uniform(-44, 4, (500, 1))).astype(np.float32)
    index = FlatIndex.build(values, storage="bfloat16")
    expected = torch.from_numpy(values).to(torch.bfloat16).to(torch.float32).numpy()
    np.testing.assert_array_equal(index.vectors, expected)
    index = FlatIndex.build(values, storage="float16")
    np.testing.assert_array_equal(index.vectors, values.astype(np.float16).astype(np.float32))
    assert not index.vectors.flags.writeable


def test_int8_is_within_half_a_step_of_each_row():
    rng = np.random.default_rng(3)
    values = (rng.standard_normal((400, 16)) * 10.0 ** rng.uniform(-30, 30, (400, 1))).astype(np.float32)
    values[7] = 0
    values[8] = np.finfo(np.float32).max
    index = FlatIndex.build(values, storage="int8")
    steps = np.abs(values).max(1, keepdims=True).astype(np.float64) / 127
    assert (np.abs(index.vectors.astype(np.float64) - values) <= steps * 0.50001).all()
    # Integers below 2^8 times a scale of 16 bits: the products are exact.
    scales, codes = index._stored.scales, index._stored.rows
    exact = scales.astype(np.float64)[:, None] * codes
    np.testing.assert_array_equal(index.vectors, exact)
    assert (np.abs(codes).max(1) == np.where(np.arange(400) == 7, 0, 127)).all()


@pytest.mark.parametrize("storage", STORAGES)
def test_an_index_of_the_stored_vectors_gives_the_same(storage):
    vectors, queries = random_vectors(), random_vectors(12, seed=1)
    index = FlatIndex.build(vectors, storage=storage)
    again = FlatIndex.build(index.vectors)
    np.testing.assert_array_equal(index.search(queries).scores, again.search(queries).scores)
    np.testing.assert_array_equal(index.search(queries).docs, again.search(queries).docs)


@pytest.mark.parametrize(("storage", "metric"), list(itertools.product(STORAGES, METRICS)))
def test_save_and_load_keep_every_answer(tmp_path, storage, metric):
    index = FlatIndex.build(random_vectors(), [f"d{i}" for i in range(300)], storage=storage, metric=metric)
    queries = random_vectors(5, seed=2)
    index.save(tmp_path)
    loaded = FlatIndex.load(tmp_path)
    assert (loaded.storage, loaded.metric) == (storage, metric)
    np.testing.assert_array_equal(loaded.vectors, index.vectors)
    np.testing.assert_array_equal(loaded.search(queries).scores, index.search(queries).scores)
    assert loaded.search(queries).doc_ids == index.search(queries).doc_ids


def test_folders_of_the_first_version_are_read(tmp_path):
    vectors = random_vectors()
    write_container(tmp_path, "flat", {}, {"vectors": vectors})
    loaded = FlatIndex.load(tmp_path)
    assert (loaded.storage, loaded.metric) == ("float32", "inner_product")
    np.testing.assert_array_equal(loaded.vectors, vectors)


def test_files_that_make_no_index_are_refused(tmp_path):
    FlatIndex.build(random_vectors(), storage="int8").save(tmp_path / "good")
    meta, arrays = read_container(tmp_path / "good", "flat")
    scales = arrays["scales"]
    odd = scales.copy()
    odd[3] = np.nextafter(odd[3], np.float32(9))
    for changed_meta, changed, problem in [
        ({"storage": "int4"}, {}, "storage 'int4' is unknown"),
        ({"storage": 3}, {}, "storage 3 is unknown"),
        ({"metric": "l1"}, {}, "metric 'l1' is unknown"),
        ({"storage": "float16"}, {}, "no vectors"),
        ({}, {"scales": scales[:-1]}, "no scales"),
        ({}, {"scales": odd}, "significant bits"),
        ({}, {"scales": -scales}, "significant bits"),
        ({}, {"scales": np.where(np.arange(300) == 5, np.float32(np.inf), scales)}, "vector 5 is not finite"),
    ]:
        write_container(tmp_path / "odd", "flat", {**meta, **changed_meta}, {**arrays, **changed})
        with pytest.raises(CorruptFileError, match=problem):
            FlatIndex.load(tmp_path / "odd")


@pytest.mark.parametrize("storage", STORAGES)
def test_filters_of_every_kind(storage):
    vectors, queries = random_vectors(1000), random_vectors(40, seed=4)
    index = FlatIndex.build(vectors, [f"d{i}" for i in range(1000)], storage=storage)
    rng = np.random.default_rng(5)
    for share in (0, 0.01, 0.5, 0.99, 1):
        allowed = rng.random(1000) < share
        docs = np.flatnonzero(allowed)
        for where in (allowed, docs, [f"d{i}" for i in docs], index.bitmap(allowed)):
            check(index, queries[:3], 10, where, allowed)
        check(index, queries, 30, allowed, allowed, threads=2)
    with pytest.raises(InvalidInputError, match="truth values"):
        index.search(queries, where=np.ones(3, bool))
    with pytest.raises(InvalidInputError, match="another index"):
        FlatIndex.build(vectors).search(queries, where=index.bitmap(allowed))


def test_scores_by_doc_id():
    index = FlatIndex.build(random_vectors(), [f"d{i}" for i in range(300)], metric="l2")
    queries = random_vectors(3, seed=6)
    hits = index.search(queries, k=7)
    np.testing.assert_array_equal(index.scores(queries, hits.doc_ids), hits.scores)
    ragged = index.scores(queries, [["d1", None, "d2"], [], ["d5"]])
    np.testing.assert_array_equal(ragged, index.score(queries, [[1, -1, 2], [-1, -1, -1], [5, -1, -1]]))
    with pytest.raises(InvalidInputError, match="no document has the doc_id 'x'"):
        index.scores(queries, [["x"], [], []])
    with pytest.raises(InvalidInputError, match="one row a query"):
        index.scores(queries, [["d1"]])
    for wrong in ("d1", ["d1", "d2", "d3"]):
        with pytest.raises(InputTypeError, match="sequence of ids"):
            index.scores(queries, wrong)


def test_bad_options_are_named():
    vectors = random_vectors(3, 4)
    with pytest.raises(InvalidInputError, match=r"storage is 'int4': choose one of float32, bfloat16, float16, int8"):
        FlatIndex.build(vectors, storage="int4")
    with pytest.raises(InvalidInputError, match="metric is 'dot': choose one of inner_product, cosine, l2"):
        FlatIndex.build(vectors, metric="dot")
    with pytest.raises(InputTypeError, match="storage is 3"):
        FlatIndex.build(vectors, storage=3)
    vectors[1, 2] = 70000
    with pytest.raises(InvalidInputError, match=r"vectors\[1, 2\] is 70000.0, which is beyond the range of float16"):
        FlatIndex.build(vectors, storage="float16")
    vectors[2, 0] = np.finfo(np.float32).max
    with pytest.raises(InvalidInputError, match=r"vectors\[2, 0\] .* beyond the range of bfloat16"):
        FlatIndex.build(vectors, storage="bfloat16")


def test_float16_arrays_are_taken():
    vectors, queries = random_vectors().astype(np.float16), random_vectors(3, seed=7).astype(np.float16)
    index = FlatIndex.build(vectors, storage="float16")
    np.testing.assert_array_equal(index.vectors, vectors.astype(np.float32))
    check(index, queries.astype(np.float32), 5)
    np.testing.assert_array_equal(index.search(queries, 5).docs, index.search(queries.astype(np.float32), 5).docs)


def test_rows_whose_pages_collide_and_odd_bytes():
    for dim, storage in itertools.product((512, 1024, 1023), STORAGES):
        check(FlatIndex.build(random_vectors(100, dim), storage=storage), random_vectors(20, dim, seed=8), 10)


def test_searches_of_many_threads_and_after_a_fork():
    index = FlatIndex.build(random_vectors(5000, 16))
    queries = random_vectors(20, 16, seed=9)
    expected = index.search(queries, 10)
    wrong = []

    def search_often():
        differ = [(index.search(queries, 10, threads=3).docs != expected.docs).any() for _ in range(20)]
        wrong.extend(filter(None, differ))

    threads = [threading.Thread(target=search_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    child = os.fork()
    if child == 0:
        os._exit(int((index.search(queries, 10, threads=3).docs != expected.docs).any()))
    assert os.waitpid(child, 0)[1] == 0
