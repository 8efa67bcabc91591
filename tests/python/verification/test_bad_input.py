"""What the room refuses by type, with errors of its own."""

import numpy as np
import pytest

from twotower.errors import InputTypeError, InvalidInputError
from twotower.verification import dtw_distances, enrol, error_curve, pack_template, unpack_template

VECTORS = np.random.default_rng(0).standard_normal((6, 3))
FRAMES = [np.zeros((2, 1))]


@pytest.mark.parametrize(
    "call",
    [
        lambda: error_curve("a", "b"),
        lambda: error_curve([1.0], [None]),
        lambda: error_curve([1.0], [1j]),
        lambda: error_curve([1.0], [0.0]).at_false_accepts("a"),
        lambda: error_curve([1.0], [0.0]).at_genuine_accepts(None),
        lambda: enrol("x"),
        lambda: enrol([["a"] * 3] * 6),
        lambda: enrol(VECTORS, shrinkage="a"),
        lambda: enrol(VECTORS).scores("x"),
        lambda: pack_template("x"),
        lambda: pack_template([1.0], n_bytes="80"),
        lambda: unpack_template(None),
        lambda: unpack_template("abc"),
        lambda: dtw_distances(["a"], ["b"]),
        lambda: dtw_distances(5, 5),
        lambda: dtw_distances("a", "b"),
        lambda: dtw_distances(FRAMES, None),
    ],
)
def test_other_types_are_refused(call):
    with pytest.raises(InputTypeError, match="give"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: error_curve([[1.0], [1.0, 2.0]], [1.0]),
        lambda: enrol([[1.0], [1.0, 2.0]]),
        lambda: dtw_distances([[[1.0], [1.0, 2.0]]], FRAMES),
        lambda: pack_template([1e300]),
    ],
)
def test_ragged_and_too_large_numbers_are_refused(call):
    with pytest.raises(InvalidInputError, match=r"rectangular|float32"):
        call()


def test_numbers_of_any_real_dtype_are_taken():
    assert (
        error_curve(np.array([1, 2], np.int8), np.array([True])).equal_error_rate
        == error_curve([1, 2], [1]).equal_error_rate
    )
    assert len(dtw_distances(iter(FRAMES), tuple(FRAMES))) == 1
    assert enrol(VECTORS, shrinkage=np.float32(0.5)).mean.shape == (3,)
