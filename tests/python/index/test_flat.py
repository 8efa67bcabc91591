"""FlatIndex equals the oracle bit for bit: on hostile numbers, every instruction set, and one or two threads."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dense_oracle
import twotower as tt
from twotower.errors import BackendError, CorruptFileError, FileError
from twotower.index import FlatIndex
from twotower.storage import pack_strings, write_container


def check(vectors, queries, k, threads=1):
    hits = FlatIndex.build(vectors).search(queries, k=k, threads=threads)
    scores, docs = dense_oracle.search(vectors, queries, k)
    np.testing.assert_array_equal(hits.docs, docs)
    np.testing.assert_array_equal(hits.scores, scores)
    assert hits.scores.dtype == np.float32
    assert hits.docs.dtype == np.int64


@pytest.mark.parametrize("name", dense_oracle.ADVERSARIAL)
def test_equal_to_the_oracle(name):
    vectors, queries = dense_oracle.adversarial(name, np.random.default_rng(0))
    for (first, last), k in itertools.product([(0, 1), (2, 4), (0, 11)], [1, 10, 6100]):
        check(vectors, queries[first:last], k, threads=1 + k % 2)


@pytest.mark.parametrize("isa", tt.backend().isas)
def test_equal_to_the_oracle_on_every_isa(isa):
    script = """
import dense_oracle, sys, numpy as np, twotower as tt
assert tt.backend().isa == sys.argv[1]
for name in dense_oracle.ADVERSARIAL:
    vectors, queries = dense_oracle.adversarial(name, np.random.default_rng(1))
    index = tt.FlatIndex.build(vectors)
    for part in (queries[:1], queries):
        hits = index.search(part, k=25)
        scores, docs = dense_oracle.search(vectors, part, 25)
        assert (hits.docs == docs).all() and (hits.scores == scores).all(), name
"""
    path = os.pathsep.join([str(Path(dense_oracle.__file__).parent), *filter(None, sys.path)])
    subprocess.run(
        [sys.executable, "-c", script, isa], env={**os.environ, "TWOTOWER_ISA": isa, "PYTHONPATH": path}, check=True
    )


def test_a_wrong_isa_is_named_with_those_allowed():
    script = """
import numpy as np, twotower as tt
for call in (tt.backend, lambda: tt.FlatIndex.build(np.eye(2, dtype=np.float32))):
    try: call()
    except tt.errors.BackendError as error: assert "'sse9'" in str(error) and "scalar" in str(error)
    else: raise SystemExit("no error")
"""
    assert issubclass(BackendError, RuntimeError)
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "TWOTOWER_ISA": "sse9", "PYTHONPATH": path}, check=True
    )


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_equal_to_the_oracle_on_any_finite_values(data):
    n, dim, n_queries = data.draw(st.integers(0, 20)), data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    vectors = data.draw(hnp.arrays(np.float32, (n, dim), elements=FINITE))
    queries = data.draw(hnp.arrays(np.float32, (n_queries, dim), elements=FINITE))
    check(vectors, queries, data.draw(st.integers(0, 25)))


def test_many_rows_and_queries_over_threads_give_the_same():
    rng = np.random.default_rng(3)
    vectors, queries = rng.standard_normal((40_000, 6), np.float32), rng.standard_normal((300, 6), np.float32)
    expected = dense_oracle.search(vectors, queries, 20)
    index = FlatIndex.build(vectors)
    for threads, part in itertools.product([1, 2, 5, 0], [slice(0, 1), slice(0, 7), slice(0, 300)]):
        hits = index.search(queries[part], k=20, threads=threads)
        np.testing.assert_array_equal(hits.docs, expected[1][part])
        np.testing.assert_array_equal(hits.scores, expected[0][part])


def test_flush_to_zero_of_the_host_changes_nothing():
    import torch

    vectors, queries = dense_oracle.adversarial("denormals", np.random.default_rng(0))
    expected = dense_oracle.search(vectors, queries, 10)
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush denormals")
    try:
        hits = FlatIndex.build(vectors).search(queries, k=10)
    finally:
        torch.set_flush_denormal(False)
    np.testing.assert_array_equal(hits.docs, expected[1])
    np.testing.assert_array_equal(hits.scores, expected[0])


def test_score_gives_the_scores_of_search():
    rng = np.random.default_rng(4)
    vectors, queries = rng.standard_normal((500, 33), np.float32), rng.standard_normal((5, 33), np.float32)
    index = FlatIndex.build(vectors)
    hits = index.search(queries, k=510)
    np.testing.assert_array_equal(index.score(queries, hits.docs), hits.scores)
    np.testing.assert_array_equal(index.score(queries, hits.docs[:, ::-2], threads=2), hits.scores[:, ::-2])
    assert index.score(queries, np.empty((5, 0), int)).shape == (5, 0)


def test_a_single_query_gives_a_list_of_hits():
    index = FlatIndex.build(np.eye(3, dtype=np.float32), ["a", "b", "c"])
    assert index.search(np.array([0, 2, 1], np.float32), k=5) == [("b", 2.0, 1), ("c", 1.0, 2), ("a", 0.0, 0)]
    assert index.search(np.array([[0, 2, 1]], np.float32), k=4).doc_ids == [["b", "c", "a", None]]
    assert len(index) == 3
    assert index.dim == 3
    assert index.doc_ids.index("c") == 2
    assert FlatIndex.build(np.eye(2)).search(np.ones(2))[1].doc_id == "1"


def test_the_index_keeps_its_own_vectors():
    vectors = np.eye(3, dtype=np.float32)
    index = FlatIndex.build(vectors)
    vectors[:] = 7
    assert (index.vectors == np.eye(3)).all()
    assert vectors.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        index.vectors[0] = 1
    frozen = np.eye(3, dtype=np.float32)
    frozen.flags.writeable = False
    assert np.shares_memory(FlatIndex.build(frozen).vectors, frozen)


def test_save_and_load(tmp_path):
    rng = np.random.default_rng(5)
    vectors, queries = rng.standard_normal((300, 20), np.float32), rng.standard_normal((4, 20), np.float32)
    for index in (FlatIndex.build(vectors, [f"dök {i}" for i in range(300)]), FlatIndex.build(vectors)):
        index.save(tmp_path)
        loaded = FlatIndex.load(tmp_path)
        before, after = index.search(queries, k=7), loaded.search(queries, k=7)
        assert (before.docs == after.docs).all()
        assert (before.scores == after.scores).all()
        assert before.doc_ids == after.doc_ids
        assert list(loaded.doc_ids) == list(index.doc_ids)
        loaded.save(tmp_path)  # over the very files that it has mapped
        assert (FlatIndex.load(tmp_path).vectors == vectors).all()
    FlatIndex.build(np.empty((0, 4))).save(tmp_path)
    empty = FlatIndex.load(tmp_path)
    assert len(empty) == 0
    assert empty.search(np.ones((2, 4)), k=2).docs.tolist() == [[-1, -1], [-1, -1]]
    with pytest.raises(FileError):
        FlatIndex.load(tmp_path / "none")


def test_flipped_bits_are_reported_or_change_nothing(tmp_path):
    rng = np.random.default_rng(6)
    vectors, queries = rng.standard_normal((200, 8), np.float32), rng.standard_normal((3, 8), np.float32)
    FlatIndex.build(vectors, [f"d{i}" for i in range(200)]).save(tmp_path)
    expected = FlatIndex.load(tmp_path).search(queries)
    contents = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for _ in range(400):
        path = list(contents)[rng.integers(len(contents))]
        damaged = bytearray(contents[path])
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            seen = FlatIndex.load(tmp_path).search(queries)
        except (CorruptFileError, FileError):
            continue
        finally:
            path.write_bytes(contents[path])
        assert seen.doc_ids == expected.doc_ids
        assert (seen.scores == expected.scores).all()


def test_arrays_that_make_no_index_are_refused(tmp_path):
    good = np.eye(3, dtype=np.float32)
    blob, offsets = pack_strings(["a", "b", "c"])
    odd = good.copy()
    odd[1, 2] = np.nan
    for arrays, problem in [
        ({}, "no vectors"),
        ({"vectors": good.astype(float)}, "no vectors"),
        ({"vectors": good[0]}, "no vectors"),
        ({"vectors": good[:, :0]}, "no vectors"),
        ({"vectors": odd}, "vector 1 is not finite"),
        ({"vectors": good[:2], "doc_ids": blob, "doc_id_offsets": offsets}, "2 documents and 3 doc_ids"),
        ({"vectors": good, "doc_ids": blob}, "half of its table"),
        ({"vectors": good, "doc_ids": blob, "doc_id_offsets": offsets[::-1]}, "ascend"),
    ]:
        write_container(tmp_path, "flat", {}, arrays)
        with pytest.raises(CorruptFileError, match=problem):
            FlatIndex.load(tmp_path)


def search_for_ever(index, queries):
    while True:
        index.search(queries, k=10, threads=2)


def test_ctrl_c_stops_a_long_search():
    rng = np.random.default_rng(7)
    index = FlatIndex.build(rng.standard_normal((100_000, 64), np.float32))
    queries = np.tile(rng.standard_normal((512, 64), np.float32), (8, 1))
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        search_for_ever(index, queries)
    assert time.monotonic() - began < 20
    timer.join()
