"""Losses against cases worked by hand, log_softmax, and finite differences."""

import math

import pytest
import torch

from twotower import losses
from twotower.errors import InvalidInputError
from twotower.losses import LOSSES

NONE_EXCLUDED = torch.zeros(2, 2, dtype=torch.bool)
OWN = torch.tensor([0, 1])


def rows(*cosines: float) -> torch.Tensor:
    """Unit rows in the plane with these cosines to (1, 0)."""
    return torch.tensor([[c, math.sqrt(1 - c * c)] for c in cosines], dtype=torch.float64)


def case(seed: int = 0, b: int = 3, m: int = 5, d: int = 4):
    generator = torch.Generator().manual_seed(seed)
    queries = torch.randn(b, d, generator=generator, dtype=torch.float64, requires_grad=True)
    documents = torch.randn(m, d, generator=generator, dtype=torch.float64, requires_grad=True)
    excluded = torch.zeros(b, m, dtype=torch.bool)
    excluded[0, 3] = True
    return queries, documents, torch.tensor([0, 1, 2]), excluded


@pytest.fixture(params=sorted(LOSSES))
def loss(request):
    return getattr(losses, request.param)()


class TestEveryLoss:
    def test_gradient_is_that_of_finite_differences(self, loss):
        queries, documents, positive, excluded = case()
        assert torch.autograd.gradcheck(lambda q, d: loss(q, d, positive, excluded), (queries, documents))

    def test_is_the_mean_over_queries(self, loss):
        queries, documents, positive, excluded = case()
        single = [loss(queries[i : i + 1], documents, positive[i : i + 1], excluded[i : i + 1]) for i in range(3)]
        torch.testing.assert_close(loss(queries, documents, positive, excluded), torch.stack(single).mean())

    def test_an_excluded_document_has_no_part_in_it(self, loss):
        queries, documents, positive, excluded = case()
        changed = documents.detach().clone()
        changed[3] = 100 * queries[0].detach()
        assert loss(queries[:1], documents, positive[:1], excluded[:1]) == loss(
            queries[:1], changed, positive[:1], excluded[:1]
        )

    def test_the_positive_is_never_excluded(self, loss):
        queries, documents, positive, excluded = case()
        marked = excluded.clone()
        marked[torch.arange(3), positive] = True
        assert loss(queries, documents, positive, marked) == loss(queries, documents, positive, excluded)

    def test_without_negatives_it_is_zero_and_so_is_the_gradient(self, loss):
        queries, documents, positive, _ = case()
        value = loss(queries, documents, positive, torch.ones(3, 5, dtype=torch.bool))
        assert value == 0
        for gradient in torch.autograd.grad(value, (queries, documents)):
            assert (gradient == 0).all()

    def test_a_step_down_the_gradient_brings_query_and_positive_nearer(self, loss):
        queries, documents, positive, excluded = case(seed=3)
        (gradient,) = torch.autograd.grad(loss(queries, documents, positive, excluded), queries)
        with torch.no_grad():
            before = loss(queries, documents, positive, excluded)
            assert loss(queries - 1e-3 * gradient, documents, positive, excluded) < before

    def test_wrong_shapes_are_named(self, loss):
        queries, documents, positive, excluded = case()
        with pytest.raises(InvalidInputError, match=r"\[3, 4\] and \[5, 3\]"):
            loss(queries, documents[:, :3], positive, excluded)
        with pytest.raises(InvalidInputError, match=r"positive must be \[3\]"):
            loss(queries, documents, positive[:2], excluded)
        with pytest.raises(InvalidInputError, match=r"excluded \[3, 5\], not .* \[3, 4\]"):
            loss(queries, documents, positive, excluded[:, :4])


class TestTriplet:
    def test_two_by_two_by_hand(self):
        # query 0: s+ = .6, s- = .8 -> .2 - (-.2) = .4;   query 1: s+ = .8, s- = .6 -> .2 - .2 = 0
        query = rows(1.0, 1.0)
        value = losses.triplet(margin=0.2)(query, rows(0.6, 0.8), OWN, NONE_EXCLUDED)
        assert value.item() == pytest.approx((0.4 + 0) / 2, abs=1e-12)

    def test_similarity_form_equals_distance_form(self):
        query, positive, negative = rows(0.3), rows(0.5), rows(0.9)
        distance_positive, distance_negative = 1 - query @ positive.T, 1 - query @ negative.T
        value = losses.triplet(margin=0.2)(query, torch.cat([positive, negative]), OWN[:1], NONE_EXCLUDED[:1])
        assert value.item() == pytest.approx(max(0.0, (distance_positive - distance_negative + 0.2).item()), abs=1e-12)

    def test_the_nearest_negative_counts(self):
        value = losses.triplet(0.2)(rows(1.0), rows(0.9, 0.1, 0.85), OWN[:1], torch.zeros(1, 3, dtype=torch.bool))
        assert value.item() == pytest.approx(0.2 - (0.9 - 0.85), abs=1e-12)

    @pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf")])
    def test_bad_margin(self, margin):
        with pytest.raises(InvalidInputError, match="margin"):
            losses.triplet(margin)


class TestInBatch:
    def test_three_by_three_by_hand(self):
        # orthogonal unit rows: own score 1, others 0 -> -log(e / (e + 2)) at temperature 1
        eye = torch.eye(3, dtype=torch.float64)
        value = losses.in_batch(temperature=1.0)(eye, eye, torch.arange(3), torch.zeros(3, 3, dtype=torch.bool))
        assert value.item() == pytest.approx(-math.log(math.e / (math.e + 2)), abs=1e-12)

    def test_two_by_two_with_temperature_by_hand(self):
        # scores .6 .8 -> over .1: 6 8;  query 0 owns .6, query 1 owns .8
        value = losses.in_batch(temperature=0.1)(rows(1.0, 1.0), rows(0.6, 0.8), OWN, NONE_EXCLUDED)
        assert value.item() == pytest.approx((math.log(1 + math.exp(2)) + math.log(1 + math.exp(-2))) / 2, abs=1e-12)

    def test_equals_log_softmax_and_has_the_minus(self):
        queries, documents, positive, excluded = case()
        excluded = torch.zeros_like(excluded)
        expected = -torch.log_softmax(queries @ documents.T / 0.05, dim=1)[torch.arange(3), positive].mean()
        value = losses.in_batch(0.05)(queries, documents, positive, excluded)
        torch.testing.assert_close(value, expected)
        assert value > 0

    def test_pulls_the_positive_and_pushes_the_negative(self):
        query = rows(1.0)
        documents = rows(0.6, 0.8).requires_grad_()
        value = losses.in_batch(1.0)(query, documents, OWN[:1], NONE_EXCLUDED[:1])
        (gradient,) = torch.autograd.grad(value, documents)
        towards_query = gradient @ query.T
        assert towards_query[0] < 0 < towards_query[1]

    @pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
    def test_bad_temperature(self, temperature):
        with pytest.raises(InvalidInputError, match="temperature"):
            losses.in_batch(temperature)


def test_unknown_loss_lists_those_there_are():
    with pytest.raises(AttributeError, match="in_batch, triplet"):
        losses.hinge  # noqa: B018
