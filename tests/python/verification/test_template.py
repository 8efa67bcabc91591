"""Templates: never too long, within the stated error, and refused when damaged."""

import numpy as np
import pytest

from twotower.errors import CorruptFileError, InvalidInputError
from twotower.verification import pack_template, unpack_template


@pytest.mark.parametrize(("dims", "bits"), [(1, 8), (12, 8), (64, 8), (73, 8), (74, 7), (100, 5), (304, 1), (584, 1)])
def test_fits_and_comes_back_within_the_stated_error(dims, bits):
    for vector in (np.random.default_rng(dims).standard_normal(dims), np.zeros(dims), -np.ones(dims)):
        template = pack_template(vector)
        assert len(template) <= 80
        again = unpack_template(template)
        assert again.shape == (dims,)
        assert np.abs(again - vector).max() <= np.abs(vector).max() / (2**bits - 1) * (1 + 1e-6)


def test_more_bytes_more_bits():
    vector = np.random.default_rng(0).standard_normal(304)
    errors = [np.abs(unpack_template(pack_template(vector, n_bytes)) - vector).max() for n_bytes in (80, 160, 320)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_known_bytes():
    """3 dimensions, 8 bits, magnitude 1.0; codes 255, 0, and 127.5 rounded to even."""
    assert pack_template([1.0, -1.0, 0.0]) == bytes([3, 0, 8, 0, 0, 128, 63, 255, 0, 128])


def test_what_does_not_fit_or_is_no_template_is_refused():
    with pytest.raises(InvalidInputError, match="585 dimensions do not fit into 80 bytes"):
        pack_template(np.ones(585))
    with pytest.raises(InvalidInputError, match="not finite"):
        pack_template([np.inf])
    good = pack_template(np.ones(5))
    for bad in (b"", good[:6], good[:-1], good + b"\0", b"\0\0" + good[2:], good[:2] + b"\x09" + good[3:]):
        with pytest.raises(CorruptFileError, match="template"):
            unpack_template(bad)
