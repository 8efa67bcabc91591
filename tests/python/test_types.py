"""Hits as a sequence."""

import copy
import pickle

import numpy as np
import pytest

import twotower as tt
from twotower.types import Hits

HITS = Hits(
    np.array([[2.0, 1.0], [3.0, -np.inf], [-np.inf, -np.inf]], np.float32),
    np.array([[1, 0], [1, -1], [-1, -1]]),
    ["a", "b"].__getitem__,
)


def test_a_slice_of_hits_is_hits():
    assert isinstance(HITS[0:2], Hits)
    assert list(HITS[:2]) == [HITS[0], HITS[1]]
    assert list(HITS[::-1]) == [HITS[2], HITS[1], HITS[0]]
    assert HITS[1:].doc_ids == [["b", None], [None, None]]
    assert len(HITS[5:]) == 0
    assert HITS[:1].to_run(["q"]) == {"q": {"b": 2.0, "a": 1.0}}


def test_hits_of_one_query_by_any_integer():
    assert HITS[1] == HITS[np.int64(1)] == HITS[-2] == [("b", 3.0, 1)]


@pytest.mark.parametrize("query", ["q1", 1.0, None, True, [0, 1], (0, 1), np.array([0, 1])])
def test_other_keys_are_refused(query):
    with pytest.raises(tt.errors.InputTypeError, match="give an integer or a slice"):
        HITS[query]


def test_hits_are_equal_by_what_they_hold():
    arrays = HITS.scores.copy(), HITS.docs.copy()
    assert Hits(*arrays, ["a", "b"].__getitem__) == HITS
    assert Hits(*arrays, ["a", "c"].__getitem__) != HITS
    assert Hits(arrays[0] + 1, arrays[1], ["a", "b"].__getitem__) != HITS
    assert Hits(arrays[0], arrays[1][:, ::-1], ["a", "b"].__getitem__) != HITS
    assert HITS[:2] != HITS
    assert [*HITS] != HITS


@pytest.mark.parametrize("doc_ids", [None, ["a", "b", "c"]])
def test_pickled_hits_are_the_same_hits(doc_ids):
    index = tt.FlatIndex.build(np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]), doc_ids)
    hits = index.search(np.eye(2), k=4)
    for again in (pickle.loads(pickle.dumps(hits)), copy.deepcopy(hits), pickle.loads(pickle.dumps(hits[1:]))):
        assert again == (hits if len(again) == 2 else hits[1:])
        assert again.doc_ids == hits.doc_ids[-len(again) :]
    assert pickle.loads(pickle.dumps(HITS)) == HITS


@pytest.mark.parametrize("device", ["cuda:99999999999999999999", "cuda:" + "9" * 5000, "cuda:x", "gpu", "a\0b"])
def test_a_device_that_cannot_be_is_refused(device):
    with pytest.raises(tt.errors.InvalidInputError, match="choose one of cpu, auto, cuda"):
        tt.FlatIndex.build(np.eye(2)).search(np.eye(2), device=device)


@pytest.mark.parametrize("device", [["cpu"], None, 0])
def test_a_device_that_is_no_string_is_refused(device):
    with pytest.raises(tt.errors.InputTypeError, match="device is"):
        tt.FlatIndex.build(np.eye(2)).search(np.eye(2), device=device)
