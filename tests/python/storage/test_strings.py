"""Tables of strings: what was packed comes back, and what was not is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.errors import CorruptFileError, InvalidInputError
from twotower.storage import StringTable, pack_strings


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text()))
def test_round_trip(strings):
    table = StringTable(*pack_strings(strings))
    assert list(table) == strings
    assert len(table) == len(strings)
    assert [table[i] for i in range(len(strings))] == strings
    assert table[1:3] == strings[1:3]
    assert table[::-1] == strings[::-1]


def test_lookup():
    table = StringTable(*pack_strings(["b", "ü", "", "a b"]))
    assert [table.index(s) for s in ("b", "ü", "", "a b")] == [0, 1, 2, 3]
    assert table[-1] == "a b"
    assert "ü" in table
    assert 3 not in table
    with pytest.raises(InvalidInputError, match="'c' is not among the 4 ids"):
        table.index("c")
    with pytest.raises(IndexError):
        table[4]


def test_lone_surrogates_are_named():
    with pytest.raises(InvalidInputError, match=r"string 1 \('\\ud800'\)"):
        pack_strings(["fine", "\ud800"])


@pytest.mark.parametrize(
    ("blob", "offsets", "problem"),
    [
        (b"ab", [], "are not uint8"),
        (b"ab", [1, 2], "ascend"),
        (b"ab", [0, 1], "ascend"),
        (b"ab", [0, 3], "ascend"),
        (b"ab", [0, 2, 1, 2], "ascend"),
        (b"ab", [0, -1, 2], "ascend"),
        (b"a\xff", [0, 2], "near byte 1: not UTF-8"),
        ("aü".encode(), [0, 2, 3], "inside a character"),
    ],
)
def test_malformed_tables_are_refused(blob, offsets, problem):
    with pytest.raises(CorruptFileError, match=problem):
        StringTable(np.frombuffer(blob, np.uint8), np.array(offsets, np.int64))


def test_other_dtypes_and_shapes_are_refused():
    blob, offsets = pack_strings(["a", "b"])
    wrong = [(blob.astype(np.int8), offsets), (blob, offsets.astype(np.int32))]
    for bad in [*wrong, (blob[:, None], offsets), (blob, offsets[:, None])]:
        with pytest.raises(CorruptFileError, match="are not uint8"):
            StringTable(*bad)


def test_a_string_twice_is_found_by_the_first_lookup():
    with pytest.raises(CorruptFileError, match="twice"):
        StringTable(*pack_strings(["a", "a"])).index("a")
