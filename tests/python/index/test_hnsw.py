"""HNSWIndex: what it finds has exact scores, files are not believed, and hnswlib's limits are no limits here."""

import itertools
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dense_oracle
from twotower.errors import CorruptFileError, FileError, InvalidInputError
from twotower.index import FlatIndex, HNSWIndex
from twotower.storage import read_container, write_container


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((30, 24))
    vectors = (centres[rng.integers(0, 30, 2000)] + 0.5 * rng.standard_normal((2000, 24))).astype(np.float32)
    queries = (centres[rng.integers(0, 30, 40)] + 0.5 * rng.standard_normal((40, 24))).astype(np.float32)
    return vectors, queries


@pytest.fixture(scope="module")
def index(data):
    return HNSWIndex.build(data[0], [f"d{i}" for i in range(len(data[0]))])


def test_recall_against_exact_search_grows_with_ef(data, index):
    exact = FlatIndex.build(data[0]).search(data[1])
    recalls = []
    for ef in (10, 64, 400):
        docs = index.search(data[1], ef=ef).docs
        recalls.append(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(docs, exact.docs, strict=True)]))
    assert recalls == sorted(recalls)
    assert recalls[1] > 0.85
    assert recalls[2] > 0.99


def test_scores_are_exact_and_ordered(data, index):
    hits = index.search(data[1], k=30)
    all_scores = dense_oracle.scores(*data)
    assert (np.take_along_axis(all_scores, hits.docs, 1) == hits.scores).all()
    for scores, docs in zip(hits.scores.tolist(), hits.docs.tolist(), strict=True):
        assert list(zip(scores, docs, strict=True)) == sorted(
            zip(scores, docs, strict=True), key=lambda p: (-p[0], p[1])
        )
    assert (index.score(data[1], hits.docs) == hits.scores).all()
    assert hits.doc_ids[0][0] == f"d{hits.docs[0, 0]}"


@pytest.mark.parametrize("name", dense_oracle.ADVERSARIAL)
def test_hostile_numbers_give_exact_scores_without_nan(name):
    vectors, queries = dense_oracle.adversarial(name, np.random.default_rng(0))
    hits = HNSWIndex.build(vectors[:400], m=4, ef_construction=20).search(queries, k=5)
    all_scores = dense_oracle.scores(vectors[:400], queries)
    found = hits.docs >= 0
    assert found[:, 0].all()
    assert (np.take_along_axis(all_scores, np.maximum(hits.docs, 0), 1)[found] == hits.scores[found]).all()
    assert (hits.scores[~found] == -np.inf).all()


def test_same_seed_same_graph_and_threads_change_nothing(data, index, tmp_path):
    vectors, queries = data
    again = HNSWIndex.build(vectors, [f"d{i}" for i in range(len(vectors))])
    files = []
    for i, each in enumerate((index, again, HNSWIndex.build(vectors, seed=1))):
        each.save(tmp_path / str(i))
        files.append((tmp_path / str(i) / "twotower-0000000000000001.data").read_bytes())
    assert files[0] == files[1] != files[2]
    expected = index.search(queries)
    for threads in (2, 0):
        assert (index.search(queries, threads=threads).docs == expected.docs).all()


def test_a_loaded_index_answers_the_same(data, index, tmp_path):
    index.save(tmp_path)
    loaded = HNSWIndex.load(tmp_path)
    for k, ef in itertools.product([1, 10, 2000], [1, 64]):
        before, after = index.search(data[1], k=k, ef=ef), loaded.search(data[1], k=k, ef=ef)
        assert (before.docs == after.docs).all()
        assert (before.scores == after.scores).all()
    assert loaded.search(data[1][0]) == index.search(data[1][0])
    loaded.save(tmp_path)
    assert (HNSWIndex.load(tmp_path).search(data[1]).docs == index.search(data[1]).docs).all()
    with pytest.raises(CorruptFileError, match="holds a saved 'hnsw', not a 'flat'"):
        FlatIndex.load(tmp_path)
    with pytest.raises(FileError):
        HNSWIndex.load(tmp_path / "none")


def test_documents_out_of_reach_cost_no_other_results():
    # One document with a far larger norm is everybody's nearest: with m=2 most of the graph is out of reach.
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((500, 8)).astype(np.float32)
    vectors[7] *= 1000
    index = HNSWIndex.build(vectors, m=2, ef_construction=2)
    hits = index.search(rng.standard_normal((20, 8)).astype(np.float32), k=500)
    found = (hits.docs >= 0).sum(1)
    assert (found >= 1).all()
    assert (found < 500).any()
    for row, n in zip(hits.docs, found, strict=True):
        assert (row[n:] == -1).all()
        assert len(set(row[:n].tolist())) == n


def test_searches_with_different_ef_from_threads_do_not_mix(data, index):
    expected = {ef: index.search(data[1], k=5, ef=ef).docs for ef in (5, 300)}
    wrong = []

    def work(ef):
        answers = [index.search(data[1], k=5, ef=ef).docs for _ in range(20)]
        wrong.extend(ef for docs in answers if not (docs == expected[ef]).all())

    threads = [threading.Thread(target=work, args=(ef,)) for ef in (5, 300, 5, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    "options",
    [
        {"m": 1},
        {"m": 257},
        {"m": 16.0},
        {"ef_construction": 0},
        {"ef_construction": 2**20 + 1},
        {"seed": -1},
        {"seed": 2**63},
    ],
)
def test_options_are_checked(options):
    with pytest.raises(InvalidInputError, match=f"{next(iter(options))} is"):
        HNSWIndex.build(np.eye(2), **options)


def test_ef_is_checked(index, data):
    for ef in (0, -1, 2**20 + 1, 1.5, True):
        with pytest.raises(InvalidInputError, match="ef is"):
            index.search(data[1], ef=ef)


def saved(folder, n=60, m=3):
    vectors = np.random.default_rng(2).standard_normal((n, 4)).astype(np.float32)
    HNSWIndex.build(vectors, m=m, ef_construction=10).save(folder)
    meta, arrays = read_container(folder, "hnsw")
    return meta, {name: array.copy() for name, array in arrays.items()}


def refused(folder, meta, arrays, problem):
    write_container(folder, "hnsw", meta, arrays)
    with pytest.raises(CorruptFileError, match=problem):
        HNSWIndex.load(folder)


def test_graphs_that_would_lead_hnswlib_astray_are_refused(tmp_path):
    meta, arrays = saved(tmp_path)
    assert arrays["levels"].max() >= 2

    def forge(name, change):
        forged = {**arrays, name: arrays[name].copy()}
        change(forged[name])
        return forged

    wrong = {
        "m": [1, 4, 2**40, 3.0, True, None],
        "seed": [-1],
        "ef_construction": [0],
        "entry_point": [-1, 60, "0", None],
    }
    for name, bad in ((name, bad) for name, values in wrong.items() for bad in values):
        refused(tmp_path, {**meta, name: bad}, arrays, "malformed")
    low = int(np.flatnonzero(arrays["levels"] == 0)[0])
    refused(tmp_path, {**meta, "entry_point": low}, arrays, "not on the highest level")
    for name in ("levels", "links0", "links"):
        refused(tmp_path, meta, {k: v for k, v in arrays.items() if k != name}, f"{name} is not")
        refused(tmp_path, meta, {**arrays, name: arrays[name][:-1]}, "is not")
        refused(tmp_path, meta, {**arrays, name: arrays[name].astype(np.int64)}, f"{name} is not")
    refused(tmp_path, meta, forge("levels", lambda a: a.__setitem__(low, 200)), "links is not")
    for name, most in (("links0", 6), ("links", 3)):
        refused(tmp_path, meta, forge(name, lambda a, n=most: a.__setitem__((0, 0), n + 1)), "more links than m allows")
        refused(tmp_path, meta, forge(name, lambda a: a.__setitem__((0, 0), 2**16)), "more links than m allows")
        refused(tmp_path, meta, forge(name, lambda a: a.__setitem__((0, slice(0, 2)), (1, 60))), "does not exist")
        refused(
            tmp_path, meta, forge(name, lambda a: a.__setitem__((0, slice(0, 2)), (1, 2**32 - 1))), "does not exist"
        )
    refused(tmp_path, meta, forge("links", lambda a: a.__setitem__((0, slice(0, 2)), (1, low))), "not on its level")
    write_container(tmp_path, "hnsw", meta, arrays)
    assert len(HNSWIndex.load(tmp_path)) == 60


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.sampled_from(["levels", "links0", "links"]), st.integers(0, 10**6), st.integers(0, 70)),
        min_size=1,
        max_size=6,
    )
)
def test_any_small_numbers_in_the_graph_are_refused_or_searchable(tmp_path, edits):
    meta, arrays = saved(tmp_path / "good")
    for name, at, value in edits:
        arrays[name].reshape(-1)[at % arrays[name].size] = value
    write_container(tmp_path / "bad", "hnsw", meta, arrays)
    try:
        index = HNSWIndex.load(tmp_path / "bad")
    except CorruptFileError:
        return
    queries = np.random.default_rng(3).standard_normal((3, 4))
    hits = index.search(queries, k=60)
    found = hits.docs >= 0
    expected = FlatIndex.build(index.vectors).score(queries, hits.docs)
    assert (hits.scores[found] == expected[found]).all()


def test_flipped_bits_are_reported_or_change_nothing(tmp_path):
    rng = np.random.default_rng(4)
    vectors, queries = rng.standard_normal((150, 6), np.float32), rng.standard_normal((3, 6), np.float32)
    HNSWIndex.build(vectors, m=4, ef_construction=20).save(tmp_path)
    expected = HNSWIndex.load(tmp_path).search(queries)
    contents = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for _ in range(300):
        path = list(contents)[rng.integers(len(contents))]
        damaged = bytearray(contents[path])
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            seen = HNSWIndex.load(tmp_path).search(queries)
        except (CorruptFileError, FileError):
            continue
        finally:
            path.write_bytes(contents[path])
        assert (seen.docs == expected.docs).all()
