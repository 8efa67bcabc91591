"""The optimiser against torch's own Adam, and the table trick against the plain gradient."""

import numpy as np
import pytest
import torch

from twotower import losses
from twotower.errors import InvalidInputError
from twotower.training.batches import epoch_batches
from twotower.training.drawing import NegativeSource
from twotower.training.optimiser import DenseAdam, RowAdagrad, RowAdam, clip, rate_at
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


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_is_torch_adamw_to_the_last_bits(decay):
    start = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours, theirs = start.clone(), torch.nn.Parameter(start.clone())
    adam = RowAdam({"w": ours}, set(), weight_decay=decay)
    reference = torch.optim.AdamW([theirs], lr=0.1, weight_decay=decay)
    for step in range(20):
        theirs.grad = torch.sin(torch.arange(15.0, dtype=torch.float64) * (step + 1)).view(5, 3)
        adam.update("w", theirs.grad.clone(), 0.1)
        reference.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=0, atol=1e-7)


def test_without_bias_correction_it_is_the_formula_of_bert():
    ours = torch.ones(2, dtype=torch.float64)
    adam = RowAdam({"w": ours}, set(), weight_decay=0.1, bias_correction=False)
    weights, m, v = np.ones(2), np.zeros(2), np.zeros(2)
    for step in range(5):
        gradient = np.array([1.0 + step, -0.5])
        adam.update("w", torch.from_numpy(gradient.copy()), 0.01)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        weights = weights - 0.01 * (m / (np.sqrt(v) + 1e-8) + 0.1 * weights)
    np.testing.assert_allclose(ours.numpy(), weights, rtol=1e-4)


def test_the_first_uncorrected_step_is_three_times_as_long():
    # corrected: lr; uncorrected: lr (1 - b1) / sqrt(1 - b2) = 3.16 lr
    moved = []
    for correction in (True, False):
        weights = torch.zeros(1, dtype=torch.float64)
        RowAdam({"w": weights}, set(), bias_correction=correction).update("w", torch.ones(1, dtype=torch.float64), 0.01)
        moved.append(-weights.item())
    assert moved == pytest.approx([0.01, 0.01 * 0.1 / np.sqrt(0.001)], rel=1e-5)


def test_decay_touches_only_the_rows_of_the_step():
    table = torch.ones(3, 2)
    RowAdam({"w": table}, {"w"}, weight_decay=0.5).update("w", torch.zeros(1, 2), 0.1, torch.tensor([1]))
    torch.testing.assert_close(table, torch.tensor([[1.0, 1.0], [0.95, 0.95], [1.0, 1.0]]))


@pytest.mark.parametrize("flush_every", [None, 7])
def test_dense_adam_is_torchs_over_the_whole_table(flush_every):
    generator = np.random.default_rng(0)
    start = torch.from_numpy(generator.normal(size=(30, 19)).astype(np.float32))
    ours, theirs = start.clone(), torch.nn.Parameter(start.clone())
    dense, reference = DenseAdam({"w": ours}, {"w"}), torch.optim.Adam([theirs], lr=0.1)
    for step in range(400):  # from step 60 on nobody meets rows below 20: their first moments die out
        rows = torch.from_numpy(np.unique(generator.integers(0 if step < 60 else 20, 29, 5)))
        theirs.grad = torch.zeros_like(theirs)
        theirs.grad[rows] = torch.from_numpy(generator.normal(size=(len(rows), 19)).astype(np.float32))
        reference.param_groups[0]["lr"] = rate = 0.1 * (1 - step / 400)
        dense.prepare("w", rows)
        torch.testing.assert_close(ours[rows], theirs.detach()[rows], rtol=0, atol=2e-5)
        reference.step()
        dense.update("w", theirs.grad[rows], rate, rows)
        if flush_every and step % flush_every == 0:
            dense.flush()
    dense.flush()
    torch.testing.assert_close(ours, theirs.detach(), rtol=0, atol=2e-5)
    assert torch.equal(ours[29], start[29])


def test_dense_adam_does_not_hang_on_when_it_is_looked_at():
    tables = []
    for flush_every in (None, 1, 5):
        generator = np.random.default_rng(1)
        table = torch.ones(40, 17)
        dense = DenseAdam({"w": table}, {"w"})
        for step in range(300):
            rows = torch.from_numpy(np.unique(generator.integers(0, 40 if step < 50 else 10, 4)))
            dense.prepare("w", rows)
            gradient = torch.from_numpy(generator.normal(size=(len(rows), 17)).astype(np.float32))
            dense.update("w", gradient, 0.1, rows)
            if flush_every and step % flush_every == 0:
                dense.flush()
        tables.append(dense.state())
    for other in tables[1:]:
        assert all(torch.equal(tables[0][name], other[name]) for name in other)


def test_dense_adam_takes_no_decay():
    with pytest.raises(InvalidInputError, match="dense_adam"):
        DenseAdam({"w": torch.ones(2, 2)}, {"w"}, weight_decay=0.1)


def test_adagrad_of_a_whole_parameter_is_torchs():
    ours, theirs = torch.ones(3, 2), torch.nn.Parameter(torch.ones(3, 2))
    adagrad, reference = RowAdagrad({"w": ours}, set()), torch.optim.Adagrad([theirs], lr=0.1, eps=1e-8)
    for step in range(5):
        theirs.grad = torch.sin(torch.arange(6.0) + step).view(3, 2)
        adagrad.update("w", theirs.grad.clone(), 0.1)
        reference.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_adagrad_of_rows_by_hand():
    # row 1: gradient (3, 4), mean square 12.5; then (0, 5): sum 25. Row 0 is never met
    table = torch.zeros(2, 2)
    adagrad = RowAdagrad({"w": table}, {"w"})
    adagrad.update("w", torch.tensor([[3.0, 4.0]]), 1.0, torch.tensor([1]))
    torch.testing.assert_close(table[1], -torch.tensor([3.0, 4.0]) / 12.5**0.5)
    adagrad.update("w", torch.tensor([[0.0, 5.0]]), 1.0, torch.tensor([1]))
    torch.testing.assert_close(table[1], -torch.tensor([3.0, 4.0]) / 12.5**0.5 - torch.tensor([0.0, 1.0]))
    assert (table[0] == 0).all()
    assert adagrad.state()["sum.w"].numel() == 2


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
    assert np.argmax([rate_at(step, 100, 2.0, warmup=0.3) for step in range(1, 101)]) == 29
    assert rate_at(1, 100, 2.0, warmup=0.0) == 2.0


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
