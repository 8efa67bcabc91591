"""One step: the loss of a batch, its gradients, the update. Knows no epoch and no file.

U distinct terms of a batch.
"""

import math
from typing import TYPE_CHECKING

import torch
from torch.func import functional_call

from twotower.training.batches import Batch
from twotower.training.optimiser import RowAdam, clip
from twotower.training.pairs import TrainingSet

if TYPE_CHECKING:
    from twotower.losses import Loss
    from twotower.towers import TwoTower

TABLE = "embedding.weight"
WEIGHT_SHARE = 0.1


class Stepper:
    """A model, its optimiser, and how to improve the one with the other.

    Parameters
    ----------
    model : TwoTower
        Updated in place.
    loss : Loss
        See `twotower.losses`.
    clip : float
        Longest gradient allowed, over all parameters.

    Notes
    -----
    All parameters but the embedding tables learn at `WEIGHT_SHARE` of the rate: a row is met in few steps and has far
    to go, a weight of a recurrent cell takes part in every text.

    The towers run on a small table of the rows that the batch needs, put in the place of the whole one for the call; so
    neither the gradient nor the update touches the rest: half the time of a dense step at 27,000 terms
    (benchmarks/bench_training.py), and less of it the larger the vocabulary.
    """

    def __init__(self, model: "TwoTower", loss: "Loss", clip: float) -> None:
        self.model = model
        self.loss = loss
        self.clip = clip
        parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
        self.optimiser = RowAdam(parameters, {name for name in parameters if name.endswith("." + TABLE)})

    def step(self, training: TrainingSet, batch: Batch, lr: float) -> tuple[float, float]:
        """Improve the model on `batch`; return the loss before the step and the length of the gradient before clipping.

        The weights stay as they are if either is not finite.
        """
        sides = [training.queries.select(batch.queries).tensors(), training.documents.select(batch.documents).tensors()]
        names = ["query_tower", "document_tower"]
        groups = (
            [(names[0], sides)]
            if self.model.tied
            else [(name, [side]) for name, side in zip(names, sides, strict=True)]
        )
        tables: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}  # table name -> (distinct terms, their rows)
        vectors: list[torch.Tensor] = []
        for name, read in groups:
            distinct, places = torch.unique(torch.cat([ids for ids, _ in read]), return_inverse=True)
            rows = self.optimiser.parameters[f"{name}.{TABLE}"][distinct].requires_grad_()
            tables[f"{name}.{TABLE}"] = distinct, rows
            tower = self.model.get_submodule(name)
            for part, (_, offsets) in zip(places.split([len(ids) for ids, _ in read]), read, strict=True):
                vectors.append(self.model.finish(functional_call(tower, {TABLE: rows}, (part, offsets))))
        loss = self.loss(vectors[0], vectors[1], batch.positive, batch.excluded)
        if not bool(torch.isfinite(loss)):
            return loss.item(), float("nan")
        return loss.item(), self._update(loss, tables, lr)

    def _update(self, loss: torch.Tensor, tables: dict[str, tuple[torch.Tensor, torch.Tensor]], lr: float) -> float:
        dense = {name: parameter for name, parameter in self.model.named_parameters() if name not in tables}
        wanted = [rows for _, rows in tables.values()] + list(dense.values())
        gradients = (
            list(torch.autograd.grad(loss, wanted)) if loss.requires_grad else [torch.zeros_like(x) for x in wanted]
        )
        length = clip(gradients, self.clip)
        if not math.isfinite(length):
            return length
        for (name, (distinct, _)), gradient in zip(tables.items(), gradients, strict=False):
            self.optimiser.update(name, gradient, lr, distinct)
        for name, gradient in zip(dense, gradients[len(tables) :], strict=True):
            self.optimiser.update(name, gradient, WEIGHT_SHARE * lr)
        return length
