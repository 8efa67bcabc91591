"""Vocabulary: ids, counting, the stored form and damage to it."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotower import Analyzer, Vocabulary
from twotower.errors import InputTypeError, InvalidInputError

PLAIN = Analyzer("plain")


@given(st.lists(st.text(max_size=5)))
def test_equals_a_dict_in_order_of_first_appearance(terms):
    expected = {term: n for n, term in enumerate(dict.fromkeys(terms))}
    vocabulary = Vocabulary(terms)
    assert vocabulary.terms() == list(vocabulary) == list(expected)
    assert len(vocabulary) == len(expected)
    for term, number in expected.items():
        assert vocabulary.id(term) == number
        assert vocabulary.term(number) == term
        assert term in vocabulary
    assert Vocabulary.from_arrays(*vocabulary.to_arrays()) == vocabulary


def test_unknown_terms():
    vocabulary = Vocabulary(["love"])
    assert vocabulary.id("sorrow") == -1
    assert "sorrow" not in vocabulary
    assert 7 not in vocabulary
    for wrong in (-1, 1):
        with pytest.raises(InvalidInputError, match=f"no term has id {wrong}: ids go from 0 to below 1"):
            vocabulary.term(wrong)
    with pytest.raises(InputTypeError, match="id is of type float"):
        vocabulary.term(0.5)
    assert vocabulary.term(np.int32(0)) == "love"
    with pytest.raises(InputTypeError, match="the term is of type int"):
        vocabulary.id(7)


def test_lists_of_terms():
    vocabulary = Vocabulary(["love"])
    ids, offsets = vocabulary.ids([["sweet", "love"], (), ["sweet"]])
    assert (ids.tolist(), offsets.tolist()) == ([-1, 0, -1], [0, 2, 2, 3])
    assert vocabulary.ids([["sweet"]], grow=True).ids.tolist() == [1]
    with pytest.raises(InputTypeError, match="text 1 is of type str: give a list of terms"):
        vocabulary.ids([["a"], "b"])
    with pytest.raises(InputTypeError, match="term 1 of text 1 is of type int"):
        vocabulary.ids([["a"], ["b", 3]])
    with pytest.raises(InvalidInputError, match=r"term 0 of text 2 has a lone surrogate, U\+DFFF"):
        vocabulary.ids([["a"], [], ["\udfff"]])
    with pytest.raises(InputTypeError, match="documents is one str"):
        vocabulary.ids("ab")


def test_terms_must_be_a_list_of_str():
    with pytest.raises(InputTypeError, match="terms is one str"):
        Vocabulary("love")
    with pytest.raises(InputTypeError, match="is of type int"):
        Vocabulary([1])


def test_count_orders_by_count_then_first_appearance():
    texts = ["c b a b", "a d", "", "e b"]
    assert Vocabulary.count(texts, PLAIN).terms() == ["b", "a", "c", "d", "e"]
    assert Vocabulary.count(iter(texts), PLAIN, min_count=2).terms() == ["b", "a"]
    assert Vocabulary.count(texts, PLAIN, max_size=3).terms() == ["b", "a", "c"]
    assert Vocabulary.count(texts, PLAIN, min_count=2, max_size=1).terms() == ["b"]
    assert Vocabulary.count(texts, PLAIN, max_size=0).terms() == []
    assert Vocabulary.count([], PLAIN).terms() == []


def test_count_over_more_texts_than_a_batch():
    texts = [f"w{n % 5000} w{n % 7}" for n in range(12_000)]
    terms = Vocabulary.count(texts, PLAIN, min_count=3).terms()
    assert terms[:7] == ["w0", "w1", "w2", "w3", "w4", "w5", "w6"]
    assert len(terms) == 2000


def test_count_refuses_limits_that_make_no_sense():
    with pytest.raises(InvalidInputError, match="min_count is 0"):
        Vocabulary.count([], PLAIN, min_count=0)
    with pytest.raises(InvalidInputError, match="max_size is -1"):
        Vocabulary.count([], PLAIN, max_size=-1)


def test_stored_form():
    blob, offsets = Vocabulary(["sweet", "", "löve"]).to_arrays()
    assert (blob.dtype, offsets.dtype) == (np.uint8, np.int64)
    assert (bytes(blob), offsets.tolist()) == ("sweetlöve".encode(), [0, 5, 5, 10])
    blob.flags.writeable = offsets.flags.writeable = False  # as a mapped file gives them
    assert Vocabulary.from_arrays(blob, offsets).terms() == ["sweet", "", "löve"]
    assert Vocabulary.from_arrays(np.repeat(blob, 2)[::2], offsets).id("löve") == 2


@given(
    st.binary(max_size=8).map(lambda raw: np.frombuffer(raw, np.uint8)),
    st.lists(st.integers(-3, 9) | st.integers(-(2**63), 2**63 - 1), max_size=6).map(lambda x: np.array(x, np.int64)),
)
def test_any_bytes_are_read_or_refused(blob, offsets):
    try:
        vocabulary = Vocabulary.from_arrays(blob, offsets)
    except InvalidInputError as error:
        assert "stored vocabulary" in str(error)  # noqa: PT017
    else:
        again = vocabulary.to_arrays()
        assert np.array_equal(again[0], blob)
        assert np.array_equal(again[1], offsets)


@pytest.mark.parametrize(
    ("blob", "offsets", "message"),
    [
        (np.zeros(1, np.int8), np.array([0, 1]), "blob is int8"),
        (np.zeros(1, np.uint8), np.array([0, 1], np.int32), "offsets is int32"),
        (np.zeros((1, 1), np.uint8), np.array([0, 1]), r"blob is uint8 \(1, 1\)"),
        (b"a", np.array([0, 1]), "blob is bytes"),
    ],
)
def test_stored_form_of_another_type(blob, offsets, message):
    with pytest.raises(InputTypeError, match=message):
        Vocabulary.from_arrays(blob, offsets)


def test_copies_are_independent():
    vocabulary = Vocabulary(["a"])
    twin = copy.deepcopy(vocabulary)
    twin.ids([["b"]], grow=True)
    assert (len(vocabulary), len(twin)) == (1, 2)
    assert vocabulary != twin
    assert repr(twin) == "Vocabulary(2 terms)"
