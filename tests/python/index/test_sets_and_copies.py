"""Sets of documents as values, and what every index that never changes refuses or shares."""

import copy
import pickle

import numpy as np
import pytest

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index import BM25Index, FlatCodesIndex, FlatIndex, SparseIndex
from twotower.index.where import DocBitmap

VECTORS = np.eye(3, dtype=np.float32)
INDEXES = [
    BM25Index.build(["a", "b", "c"]),
    FlatIndex.build(VECTORS),
    FlatCodesIndex.build(VECTORS),
    SparseIndex.build([{"a": 1.0}, {"b": 1.0}, {"c": 1.0}]),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_an_index_is_its_own_copy_and_is_not_pickled(index):
    assert copy.copy(index) is index
    assert copy.deepcopy([index])[0] is index
    with pytest.raises(InputTypeError, match=rf"a {type(index).__name__} is not pickled: use save"):
        pickle.dumps(index)


def test_a_bitmap_is_a_value_and_holds_no_stray_bits():
    index = BM25Index.build(["a", "b", "c"])
    one = index.bitmap(["1"])
    assert one == index.bitmap([1]) == index.bitmap(np.array(["1"]))
    assert one != index.bitmap([2])
    assert len({one, index.bitmap([1])}) == 1
    with pytest.raises(ValueError, match="read-only"):
        one.words[:] = 7
    words = np.array([0b100], np.uint64)
    made = DocBitmap(words, 3)
    words[:] = 0
    assert len(made) == 1
    with pytest.raises(InvalidInputError, match="bits beyond the last document"):
        DocBitmap(np.array([0b1000], np.uint64), 3)


def test_an_empty_selection_finds_nothing():
    index = BM25Index.build(["a", "b", "c"])
    assert index.search("a", where=np.array([])) == index.search("a", where=[]) == []


@pytest.mark.parametrize("doc_ids", [None, 5, ["0"], [None], [5]])
@pytest.mark.parametrize("kind", [FlatIndex, FlatCodesIndex])
def test_ids_to_score_are_one_sequence_a_query(kind, doc_ids):
    with pytest.raises(InputTypeError, match="one sequence of ids a query"):
        kind.build(VECTORS).scores(VECTORS[:1], doc_ids)


@pytest.mark.parametrize("kind", [FlatIndex, FlatCodesIndex])
def test_scores_by_id(kind):
    scores = kind.build(VECTORS, ["a", "b", "c"]).scores(np.array([[1.0, 2.0, 3.0]] * 2), [["c", None, "a"], ["b"]])
    assert scores.tolist() == [[3.0, -np.inf, 1.0], [2.0, -np.inf, -np.inf]]
