"""Losses around a loss: Matryoshka sizes, and codes that the gradient passes."""

import pytest
import torch

from twotower import losses
from twotower.errors import InputTypeError, InvalidInputError
from twotower.losses.codes import as_stored


def case(seed=0, b=3, m=5, d=8):
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randn(n, d, generator=generator, dtype=torch.float64, requires_grad=True) for n in (b, m)]
    return *rows, torch.arange(b), torch.zeros(b, m, dtype=torch.bool)


def unit(rows):
    return torch.nn.functional.normalize(rows, dim=1)


class TestMatryoshka:
    def test_two_sizes_by_hand(self):
        # documents (1, 0, 0, 0), (.6, 0, .8, 0); query (1, 0, 0, 0); T = 1
        # 4 dimensions: s = 1, .6 -> log(1 + e^-.4);  2 dimensions, unit again: s = 1, 1 -> log 2, weight 3
        query = torch.tensor([[1.0, 0, 0, 0]])
        documents = torch.tensor([[1.0, 0, 0, 0], [0.6, 0, 0.8, 0]])
        loss = losses.matryoshka(losses.in_batch(1.0), [4, 2], [1, 3])
        value = loss(query, documents, torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool))
        full, half = torch.log1p(torch.exp(torch.tensor(-0.4))), torch.log(torch.tensor(2.0))
        torch.testing.assert_close(value, full + 3 * half)
        raw = losses.matryoshka(losses.in_batch(1.0), [2], normalise=False)
        torch.testing.assert_close(raw(query, documents, torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool)), full)

    def test_is_the_weighted_sum(self):
        queries, documents, *rest = case()
        base = losses.triplet(0.5)
        expected = sum(
            w * base(unit(queries[:, :n]), unit(documents[:, :n]), *rest) for n, w in ((8, 1.0), (4, 0.5), (2, 0.25))
        )
        torch.testing.assert_close(
            losses.matryoshka(base, [8, 4, 2], [1, 0.5, 0.25])(queries, documents, *rest), expected
        )
        torch.testing.assert_close(
            losses.matryoshka(base)(queries, documents, *rest),
            losses.matryoshka(base, [8, 4, 2], [1, 1, 1])(queries, documents, *rest),
        )

    def test_gives_the_teacher_to_its_loss(self):
        queries, documents, *rest = case()
        teacher = torch.randn(3, 5, dtype=torch.float64)
        value = losses.matryoshka("margin_mse", [8])(queries, documents, *rest, teacher)
        torch.testing.assert_close(value, losses.margin_mse()(unit(queries), unit(documents), *rest, teacher))

    @pytest.mark.parametrize("sizes", [[], [0], [1], [4, 4], [2.0], [True]])
    def test_bad_sizes(self, sizes):
        with pytest.raises(InvalidInputError, match="sizes is"):
            losses.matryoshka("in_batch", sizes)

    @pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, float("nan")]])
    def test_bad_weights(self, weights):
        with pytest.raises(InvalidInputError, match="weights is"):
            losses.matryoshka("in_batch", [4, 2], weights)

    def test_a_size_beyond_the_vectors(self):
        with pytest.raises(InvalidInputError, match="sizes has 9, the vectors have 8"):
            losses.matryoshka("in_batch", [9])(*case())

    def test_one_dimension_is_legal_without_unit_rows(self):
        assert torch.isfinite(losses.matryoshka("in_batch", [1], normalise=False)(*case()))


class TestQuantised:
    def test_codes_by_hand(self):
        rows = torch.tensor([[1.27, -0.014, 0.006], [0.0, 0.0, 0.0]])
        torch.testing.assert_close(as_stored(rows, "int8"), torch.tensor([[1.27, -0.01, 0.01], [0.0, 0.0, 0.0]]))
        signs = as_stored(torch.tensor([[3.0, -4.0, 0.0, 0.0]]), "binary")
        torch.testing.assert_close(signs, torch.tensor([[2.5, -2.5, 2.5, 2.5]]))

    def test_int8_has_at_most_255_levels_and_half_a_step_of_error(self):
        rows = torch.randn(4, 3000, generator=torch.Generator().manual_seed(0))
        stored = as_stored(rows, "int8")
        step = rows.abs().amax(1) / 127
        for row, kept, width in zip(rows, stored, step, strict=True):
            assert len(kept.unique()) <= 255
            assert (kept - row).abs().max() <= width * 0.5001

    @pytest.mark.parametrize("storage", ["int8", "binary"])
    @pytest.mark.parametrize("sides", ["both", "documents"])
    def test_value_is_of_the_codes_and_the_gradient_passes_them(self, storage, sides):
        queries, documents, *rest = case()
        loss = losses.quantised(losses.in_batch(0.5), storage, sides=sides)
        stored = [as_stored(rows.detach(), storage) for rows in (queries, documents)]
        if sides == "documents":
            stored[0] = queries.detach()
        stored = [rows.requires_grad_() for rows in stored]
        value, expected = loss(queries, documents, *rest), losses.in_batch(0.5)(*stored, *rest)
        torch.testing.assert_close(value, expected)
        assert value != losses.in_batch(0.5)(queries, documents, *rest)
        # straight through: the gradient at the codes, which finite differences of the plain loss confirm there
        assert torch.autograd.gradcheck(lambda q, d: losses.in_batch(0.5)(q, d, *rest), stored)
        ours = torch.autograd.grad(value, (queries, documents))
        for gradient, at_codes in zip(ours, torch.autograd.grad(expected, stored), strict=True):
            torch.testing.assert_close(gradient, at_codes)

    @pytest.mark.parametrize("options", [{"storage": "int4"}, {"sides": "queries"}])
    def test_unknown_options(self, options):
        with pytest.raises(InvalidInputError, match="choose one of"):
            losses.quantised("in_batch", **options)


@pytest.mark.parametrize("make", [losses.matryoshka, losses.quantised])
def test_the_loss_inside_is_checked(make):
    with pytest.raises(InvalidInputError, match="unknown loss 'hinge'"):
        make("hinge")
    with pytest.raises(InputTypeError, match="give a loss"):
        make(0.2)
