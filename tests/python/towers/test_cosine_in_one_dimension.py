"""The course's tiny example: two linear towers, one query, a positive, a negative, cosine, triplet margin 0.2.

The course gives its towers one output. The cosine of two numbers is the sign of their product, so nothing can be
learned; with two outputs or more the same example trains.
"""

import pytest
import torch
from torch import nn

from twotower import losses
from twotower.errors import InvalidInputError
from twotower.text import Vocabulary
from twotower.towers import TwoTower
from twotower.towers.shape import check_similarity, unit_rows

SEEDS = range(50)


class TinyExample:
    """Two towers Linear(10, d), and the loss of one (query, positive, negative)."""

    def __init__(self, d: int, seed: int, dtype=torch.float32):
        torch.manual_seed(seed)
        self.query_tower, self.document_tower = nn.Linear(10, d, dtype=dtype), nn.Linear(10, d, dtype=dtype)
        self.query, self.documents = torch.randn(1, 10, dtype=dtype), torch.randn(2, 10, dtype=dtype)
        self.parameters = [*self.query_tower.parameters(), *self.document_tower.parameters()]

    def loss(self) -> torch.Tensor:
        queries, documents = unit_rows(self.query_tower(self.query)), unit_rows(self.document_tower(self.documents))
        return losses.triplet(margin=0.2)(queries, documents, torch.tensor([0]), torch.zeros(1, 2, dtype=torch.bool))

    def course_loss(self) -> torch.Tensor:
        query, (positive, negative) = self.query_tower(self.query), self.document_tower(self.documents).split(1)
        similarity = nn.functional.cosine_similarity
        return torch.clamp(0.2 - (similarity(query, positive) - similarity(query, negative)), min=0).mean()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_dimension_has_a_gradient_of_exactly_zero_in_plain_torch(dtype):
    seen = set()
    for seed in SEEDS:
        example = TinyExample(1, seed, dtype)
        loss = example.course_loss()
        seen.add(round(loss.item(), 3))
        for gradient in torch.autograd.grad(loss, example.parameters):
            assert (gradient == 0).all()
    assert seen == {0.0, 0.2, 2.2}


@pytest.mark.parametrize("d", [2, 3, 10])
def test_two_dimensions_or_more_learn(d):
    learned = 0
    for seed in range(10):
        example = TinyExample(d, seed)
        torch.testing.assert_close(example.loss(), example.course_loss())
        optimiser = torch.optim.SGD(example.parameters, lr=0.1)
        losses_seen = []
        while not losses_seen or (losses_seen[-1] > 0 and len(losses_seen) < 500):
            optimiser.zero_grad()
            loss = example.loss()
            loss.backward()
            optimiser.step()
            losses_seen.append(loss.item())
        assert losses_seen[-1] == 0
        learned += losses_seen[0] > 0
    assert learned >= 3


def test_one_dimension_is_refused_with_the_reason():
    for build in (
        lambda: TwoTower.average(Vocabulary(["a"]), "plain", dim=1),
        lambda: TwoTower.average(Vocabulary(["a"]), "plain", dim=8, out_dim=1),
        lambda: TwoTower.rnn(Vocabulary(["a"]), "plain", hidden=1),
        lambda: check_similarity("cosine", 1),
    ):
        with pytest.raises(InvalidInputError, match="gradient is exactly zero"):
            build()
    assert TwoTower.average(Vocabulary(["a"]), "plain", dim=1, similarity="dot").out_dim == 1
