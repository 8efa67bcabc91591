"""Nobody changes an index from outside: not its vocabulary, not its arrays, not through what was given to it."""

import numpy as np
import pytest

from twotower.errors import InvalidInputError
from twotower.index import BM25FIndex, BM25Index, FlatIndex, HashedNgramIndex, SparseIndex, TfidfIndex
from twotower.index.immutable import cannot_change, freeze
from twotower.index.where import DocBitmap
from twotower.text import Analyzer, Vocabulary

TEXTS = ["sweet love", "sweet sorrow", "nurse"]
FIELDED = BM25FIndex.build([{"title": "sweet", "text": text} for text in TEXTS])
SPARSE = SparseIndex.build([{"sweet": 1.0, "love": 2.0}, {"sweet": 1.0, "sorrow": 1.0}])
WITH_WORDS = [
    BM25Index.build(TEXTS, store_texts=True),
    TfidfIndex.build(TEXTS),
    HashedNgramIndex.build(TEXTS),
    FIELDED,
    SPARSE,
]
GROW = [
    lambda vocabulary: vocabulary.ids([["sweet", "new"]], grow=True),
    lambda vocabulary: Analyzer("english").term_ids(["sweet new"], vocabulary, grow=True),
    lambda vocabulary: Analyzer(str.split).term_ids(["sweet new"], vocabulary, grow=True),
    lambda vocabulary: Analyzer("plain").term_ids(np.array(["sweet new"]), vocabulary, grow=True),
]


def name_of(index):
    return type(index).__name__


@pytest.mark.parametrize("grow", GROW)
@pytest.mark.parametrize("index", WITH_WORDS, ids=name_of)
def test_the_vocabulary_of_an_index_does_not_grow(index, grow, tmp_path):
    before = len(index.vocabulary)
    index.save(tmp_path)
    for read in (index, type(index).load(tmp_path)):
        with pytest.raises(InvalidInputError, match=r"grow a copy of it, Vocabulary\(vocabulary\.terms\(\)\)"):
            grow(read.vocabulary)
        assert len(read.vocabulary) == before
        read.save(tmp_path)
    assert len(type(index).load(tmp_path).vocabulary) == before
    copy = Vocabulary(index.vocabulary.terms())
    grow(copy)
    assert len(copy) > before


def test_a_frozen_vocabulary_still_numbers_what_it_knows():
    vocabulary = BM25Index.build(TEXTS).vocabulary
    known = vocabulary.ids([["sweet", "love"]], grow=True).ids.tolist()
    assert known == [vocabulary.id("sweet"), vocabulary.id("love")]
    assert Analyzer("plain").term_ids(["sweet new"], vocabulary, grow=False).ids.tolist() == [known[0], -1]


@pytest.mark.parametrize("index", [WITH_WORDS[0], WITH_WORDS[1], SPARSE], ids=name_of)
def test_postings_are_read_only(index, tmp_path):
    index.save(tmp_path)
    for read in (index, type(index).load(tmp_path)):
        numbers = read.postings("sweet")[1]
        with pytest.raises(ValueError, match="read-only"):
            numbers[:] = 9
        with pytest.raises(ValueError, match="WRITEABLE"):
            numbers.flags.writeable = True


def test_stored_texts_are_read_only():
    for array in (WITH_WORDS[0].texts.blob, WITH_WORDS[0].texts.offsets):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def read_only_view(array):
    view = array[:]
    view.flags.writeable = False
    return view


def test_a_read_only_view_of_what_can_change_is_copied():
    vectors = np.eye(3, dtype=np.float32)
    index = FlatIndex.build(read_only_view(vectors))
    vectors[:] = np.nan
    assert (index.vectors == np.eye(3)).all()
    words = np.array([0b100], np.uint64)
    made = DocBitmap(read_only_view(words), 3)
    words[:] = 0
    assert len(made) == 1


def test_what_cannot_change_is_held_as_it_is(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(3, dtype=np.float32))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    index = FlatIndex.build(mapped)
    assert np.shares_memory(index.vectors, mapped)
    frozen = freeze(np.eye(3, dtype=np.float32))
    for constant in (frozen, read_only_view(frozen), FlatIndex.build(np.eye(3)).vectors):
        assert np.shares_memory(FlatIndex.build(constant).vectors, constant)


def test_what_cannot_change():
    assert cannot_change(np.frombuffer(b"1234", np.uint8))
    assert not cannot_change(read_only_view(np.frombuffer(bytearray(b"1234"), np.uint8)))
    changing = np.zeros(3)
    assert not cannot_change(changing)
    assert not cannot_change(read_only_view(changing))
    assert cannot_change(freeze(changing[:2]))
    assert not changing.flags.writeable
