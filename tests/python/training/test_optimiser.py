"""The optimiser against torch's own Adam, and the table trick against the plain gradient."""

import numpy as np
import pytest
import torch

from twotower import losses
from twotower.training.batches import epoch_batches
from twotower.training.drawing import NegativeSource
from twotower.training.optimiser import RowAdam, clip, rate_at
from twotower.training.pairs import training_set
from twotower.training.step import WEIGHT_SHARE, Stepper


def test_whole_parameters_follow_torch_adam():
    ours, theirs = torch.ones(3, 2), torch.nn.Parameter(torch.ones(3, 2))
    adam, reference = RowAdam({"w": ours}, set()), torch.optim.Adam([theirs], lr=0.1)
    for step in range(5):
        theirs.grad = torch.sin(torch.arange(6.0) + step).view(3, 2)
        adam.update("w", theirs.grad.clone(), 0.1)
        reference.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_each_row_follows_torch_adam_over_the_steps_that_have_it():
    table = torch.ones(4, 2)
    adam = RowAdam({"w": table}, {"w"})
    alone = [torch.nn.Parameter(torch.ones(2)) for _ in range(4)]
    references = [torch.optim.Adam([row], lr=0.1) for row in alone]
    for step, rows in enumerate([[0, 2], [2], [1, 2], [0, 1], [2]]):
        gradient = torch.cos(torch.arange(2.0 * len(rows)) + step).view(-1, 2)
        adam.update("w", gradient.clone(), 0.1, torch.tensor(rows))
        for row, row_gradient in zip(rows, gradient, strict=True):
            alone[row].grad = row_gradient.clone()
            references[row].step()
    torch.testing.assert_close(table, torch.stack([row.detach() for row in alone]))
    assert (table[3] == 1).all()


def test_clip_measures_all_gradients_together():
    gradients = [torch.tensor([3.0]), torch.tensor([[4.0]])]
    assert clip(gradients, 1.0) == pytest.approx(5)
    assert [g.item() for g in gradients] == pytest.approx([0.6, 0.8])
    assert clip(gradients, 2.0) == pytest.approx(1)
    assert [g.item() for g in gradients] == pytest.approx([0.6, 0.8])


def test_rate_rises_to_the_peak_and_falls():
    rates = [rate_at(step, 100, 2.0) for step in range(1, 101)]
    assert np.argmax(rates) == 9
    assert max(rates) == 2.0
    assert 0 < rates[-1] < 0.05
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[9:]) < 0).all()
    assert rate_at(1, 1, 2.0) == 2.0


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", ["average", "gru"])
def test_a_step_moves_the_weights_as_the_plain_gradient_says(request, collection, kind, tied):
    model = request.getfixturevalue(kind)
    model = type(model)(model.tower, model.reader, {**model.query_tower.options}, tied=tied).eval()  # no dropout
    training = training_set(collection, "train", model.reader)
    batch = next(epoch_batches(training, NegativeSource("random", collection, training), 16, seed=0, epoch=1))
    loss = losses.in_batch()
    sides = training.queries.select(batch.queries).tensors(), training.documents.select(batch.documents).tensors()
    plain = loss(*model(*sides), batch.positive, batch.excluded)
    gradients = torch.autograd.grad(plain, list(model.parameters()))
    before = [parameter.detach().clone() for parameter in model.parameters()]

    value, length = Stepper(model, loss, clip=1e9).step(training, batch, lr=0.01)

    assert value == pytest.approx(plain.item(), abs=1e-6)
    assert length == pytest.approx(float(torch.stack([g.norm() for g in gradients]).norm()), rel=1e-4)
    for old, (name, new), gradient in zip(before, model.named_parameters(), gradients, strict=True):
        moved = new.detach() - old
        clear = gradient.abs() > 1e-6  # the first step of Adam is lr against the sign
        lr = 0.01 if name.endswith("embedding.weight") else 0.01 * WEIGHT_SHARE
        torch.testing.assert_close(moved[clear], -lr * gradient[clear].sign(), rtol=0.02, atol=1e-6)
        assert (moved[gradient == 0] == 0).all()
