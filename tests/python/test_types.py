"""Hits as a sequence."""

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
