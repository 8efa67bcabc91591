"""What models refuse to be built of, and vectors of any magnitude that they take."""

import numpy as np
import pytest
import torch

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text import Vocabulary
from twotower.towers import TwoTower
from twotower.towers.shape import check_positive, unit_rows

WORDS = Vocabulary(["a", "b", "c"])
TABLE = np.random.default_rng(0).standard_normal((3, 8))


def average(**options):
    return TwoTower.average(WORDS, "plain", **options)


def huge(value, dtype=np.float64):
    return np.full((3, 8), value, dtype)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: average(foo=3), "has no option 'foo': it takes dim, out_dim, vectors.*seed"),
        (lambda: TwoTower.rnn(WORDS, "plain", foo=3), "tower 'rnn' has no option 'foo': it takes cell, dim.*tied"),
        (
            lambda: TwoTower.build("tdnn", WORDS, "plain", foo=3),
            "tower 'tdnn' has no option 'foo': it takes dim, layers",
        ),
        (lambda: TwoTower.transformer(WORDS, "plain", foo=3), "has no option 'foo'"),
        (lambda: TwoTower.tdnn(WORDS, "plain", layers=5), "layers is 5"),
        (lambda: TwoTower.from_pretrained(5), "folder is 5"),
        (lambda: average(dim=4).save_pretrained(5), "folder is 5"),
        (lambda: average(dim=4, tied="yes"), "tied is 'yes'"),
        (lambda: average(dim=4, tied=None), "tied is None"),
        (lambda: average(dim=4, frozen="no"), "frozen is 'no'"),
        (lambda: average(vectors=TABLE, frozen=1), "frozen is 1"),
        (lambda: TwoTower.build("average", WORDS, "plain", weighted="no"), "weighted is 'no'"),
        (lambda: TwoTower.rnn(WORDS, "plain", bidirectional="no"), "bidirectional is 'no'"),
    ],
)
def test_types_that_do_not_fit_are_refused(call, message):
    with pytest.raises(InputTypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: average(head={"kind": "linear", "dim": 4, 5: 3}), "a linear head has 5, dim, kind"),
        (lambda: average(dim=4, weights=[[1.0], [1.0, 2.0], [3.0]]), "weights are not a rectangular array"),
        (lambda: average(vectors="a\0b"), "null character"),
        (lambda: TwoTower.from_pretrained("a\0b"), "null character"),
        (lambda: TwoTower.rnn(WORDS, "plain", hidden=2**20), r"'hidden': 1048576.*memory: take smaller sizes"),
        (lambda: average(dim=2**20, out_dim=2**20), "does not fit into memory"),
        (lambda: average(dim=2**20, head={"kind": "mlp", "dim": 2**20}), "does not fit into memory"),
        (lambda: average(vectors=huge(1e300)), "row 0 of vectors is not finite in float32"),
        (lambda: average(vectors=huge(3e38, np.float32)), "sums over 128 terms would overflow"),
        (lambda: average(dim=4, weights=np.full(3, 1e300)), r"weights\[0\] is 1e\+300"),
        (lambda: average(dim=4, weights=np.array([1.0, np.inf, 1.0])), r"weights\[1\] is inf"),
        (lambda: average(dim=4, weights=np.full(3, 3e38)), "would overflow"),
        (lambda: average(vectors=huge(1e20), weights=np.full(3, 1e20)), "would overflow"),
        (lambda: average(dim=4).encode_queries(["a"], dim=1), "dim is 1: it must be from 2 to 4"),
        (lambda: average(dim=4).encode_queries(["a"], dim=5), "from 2 to 4"),
        (lambda: average(dim=4, similarity="dot").encode_queries(["a"], dim=0), "from 1 to 4"),
        (lambda: average(dim=4, saturation=10**400), "saturation is 1000.*finite"),
    ],
)
def test_values_that_do_not_fit_are_refused(call, message):
    with pytest.raises(InvalidInputError, match=message):
        call()


@pytest.mark.parametrize("value", ["3e38", "-3e38"])
def test_a_file_of_numbers_that_overflow_is_refused(tmp_path, value):
    path = tmp_path / "huge.txt"
    path.write_text("".join(f"{word} {value} -{value.strip('-')}\n" for word in ("a", "b")))
    with pytest.raises(InvalidInputError, match=r"overflow|do not fit into float32"):
        average(vectors=path)


def test_words_that_a_file_of_large_numbers_lacks_are_finite(tmp_path):
    path = tmp_path / "large.txt"
    path.write_text("a 1e30 -1e30\nb -1e30 2e30\n")  # squares overflow float32
    model = average(vectors=path)
    assert torch.isfinite(model.query_tower.embedding.weight).all()
    np.testing.assert_allclose(np.linalg.norm(model.encode_queries(["a", "b", "c"]), axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-42, 1e-37, 1e-30, 1e-20, 1.0, 1e20, 1e30, 1e35])
def test_rows_have_length_1_whatever_their_magnitude(scale):
    found = average(vectors=(TABLE * scale).astype(np.float32)).encode_queries(["a", "b c", ""])
    expected = average(vectors=TABLE).encode_queries(["a", "b c", ""])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 0], rtol=1e-6)
    np.testing.assert_allclose(found, expected, atol=1e-2 if scale < 1e-37 else 1e-6)  # 1e-42 has few bits


def test_ordinary_rows_keep_their_bits_beside_others():
    rows = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    plain = rows / rows.norm(dim=1, keepdim=True)
    mixed = torch.cat([rows, rows[:1] * 1e30, rows[:1] * 1e-30, torch.zeros(1, 7)])
    assert torch.equal(unit_rows(rows), plain)
    assert torch.equal(unit_rows(mixed)[:5], plain)
    torch.testing.assert_close(unit_rows(mixed)[5:7], plain[[0, 0]])
    assert torch.equal(unit_rows(mixed)[7], torch.zeros(7))


def test_the_gradient_of_rows_divided_first_is_that_of_the_direction():
    rows = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows = torch.cat([rows * 1e-20, torch.zeros(1, 4, dtype=torch.float64)]).requires_grad_()
    outer = torch.randn(4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (found,) = torch.autograd.grad((unit_rows(rows) * outer).sum(), rows)
    (expected,) = torch.autograd.grad((torch.nn.functional.normalize(rows[:3], dim=1, eps=0) * outer[:3]).sum(), rows)
    torch.testing.assert_close(found[:3], expected[:3], rtol=1e-9, atol=0)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("value", [10**400, float("nan"), float("inf"), 0, -1])
def test_a_positive_number_is_finite(value):
    with pytest.raises(InvalidInputError, match="a finite number above 0"):
        check_positive("saturation", value)
