"""Losses against cases worked by hand, log_softmax, and finite differences."""

import math

import pytest
import torch

from twotower import losses
from twotower.errors import InvalidInputError
from twotower.losses import LOSSES
from twotower.losses.teacher import needs_teacher

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
    excluded[0, 3:4] = True
    return queries, documents, torch.tensor([0, 1, 2]), excluded


ACROSS_QUERIES = {"cosent"}
"""Losses that compare the scores of different queries, and so are no mean over them."""
STRAIGHT_THROUGH = {"quantised"}
"""Losses whose gradient is not that of their value, by design (tests in test_wrappers.py)."""
NEAREST = {"contrastive_margin": 1}
"""What times a query is a document that counts, of losses of distances: far ones are beyond the margin."""
TEACHER = torch.randn(3, 5, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


class Named:
    """A loss called with or without the teacher's scores, as it needs."""

    def __init__(self, name):
        self.name, self.loss = name, getattr(losses, name)()

    def __call__(self, queries, documents, positive, excluded, teacher=TEACHER):
        extra = (teacher,) if needs_teacher(self.loss) else ()
        return self.loss(queries, documents, positive, excluded, *extra)


@pytest.fixture(params=sorted(LOSSES))
def loss(request):
    return Named(request.param)


class TestEveryLoss:
    def test_gradient_is_that_of_finite_differences(self, loss):
        if loss.name in STRAIGHT_THROUGH:
            return
        queries, documents, positive, excluded = case()
        assert torch.autograd.gradcheck(lambda q, d: loss(q, d, positive, excluded), (queries, documents))

    def test_is_the_mean_over_queries(self, loss):
        if loss.name in ACROSS_QUERIES:
            return
        queries, documents, positive, excluded = case()
        single = [
            loss(queries[i : i + 1], documents, positive[i : i + 1], excluded[i : i + 1], TEACHER[i : i + 1])
            for i in range(3)
        ]
        torch.testing.assert_close(loss(queries, documents, positive, excluded), torch.stack(single).mean())

    def test_an_excluded_document_has_no_part_in_it(self, loss):
        queries, documents, positive, excluded = case()
        changed = documents.detach().clone()
        changed[3] = NEAREST.get(loss.name, 100) * queries[0].detach()
        one = queries[:1], positive[:1], excluded[:1], TEACHER[:1]
        assert loss(one[0], documents, *one[1:]) == loss(one[0], changed, *one[1:])
        assert loss(one[0], documents, one[1], torch.zeros(1, 5, dtype=torch.bool), one[3]) != loss(
            one[0], changed, one[1], torch.zeros(1, 5, dtype=torch.bool), one[3]
        )

    def test_the_positive_is_never_excluded(self, loss):
        queries, documents, positive, excluded = case()
        marked = excluded.clone()
        marked[torch.arange(3), positive] = True
        assert loss(queries, documents, positive, marked) == loss(queries, documents, positive, excluded)

    def test_a_query_without_negatives_adds_nothing(self, loss):
        if loss.name in ACROSS_QUERIES:
            return
        queries, documents, positive, excluded = case()
        excluded[1] = True
        value = loss(queries, documents, positive, excluded)
        (gradient,) = torch.autograd.grad(value, queries)
        assert (gradient[1] == 0).all()
        assert (gradient[0] != 0).any()
        rest = [0, 2]
        others = loss(queries[rest], documents, positive[rest], excluded[rest], TEACHER[rest])
        torch.testing.assert_close(value, others * 2 / 3)

    def test_a_batch_without_any_negative_is_refused(self, loss):
        queries, documents, positive, _ = case()
        with pytest.raises(InvalidInputError, match="no query of the batch has a negative"):
            loss(queries, documents, positive, torch.ones(3, 5, dtype=torch.bool))

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    @pytest.mark.parametrize("side", ["queries", "documents"])
    def test_vectors_that_are_not_finite_are_named(self, loss, side, bad):
        queries, documents, positive, excluded = case()
        rows = {"queries": queries.detach().clone(), "documents": documents.detach().clone()}
        rows[side][1, 2] = bad
        with pytest.raises(InvalidInputError, match=f"row 1 of {side} is not finite"):
            loss(rows["queries"], rows["documents"], positive, excluded)

    def test_a_step_down_the_gradient_lowers_it(self, loss):
        if loss.name in STRAIGHT_THROUGH:
            return
        queries, documents, positive, excluded = case(seed=3)
        (gradient,) = torch.autograd.grad(loss(queries, documents, positive, excluded), queries)
        with torch.no_grad():
            before = loss(queries, documents, positive, excluded)
            assert loss(queries - 1e-3 * gradient, documents, positive, excluded) < before

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_large_scores_give_finite_values_and_gradients(self, loss, dtype):
        queries, documents, positive, excluded = case()
        rows = [(100 * side.detach()).to(dtype).requires_grad_() for side in (queries, documents)]
        value = loss(*rows, positive, excluded)
        assert value.dtype == torch.float32
        assert torch.isfinite(value)
        for gradient in torch.autograd.grad(value, rows):
            assert gradient.dtype == dtype
            assert torch.isfinite(gradient).all()
        exact = loss(*(side.detach().double() for side in rows), positive, excluded)
        assert value.item() == pytest.approx(exact.item(), rel=1e-4, abs=1e-4)

    def test_autocast_does_not_reach_the_scores(self, loss):
        queries, documents, positive, excluded = case()
        rows = queries.detach().float(), documents.detach().float()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = loss(*rows, positive, excluded)
        assert inside.dtype == torch.float32
        assert inside.item() == loss(*rows, positive, excluded).item()

    def test_a_zero_vector_does_no_harm(self, loss):
        queries, documents, positive, excluded = case()
        rows = queries.detach() * torch.tensor([[0.0], [1], [1]]), documents.detach() * 0
        rows = [side.float().requires_grad_() for side in rows]
        for gradient in torch.autograd.grad(loss(*rows, positive, excluded), rows):
            assert torch.isfinite(gradient).all()

    def test_wrong_arguments_are_named(self, loss):
        queries, documents, positive, excluded = case()
        with pytest.raises(InvalidInputError, match=r"\[3, 4\] and \[5, 3\]"):
            loss(queries, documents[:, :3], positive, excluded)
        with pytest.raises(InvalidInputError, match=r"positive must be \[3\]"):
            loss(queries, documents, positive[:2], excluded)
        with pytest.raises(InvalidInputError, match=r"excluded \[3, 5\], not .* \[3, 4\]"):
            loss(queries, documents, positive, excluded[:, :4])
        with pytest.raises(InvalidInputError, match="excluded bool, not int64 and int32"):
            loss(queries, documents, positive, excluded.int())
        for column in (5, -1):
            with pytest.raises(InvalidInputError, match="a column outside the 5 documents"):
                loss(queries, documents, torch.tensor([0, column, 2]), excluded)


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

    def test_soft_margin_by_hand(self):
        # s- - s+ = .8 - .6 = .2 (query 0), and .1 - .8 = -.7 where the positive is the second of three: softplus of each
        loss = losses.triplet("soft")
        value = loss(rows(1.0), rows(0.6, 0.8), OWN[:1], NONE_EXCLUDED[:1])
        assert value.item() == pytest.approx(math.log1p(math.exp(0.2)), abs=1e-12)
        value = loss(rows(1.0), rows(0.1, 0.8), OWN[1:], NONE_EXCLUDED[:1])
        assert value.item() == pytest.approx(math.log1p(math.exp(-0.7)), abs=1e-12)

    def test_semi_hard_by_hand(self):
        # s+ = .6; negatives .8 (too hard), .5 (the hardest below), .1 -> .2 - .1
        loss, none = losses.triplet(0.2, mining="semi_hard"), torch.zeros(1, 4, dtype=torch.bool)
        value = loss(rows(1.0), rows(0.6, 0.8, 0.5, 0.1), OWN[:1], none)
        assert value.item() == pytest.approx(0.2 - (0.6 - 0.5), abs=1e-12)
        # none is below s+ = .6: the least similar one, .7 -> .2 + .1
        value = loss(rows(1.0), rows(0.6, 0.8, 0.7, 0.9), OWN[:1], none)
        assert value.item() == pytest.approx(0.2 + (0.7 - 0.6), abs=1e-12)

    def test_similarities_by_hand(self):
        # query (3, 4); positive (3, 0): dot 9, cosine .6, distance 4; negative (0, 8): dot 32, cosine .8, distance 5
        query = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
        documents = torch.tensor([[3.0, 0.0], [0.0, 8.0]], dtype=torch.float64)
        expected = {"dot": 0.5 - (9 - 32), "cosine": 0.5 - (0.6 - 0.8), "l2": max(0, 0.5 - (-4 + 5))}
        for similarity, value in expected.items():
            loss = losses.triplet(0.5, similarity=similarity)
            assert loss(query, documents, OWN[:1], NONE_EXCLUDED[:1]).item() == pytest.approx(value, abs=1e-12)
        assert losses.triplet(2.0, similarity="l2")(query, documents, OWN[:1], NONE_EXCLUDED[:1]).item() == 2 - (-4 + 5)

    @pytest.mark.parametrize("similarity", ["dot", "cosine", "l2"])
    @pytest.mark.parametrize("mining", ["hard", "semi_hard"])
    @pytest.mark.parametrize("margin", [2.0, "soft"])
    def test_gradients_of_all_forms(self, similarity, mining, margin):
        queries, documents, positive, excluded = case(seed=1)
        loss = losses.triplet(margin, similarity=similarity, mining=mining)
        assert loss(queries, documents, positive, excluded) > 0
        assert torch.autograd.gradcheck(lambda q, d: loss(q, d, positive, excluded), (queries, documents))

    def test_equal_vectors_under_l2_have_a_finite_gradient(self):
        row = torch.ones(1, 3, requires_grad=True)
        value = losses.triplet(similarity="l2")(row, row.detach().repeat(2, 1), OWN[:1], NONE_EXCLUDED[:1])
        assert value.item() == pytest.approx(0.2)
        assert torch.isfinite(torch.autograd.grad(value, row)[0]).all()

    @pytest.mark.parametrize("options", [{"similarity": "l1"}, {"mining": "easy"}])
    def test_unknown_options(self, options):
        with pytest.raises(InvalidInputError, match="choose one of"):
            losses.triplet(**options)

    @pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf"), "hard", True])
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

    def test_hard_negatives_of_one_query_are_negatives_of_all(self):
        # 2 queries, 1 positive and 2 hard negatives each: documents + + - - - -, every one but the own in the softmax
        queries, documents, *_ = case(b=2, m=6)
        none = torch.zeros(2, 6, dtype=torch.bool)
        scores = queries @ documents.T / 0.5
        expected = (torch.logsumexp(scores, 1) - scores[[0, 1], [0, 1]]).mean()
        torch.testing.assert_close(losses.in_batch(0.5)(queries, documents, OWN, none), expected)

    def test_symmetric_by_hand(self):
        # scores (T = 1): q0 . d0 = 1, q0 . d1 = 0, q1 . d0 = .6, q1 . d1 = .8
        # forward  q0: log(1 + e^-1)    q1: log(1 + e^-.2);   back  d0: log(1 + e^-.4)   d1: log(1 + e^-.8)
        queries = torch.tensor([[1.0, 0.0], [0.6, 0.8]], dtype=torch.float64)
        documents = torch.eye(2, dtype=torch.float64)
        value = losses.in_batch(1.0, symmetric=True)(queries, documents, OWN, NONE_EXCLUDED)
        expected = sum(math.log1p(math.exp(-x)) for x in (1.0, 0.2, 0.4, 0.8)) / 4
        assert value.item() == pytest.approx(expected, abs=1e-12)

    def test_symmetric_does_not_push_a_document_from_another_query_that_wants_it(self):
        queries, documents, *_ = case(b=3, m=4)
        loss = losses.in_batch(1.0, symmetric=True)
        positive, excluded = torch.tensor([0, 0, 2]), torch.zeros(3, 4, dtype=torch.bool)
        excluded[1, 2] = True  # query 1 wants document 2 as well
        changed = queries.detach().clone()
        changed[1] = 50 * documents[2].detach()
        back = [loss(q, documents, positive, excluded) - losses.in_batch(1.0)(q, documents, positive, excluded) / 2
                for q in (queries, changed)]  # fmt: skip
        s = queries.detach() @ documents.detach().T
        s2 = changed @ documents.detach().T
        for value, scores in zip(back, (s, s2), strict=True):
            # document 0 of query 0: against query 2 alone, for query 1 has it too; the same for query 1
            d0 = torch.log1p(torch.exp(scores[2, 0] - scores[0, 0])) + torch.log1p(
                torch.exp(scores[2, 0] - scores[1, 0])
            )
            d2 = torch.log1p(torch.exp(scores[0, 2] - scores[2, 2]))
            torch.testing.assert_close(value.detach(), (d0 + d2) / 6)

    def test_gradient_of_both_directions(self):
        queries, documents, positive, excluded = case()
        loss = losses.in_batch(0.5, symmetric=True)
        assert torch.autograd.gradcheck(lambda q, d: loss(q, d, positive, excluded), (queries, documents))


class TestPairwiseLogistic:
    def test_by_hand(self):
        # s+ = .6, negatives .8 and .1, T = .1: (log(1 + e^2) + log(1 + e^-5)) / 2
        value = losses.pairwise_logistic(0.1)(
            rows(1.0), rows(0.6, 0.8, 0.1), OWN[:1], torch.zeros(1, 3, dtype=torch.bool)
        )
        assert value.item() == pytest.approx((math.log1p(math.exp(2)) + math.log1p(math.exp(-5))) / 2, abs=1e-12)

    def test_is_the_contrastive_loss_where_there_is_one_negative(self):
        queries, documents, *_ = case(b=2, m=2)
        arguments = queries, documents, OWN, NONE_EXCLUDED
        torch.testing.assert_close(losses.pairwise_logistic(0.3)(*arguments), losses.in_batch(0.3)(*arguments))


class TestCoSENT:
    def test_by_hand(self):
        # scores: q0: + .6, - .8;  q1: - .6, + .8.  pairs (neg - pos): .8-.6, .8-.8, .6-.6, .6-.8 = .2 0 0 -.2, T = .1
        value = losses.cosent(0.1)(rows(1.0, 1.0), rows(0.6, 0.8), OWN, NONE_EXCLUDED)
        assert value.item() == pytest.approx(math.log(1 + math.exp(2) + 1 + 1 + math.exp(-2)), abs=1e-12)

    def test_equals_the_double_sum(self):
        queries, documents, positive, excluded = case()
        scores = (queries @ documents.T / 0.7).detach()
        total = 1.0
        for p in range(3):
            for i in range(3):
                for j in range(5):
                    if j != positive[i] and not excluded[i, j]:
                        total += math.exp(scores[i, j] - scores[p, positive[p]])
        value = losses.cosent(0.7)(queries, documents, positive, excluded)
        assert value.item() == pytest.approx(math.log(total), abs=1e-12)

    def test_a_query_without_negatives_still_has_its_positive_compared(self):
        queries, documents, positive, excluded = case()
        excluded[1] = True
        (gradient,) = torch.autograd.grad(losses.cosent(1.0)(queries, documents, positive, excluded), queries)
        assert (gradient[1] != 0).any()


@pytest.mark.parametrize(
    "name", ["cosent", "in_batch", "kl_distillation", "list_mle", "margin_mse", "pairwise_logistic"]
)
@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf"), "1", True])
def test_bad_temperature(name, temperature):
    with pytest.raises(InvalidInputError, match="temperature"):
        getattr(losses, name)(temperature)


def test_unknown_loss_lists_those_there_are():
    with pytest.raises(AttributeError, match=r"in_batch, .*triplet"):
        losses.hinge  # noqa: B018


def test_no_module_takes_the_name_of_a_loss():
    for name in LOSSES:
        getattr(losses, name)()
    assert all(callable(getattr(losses, name)) for name in LOSSES)
