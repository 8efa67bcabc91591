"""Lists of documents: drawing, saving, mapping, and mining more than memory would hold as Python lists."""

import tracemalloc

import numpy as np
import pytest

from small_collection import translated
from twotower import mine
from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError
from twotower.negatives.doc_lists import DocLists, overlap
from twotower.negatives.ranked import mine_ranked
from twotower.storage import StringTable, pack_strings, write_container

LISTS = DocLists.of([[5, 3, 9], [], [7], [1, 2, 4, 8]])


class TestDraw:
    def test_different_ones_of_the_own_list(self):
        queries = np.array([3, 0, 1, 2, 3])
        places, docs = LISTS.draw(queries, 2, np.random.default_rng(0))
        assert places.tolist() == [0, 0, 1, 1, 3, 4, 4]
        for place, query in enumerate(queries):
            drawn = docs[places == place].tolist()
            assert set(drawn) <= set(LISTS[query].tolist())
            assert len(set(drawn)) == len(drawn) == min(2, len(LISTS[query]))

    def test_each_equally_often(self):
        _, docs = LISTS.draw(np.full(9000, 0), 1, np.random.default_rng(0))
        counts = np.bincount(docs, minlength=10)[[3, 5, 9]]
        assert counts.sum() == 9000
        assert abs(counts - 3000).max() < 250

    def test_same_seed_same_documents(self):
        drawn = [LISTS.draw(np.array([0, 3]), 1, np.random.default_rng(seed))[1].tolist() for seed in (1, 1, 2, 3, 4)]
        assert drawn[0] == drawn[1]
        assert len({tuple(docs) for docs in drawn}) > 1


def test_contains_is_membership():
    docs = np.array([[5, 9, -1, 0], [1, 7, 5, -1]])
    assert LISTS.contains(np.array([0, 3]), docs).tolist() == [[True, True, False, False], [True, False, False, False]]
    assert LISTS.contains(np.array([1]), np.array([[5]])).tolist() == [[False]]


def test_overlap_by_hand():
    old, new = DocLists.of([[1, 2], [3], []]), DocLists.of([[2, 5], [3, 4], [1]])
    assert overlap(old, new, np.array([0, 1, 2])) == 2 / 5
    assert overlap(old, new, np.array([1])) == 1 / 2
    assert overlap(old, old, np.array([0, 1, 2])) == 1


class TestSaved:
    def test_reads_back_and_is_mapped(self, tmp_path):
        LISTS.save(tmp_path / "x", {"a": 1})
        lists, meta, _ = DocLists.load(tmp_path / "x", 10)
        assert [lists[i].tolist() for i in range(4)] == [[5, 3, 9], [], [7], [1, 2, 4, 8]]
        assert meta == {"a": 1}
        assert not lists.docs.flags.writeable

    def test_a_document_beyond_the_corpus(self, tmp_path):
        LISTS.save(tmp_path / "x")
        with pytest.raises(CorruptFileError, match="document 9 of 9"):
            DocLists.load(tmp_path / "x", 9)

    @pytest.mark.parametrize("offsets", [[0, 5, 3, 8], [1, 8], [0, 7], []])
    def test_offsets_that_cut_nothing(self, tmp_path, offsets):
        write_container(tmp_path / "x", "negatives", {}, {"offsets": np.array(offsets, np.int64), "docs": LISTS.docs})
        with pytest.raises(CorruptFileError, match="offsets"):
            DocLists.load(tmp_path / "x", 10)

    def test_other_dtypes(self, tmp_path):
        write_container(
            tmp_path / "x", "negatives", {}, {"offsets": LISTS.offsets, "docs": LISTS.docs.astype(np.int64)}
        )
        with pytest.raises(CorruptFileError, match="uint32"):
            DocLists.load(tmp_path / "x", 10)


class TestMined:
    def test_ahead_of_training(self, tmp_path):
        collection = translated()
        source = mine.bm25(depth=4, per_query=2)
        kept, saved = mine.mine(source, collection), mine.mine(source, collection, folder=tmp_path / "m")
        again = mine.Mined.load(tmp_path / "m", collection)
        for mined in (saved, again):
            assert list(mined.query_ids) == list(kept.query_ids)
            assert np.array_equal(mined.lists.docs, kept.lists.docs)
            assert mined.describe() == kept.describe()
            assert mined.per_query == 2

    def test_lists_of_other_queries_are_refused_and_a_part_is_found(self):
        collection = translated()
        mined = mine.mine(mine.bm25(depth=4), collection)
        rows = list(collection.corpus)
        known = [{rows.index(d) for d in collection.qrels["train"][q]} for q in ("query7", "query3")]
        task = mine.Task.of(collection, ["query7", "query3"], known)
        found = mined.prepare(task)
        for place, query in enumerate((7, 3)):
            assert found[place].tolist() == [d for d in mined.lists[query].tolist() if d not in known[place]]
        with pytest.raises(InvalidInputError, match="no negatives were mined for query 'query100'"):
            mined.prepare(mine.Task.of(collection, ["query100"], [{0}]))

    def test_what_cannot_be_mined(self, tmp_path):
        collection = translated()
        with pytest.raises(InvalidInputError, match="no lists to save"):
            mine.mine(mine.random(), collection)
        with pytest.raises(InputTypeError, match="give a source"):
            mine.mine("bm25", collection)
        with pytest.raises(InvalidInputError, match="no split"):
            mine.mine(mine.bm25(), collection, "dev")
        with pytest.raises(FileError):
            mine.Mined.load(tmp_path / "nothing", collection)


def test_many_queries_out_of_core(tmp_path):
    """200,000 queries with 20 negatives each: 16 MB of ids in a file, not 150 MB of Python lists; texts are read in blocks."""
    n, n_docs, depth = 200_000, 1000, 20

    class Ranking:
        def search(self, queries, k):
            docs = (queries[:, None] * 7 + np.arange(k)) % n_docs
            return -np.tile(np.arange(k, dtype=np.float32), (len(queries), 1)), docs

        def score(self, queries, docs):
            raise AssertionError("not asked for")

    blob, offsets = pack_strings([str(i) for i in range(n)])
    known = DocLists(np.arange(n + 1), (np.arange(n) * 7 % n_docs).astype(np.uint32))  # the first that is found
    task = mine.Task(StringTable(blob, offsets), StringTable(blob, offsets), [""] * n_docs, [""] * n_docs, known, known,
                     folder=tmp_path)  # fmt: skip
    tracemalloc.start()
    lists = mine_ranked(task, Ranking(), depth, ())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6
    assert isinstance(lists.docs, np.memmap)
    assert len(lists.docs) == n * depth
    for query in (0, 1, n - 1):
        assert lists[query].tolist() == [(query * 7 + i) % n_docs for i in range(1, depth + 1)]
    assert list(tmp_path.iterdir()) == []
