"""FlatCodesIndex equals the oracle bit for bit: sizes around every block, hostile numbers, every instruction set.

The full product of sizes is a command: ``python tests/python/flat_codes_product.py``.
"""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dense_oracle
import twotower as tt
from flat_codes_product import SIZES, check, check_intervals, hostile, pairwise
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index import FlatCodesIndex, FlatIndex
from twotower.storage import read_container, write_container

PATHS = os.pathsep.join([str(Path(dense_oracle.__file__).parent), *filter(None, sys.path)])
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("isa", tt.backend().isas)
def test_equal_to_the_oracle_at_every_size_on_every_isa(isa):
    script = """
import sys, flat_codes_product as product, twotower as tt
assert tt.backend().isa == sys.argv[1]
for case in product.pairwise(seed=len(sys.argv[1])):
    product.check_case(*case)
"""
    environment = {**os.environ, "TWOTOWER_ISA": isa, "PYTHONPATH": PATHS}
    subprocess.run([sys.executable, "-c", script, isa], env=environment, check=True)


def test_the_pairs_cover_every_two_sizes():
    cases = pairwise(seed=1)
    for (i, a), (j, b) in itertools.combinations(enumerate(SIZES), 2):
        assert {(case[i], case[j]) for case in cases} == set(itertools.product(a, b))


@pytest.mark.parametrize("isa", tt.backend().isas)
def test_every_score_is_in_its_interval_on_every_isa(isa):
    script = """
import flat_codes_product as product
for name in product.HOSTILE:
    product.check_intervals(*product.hostile(name))
"""
    environment = {**os.environ, "TWOTOWER_ISA": isa, "PYTHONPATH": PATHS}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


@pytest.mark.parametrize("coarse", [True, False])
def test_half_a_radius_is_too_little(coarse):
    vectors, queries = hostile("three dimensions")
    built = FlatCodesIndex.build(vectors)
    parts = {name: part * np.float32(0.5) if "radii" in name else part for name, part in built._parts.items()}
    halved = FlatCodesIndex(built.vectors, parts, built._mean, built.doc_ids)
    check_intervals(vectors, queries, built, (coarse,))
    with pytest.raises(AssertionError):
        check_intervals(vectors, queries, halved, (coarse,))


@pytest.mark.parametrize("name", [*dense_oracle.ADVERSARIAL, "embeddings", "off centre", "one rogue dimension"])
def test_equal_to_the_oracle_on_hostile_numbers(name):
    vectors, queries = hostile(name)
    for (first, last), k in itertools.product([(0, 1), (2, 4), (0, 11)], [1, 10, len(vectors) + 7]):
        check(vectors, queries[first:last], k, threads=1 + k % 2)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_equal_to_the_oracle_on_any_finite_values(data):
    n, dim, n_queries = data.draw(st.integers(0, 40)), data.draw(st.integers(1, 20)), data.draw(st.integers(1, 6))
    vectors = data.draw(hnp.arrays(np.float32, (n, dim), elements=FINITE))
    queries = data.draw(hnp.arrays(np.float32, (n_queries, dim), elements=FINITE))
    check(vectors, queries, data.draw(st.integers(0, 45)))
    check_intervals(vectors, queries)


def test_ranges_of_two_threads_give_the_same():
    rng = np.random.default_rng(3)
    vectors, queries = rng.standard_normal((40_000, 6), np.float32), rng.standard_normal((300, 6), np.float32)
    expected = dense_oracle.search(vectors, queries, 20)
    index = FlatCodesIndex.build(vectors)
    for threads, part in itertools.product([1, 2, 5, 0], [slice(0, 1), slice(0, 7), slice(0, 300)]):
        hits = index.search(queries[part], k=20, threads=threads)
        np.testing.assert_array_equal(hits.docs, expected[1][part])
        np.testing.assert_array_equal(hits.scores, expected[0][part])


@pytest.mark.parametrize("n_queries", [1, 9])
def test_where_searches_among_the_named_documents_alone(n_queries):
    vectors, queries = hostile("embeddings")
    index = FlatCodesIndex.build(vectors)
    for step, k in itertools.product([2, 7, len(vectors) - 1], [1, 10, 3000]):
        allowed = np.arange(0, len(vectors), step)
        scores, places = dense_oracle.search(vectors[allowed], queries[:n_queries], k)
        docs = np.where(places >= 0, allowed[places], -1)
        for where in (allowed, np.isin(np.arange(len(vectors)), allowed), index.bitmap([str(n) for n in allowed])):
            hits = index.search(queries[:n_queries], k=k, where=where)
            np.testing.assert_array_equal(hits.docs, docs)
            np.testing.assert_array_equal(hits.scores, scores)
    assert index.search(queries[0], k=3, where=[]) == []
    with pytest.raises(InputTypeError, match="where is float64"):
        index.search(queries, where=np.ones(len(vectors)))
    with pytest.raises(InvalidInputError, match="names document"):
        index.search(queries, where=[len(vectors)])


def test_few_rows_are_scored_by_the_definition():
    vectors, queries = hostile("embeddings")
    index = FlatCodesIndex.build(vectors)
    for n_queries in (1, 11):
        profile = index.profile(queries[:n_queries], k=1)
        assert profile.scanned == n_queries * len(vectors)
        assert n_queries <= profile.rescored < 0.02 * profile.scanned
    assert 0 < index.profile(queries[:1], k=20).share_refined < 0.9
    assert index.profile(queries, k=len(vectors)).share_rescored == 1.0


def test_score_is_that_of_the_definition():
    vectors, queries = hostile("mixed scales")
    docs = np.array([[3, -1, 5], [0, 0, 2]])
    np.testing.assert_array_equal(
        FlatCodesIndex.build(vectors).score(queries[:2], docs), FlatIndex.build(vectors).score(queries[:2], docs)
    )


def test_a_loaded_index_gives_the_same_and_maps_its_vectors(tmp_path):
    vectors, queries = hostile("embeddings")
    built = FlatCodesIndex.build(vectors, [f"d{n}" for n in range(len(vectors))])
    built.save(tmp_path)
    loaded = FlatCodesIndex.load(tmp_path)
    for part in (queries[:1], queries):
        assert [list(hits) for hits in loaded.search(part, k=5)] == [list(hits) for hits in built.search(part, k=5)]
    assert not loaded.vectors.flags.owndata
    assert not loaded.vectors.flags.writeable
    assert loaded.memory() == built.memory()
    assert loaded.memory()["vectors"] == vectors.nbytes
    assert loaded.memory()["codes"] < 0.5 * vectors.nbytes


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("high", lambda part: part[:-64]),
        ("low", lambda part: part.astype(np.int16)),
        ("scales", lambda part: part * np.float32(np.nan)),
        ("coarse_radii", lambda part: -part - 1),
        ("fine_radii", lambda part: part[:-1]),
        ("mean", lambda part: part + np.float32(np.inf)),
        ("vectors", lambda part: part[:-1]),
        ("vectors", lambda part: part.astype(np.float64)),
    ],
)
def test_a_spoilt_file_is_refused(tmp_path, name, spoil):
    FlatCodesIndex.build(hostile("random")[0]).save(tmp_path)
    arrays = read_container(tmp_path, "flat_codes")[1]
    write_container(tmp_path, "flat_codes", {}, {**arrays, name: spoil(arrays[name])})
    with pytest.raises(CorruptFileError, match="save the index again"):
        FlatCodesIndex.load(tmp_path)


def test_too_many_dimensions_are_named():
    with pytest.raises(InvalidInputError, match=r"65537 dimensions.*65536.*FlatIndex"):
        FlatCodesIndex.build(np.zeros((1, 65537), np.float32))
    ones = np.ones((3, 65536), np.float32)
    check(ones, ones[:1], 2)
