"""Losses that learn from a teacher's scores, against cases worked by hand and plain sums."""

import itertools
import math

import pytest
import torch

from twotower import losses
from twotower.errors import InvalidInputError
from twotower.losses.teacher import needs_teacher

DISTILLING = ("kl_distillation", "list_mle", "margin_mse")
NAN = float("nan")


def case(teacher, scores, positive=(0,), excluded=None):
    """Queries and documents whose inner products are `scores`: the queries are unit rows."""
    scores = torch.tensor(scores, dtype=torch.float64)
    b, m = scores.shape
    excluded = torch.zeros(b, m, dtype=torch.bool) if excluded is None else torch.tensor(excluded)
    queries = torch.eye(b, dtype=torch.float64)
    return queries, scores.T.clone(), torch.tensor(positive), excluded, torch.tensor(teacher, dtype=torch.float64)


class TestMarginMSE:
    def test_by_hand(self):
        # student margins .6-.8 = -.2 and .6-.1 = .5; teacher's 3-1 = 2 and 3-2.5 = .5: ((-2.2)^2 + 0) / 2
        value = losses.margin_mse()(*case([[3, 1, 2.5]], [[0.6, 0.8, 0.1]]))
        assert value.item() == pytest.approx(2.2**2 / 2, abs=1e-12)

    def test_temperature_brings_the_student_to_the_teachers_scale(self):
        # (-.2 / .1 - 2)^2 and (.5 / .1 - .5)^2
        value = losses.margin_mse(0.1)(*case([[3, 1, 2.5]], [[0.6, 0.8, 0.1]]))
        assert value.item() == pytest.approx((16 + 4.5**2) / 2, abs=1e-12)

    def test_what_the_teacher_has_not_scored_does_not_count(self):
        value = losses.margin_mse()(*case([[3, 1, NAN]], [[0.6, 0.8, 0.1]]))
        assert value.item() == pytest.approx(2.2**2, abs=1e-12)

    def test_a_query_whose_positive_has_no_score_adds_nothing(self):
        arguments = case([[3, 1, NAN], [5, NAN, 9]], [[0.6, 0.8, 0.1], [0.1, 0.2, 0.3]], (0, 1))
        assert losses.margin_mse()(*arguments).item() == pytest.approx(2.2**2 / 2, abs=1e-12)


class TestKL:
    def test_by_hand(self):
        # teacher p = 1/4, 3/4 (logits 0, log 3); student 1/2, 1/2: p log(p / q)
        value = losses.kl_distillation()(*case([[0, math.log(3)]], [[0.7, 0.7]]))
        assert value.item() == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5), abs=1e-12)

    def test_hintons_factor(self):
        # at T = 2 for both, teacher logits 0 and 2 log 3 are again 1/4, 3/4; the factor is T^2
        value = losses.kl_distillation(2.0)(*case([[0, 2 * math.log(3)]], [[0.7, 0.7]]))
        assert value.item() == pytest.approx(4 * (0.25 * math.log(0.5) + 0.75 * math.log(1.5)), abs=1e-12)

    def test_temperatures_of_their_own(self):
        # student .1 and 0 over .05: 2 and 0; teacher 0 and log 3 over 1
        value = losses.kl_distillation(0.05, 1.0)(*case([[0, math.log(3)]], [[0.1, 0.0]]))
        q = 1 / (1 + math.exp(-2))
        assert value.item() == pytest.approx(0.25 * math.log(0.25 / q) + 0.75 * math.log(0.75 / (1 - q)), abs=1e-12)

    def test_documents_without_a_score_are_outside_both_softmaxes(self):
        two = losses.kl_distillation()(*case([[0, math.log(3)]], [[0.7, 0.1]]))
        three = losses.kl_distillation()(*case([[0, math.log(3), NAN]], [[0.7, 0.1, 0.9]]))
        torch.testing.assert_close(two, three)

    def test_the_teacher_may_put_a_negative_above_the_positive(self):
        queries, documents, *rest = case([[0.0, 5.0]], [[0.7, 0.7]])
        documents.requires_grad_()
        (gradient,) = torch.autograd.grad(losses.kl_distillation()(queries, documents, *rest), documents)
        assert gradient[0] > 0 > gradient[1]


class TestListMLE:
    def test_by_hand(self):
        # teacher's order: document 2, 0, 1; z = s / .1 = 1, 3, 2
        # log(e^2 + e^1 + e^3) - 2  +  log(e^1 + e^3) - 1  +  0, over 3
        value = losses.list_mle(0.1)(*case([[0.5, 0.1, 0.9]], [[0.1, 0.3, 0.2]]))
        first = math.log(math.exp(2) + math.exp(1) + math.exp(3)) - 2
        second = math.log(math.exp(1) + math.exp(3)) - 1
        assert value.item() == pytest.approx((first + second) / 3, abs=1e-12)

    def test_probabilities_of_all_orders_sum_to_one(self):
        scores = [[0.3, -0.2, 0.5, 0.1]]
        total = 0.0
        for order in itertools.permutations(range(4)):
            teacher = [[-float(order.index(document)) for document in range(4)]]
            total += math.exp(-4 * losses.list_mle(0.5)(*case(teacher, scores)).item())
        assert total == pytest.approx(1, abs=1e-12)

    def test_documents_without_a_score_have_no_place(self):
        two = losses.list_mle()(*case([[2, 1]], [[0.7, 0.8]]))
        three = losses.list_mle()(*case([[2, 1, NAN]], [[0.7, 0.8, 0.9]]))
        torch.testing.assert_close(two, three)

    def test_equal_scores_of_the_teacher_are_taken_by_column(self):
        tied = losses.list_mle()(*case([[1, 1, 1]], [[0.7, 0.8, 0.9]]))
        torch.testing.assert_close(tied, losses.list_mle()(*case([[3, 2, 1]], [[0.7, 0.8, 0.9]])))


@pytest.mark.parametrize("name", DISTILLING)
class TestTeacher:
    def test_is_needed(self, name):
        assert needs_teacher(getattr(losses, name)())
        assert not needs_teacher(losses.in_batch())
        assert needs_teacher(losses.quantised(losses.matryoshka(name)))

    def test_gradient_with_gaps_is_that_of_finite_differences(self, name):
        generator = torch.Generator().manual_seed(0)
        queries, documents = (
            torch.randn(n, 4, generator=generator, dtype=torch.float64, requires_grad=True) for n in (3, 5)
        )
        teacher = torch.randn(3, 5, generator=generator, dtype=torch.float64)
        teacher[0, 4] = teacher[2, 1] = NAN
        teacher[1] = NAN  # a query that the teacher has not seen
        excluded = torch.zeros(3, 5, dtype=torch.bool)
        excluded[0, 3] = True
        loss = getattr(losses, name)()
        assert torch.autograd.gradcheck(
            lambda q, d: loss(q, d, torch.tensor([0, 1, 2]), excluded, teacher), (queries, documents)
        )
        (gradient,) = torch.autograd.grad(loss(queries, documents, torch.tensor([0, 1, 2]), excluded, teacher), queries)
        assert (gradient[1] == 0).all()
        assert (gradient[0] != 0).any()

    def test_excluded_documents_do_not_count_even_if_scored(self, name):
        loss = getattr(losses, name)()
        two = loss(*case([[2, 1]], [[0.7, 0.8]]))
        torch.testing.assert_close(two, loss(*case([[2, 1, 5]], [[0.7, 0.8, 0.9]], excluded=[[False, False, True]])))

    def test_bad_scores_are_refused(self, name):
        loss = getattr(losses, name)()
        with pytest.raises(InvalidInputError, match=r"\[1, 2\] teacher must have this shape, not \[1, 3\]"):
            loss(*case([[2, 1, 1]], [[0.7, 0.8]]))
        with pytest.raises(InvalidInputError, match="infinity"):
            loss(*case([[2, float("inf")]], [[0.7, 0.8]]))
        with pytest.raises(InvalidInputError, match="fewer than two documents"):
            loss(*case([[2, NAN]], [[0.7, 0.8]]))
