"""Training of towers that share parts, with and without heads: the gradients of a step are those of the whole model."""

import numpy as np
import pytest
import torch

from small_collection import ANALYZER
from small_models import MAKES
from twotower.losses import in_batch
from twotower.negatives import random
from twotower.towers import TwoTower
from twotower.training import train
from twotower.training.batches import Batch
from twotower.training.optimiser import OPTIMISERS, RowAdam
from twotower.training.pairs import training_set
from twotower.training.step import Stepper

SHARINGS = [
    {"tied": True},
    {"tied": False},
    {"tied": False, "shared": "embedding"},
    {"tied": False, "shared": "encoder"},
]
HEADS = [None, {"kind": "mlp", "dim": 6}]
CASES = [(sharing, head) for sharing in SHARINGS for head in HEADS if head or sharing.get("shared") != "encoder"]


class Recorder(RowAdam):
    """Keeps the gradients of a step, with rows in their places, and changes nothing."""

    def update(self, name, gradient, lr, rows=None):
        whole = torch.zeros_like(self.parameters[name])
        whole[slice(None) if rows is None else rows] = gradient
        self.seen = {**getattr(self, "seen", {}), name: whole}


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("make", MAKES, ids=str)
def test_the_gradients_of_a_step_are_those_of_the_whole_model(collection, vocabulary, monkeypatch, make, case):
    name, options = make
    sharing, head = case
    options = {**options, "dropout": 0.0} if "dropout" in options else options
    model = TwoTower.build(name, vocabulary, ANALYZER, head=head, **options, **sharing)
    with torch.no_grad():  # or both sides of towers that are not tied would still be equal
        for number, parameter in enumerate(model.parameters()):
            parameter.add_(
                0.01 * number * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
            )
    training = training_set(collection, "train", model.reader)
    rows = np.arange(12)
    batch = Batch(
        training.pairs[rows, 0], training.pairs[rows, 1], torch.arange(12), torch.zeros(12, 12, dtype=torch.bool)
    )
    monkeypatch.setitem(OPTIMISERS, "recorder", Recorder)
    stepper = Stepper(model, in_batch(), 1e9, optimiser="recorder")
    stepper.step(training, batch, 0.1)

    sides = training.queries.select(batch.queries).tensors(), training.documents.select(batch.documents).tensors()
    loss = in_batch()(*model(*sides), batch.positive, batch.excluded)
    learned = {name: weights for name, weights in model.named_parameters() if weights.requires_grad}
    expected = dict(zip(learned, torch.autograd.grad(loss, list(learned.values())), strict=True))
    assert stepper.optimiser.seen.keys() == expected.keys()
    for name, gradient in expected.items():
        assert gradient.abs().max() > 0, name
        torch.testing.assert_close(stepper.optimiser.seen[name], gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sharing", SHARINGS, ids=str)
def test_learns_and_what_is_shared_stays_shared(collection, vocabulary, sharing, tmp_path):
    model = TwoTower.tdnn(
        vocabulary, ANALYZER, dim=16, layers=[(16, 3, 1)], head={"kind": "linear", "dim": 16}, **sharing
    )
    history = train(model, collection, negatives=random(1), epochs=4, batch_size=16, lr=0.05, valid=None)
    assert history.losses[-1] < 0.8 * history.losses[0]
    model.save_pretrained(tmp_path / "model")
    shared = sharing.get("shared")
    for one in (model, TwoTower.from_pretrained(tmp_path / "model")):
        assert (one.query_tower.embedding is one.document_tower.embedding) == (sharing["tied"] or shared is not None)
        assert (one.query_tower.body is one.document_tower.body) == (sharing["tied"] or shared == "encoder")
        assert (one.query_tower.head is one.document_tower.head) == sharing["tied"]
