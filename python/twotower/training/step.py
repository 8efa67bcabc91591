"""One step: the loss of a batch, its gradients, the update. Knows no epoch and no file.

U distinct terms of a batch.
"""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.func import functional_call

from twotower.errors import InputTypeError
from twotower.losses.scores import all_finite
from twotower.registry import choose
from twotower.towers.native import distinct_rows
from twotower.training.batches import Batch
from twotower.training.optimiser import OPTIMISERS, Optimiser, clip
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
    optimiser : str
        A name of `OPTIMISERS`.
    precision : {"float32", "bfloat16"}
        "bfloat16": matrix products of the towers run in it where torch's autocast holds that to be safe; weights, loss
        and update stay in float32.
    **options
        Of the optimiser.

    Notes
    -----
    All parameters but the embedding tables learn at `WEIGHT_SHARE` of the rate: a row is met in few steps and has far
    to go, a weight of a recurrent cell takes part in every text.

    The towers run on a small table of the rows that the batch needs, put in the place of the whole one for the call; so
    neither the gradient nor the update touches the rest: half the time of a dense step at 27,000 terms
    (benchmarks/bench_training.py), and less of it the larger the vocabulary.
    """

    def __init__(
        self,
        model: "TwoTower",
        loss: "Loss",
        clip: float,
        *,
        optimiser: str = "adam",
        precision: str = "float32",
        **options: Any,
    ) -> None:
        self.model = model
        self.loss = loss
        self.clip = clip
        self.low_precision = precision == "bfloat16"
        parameters = {
            name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad
        }
        tables = {name for name in parameters if name.endswith("." + TABLE)}
        self.optimiser: Optimiser = choose(OPTIMISERS, optimiser, "optimiser")(parameters, tables, **options)

    def step(self, training: TrainingSet, batch: Batch, lr: float) -> tuple[float, float]:
        """Improve the model on `batch`; return the loss before the step and the length of the gradient before clipping.

        The weights stay as they are if either is not finite, or if no query of the batch has a negative: loss and length
        are then 0.
        """
        if not batch.has_negatives:
            return 0.0, 0.0
        vectors, tables = self._vectors(training, batch)
        if not all(all_finite(side) for side in vectors):
            return float("nan"), float("nan")
        extra = () if batch.teacher is None else (batch.teacher,)
        loss = self.loss(vectors[0], vectors[1], batch.positive, batch.excluded, *extra)
        if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
            raise InputTypeError(f"the loss returned {loss!r:.80}: it must return a tensor with one number")
        if not bool(torch.isfinite(loss)):
            return loss.item(), float("nan")
        return loss.item(), self._update(loss, tables, lr)

    def _vectors(
        self, training: TrainingSet, batch: Batch
    ) -> tuple[list[torch.Tensor], dict[str, tuple[torch.Tensor, torch.Tensor]]]:
        """Return the vectors of queries and documents, and for each table the distinct terms and their rows."""
        sides = [training.queries.select(batch.queries).tensors(), training.documents.select(batch.documents).tensors()]
        names = ["query_tower", "document_tower"]
        towers = [self.model.query_tower, self.model.document_tower]
        one_table = towers[0].embedding is towers[1].embedding  # of tied towers, and of some that are not
        groups = [[0, 1]] if one_table else [[0], [1]]
        tables: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        vectors: list[torch.Tensor] = []
        for group in groups:
            name = f"{names[group[0]]}.{TABLE}"
            table = towers[group[0]].get_parameter(TABLE)
            ids = [sides[i][0] for i in group]
            distinct, places = distinct_rows(torch.cat(ids), len(table))
            self.optimiser.prepare(name, distinct)
            rows = table.detach().index_select(0, distinct).requires_grad_(table.requires_grad)
            if table.requires_grad:
                tables[name] = distinct, rows
            for i, part in zip(group, torch.split(places, [len(read) for read in ids]), strict=True):
                tower = towers[i]
                cut = {TABLE: rows} | {other: tower.get_parameter(other).detach()[distinct] for other in tower.by_row}
                with torch.autocast("cpu", torch.bfloat16, enabled=self.low_precision):
                    read_vectors = functional_call(tower, cut, (part, sides[i][1]))
                vectors.append(self.model.finish(read_vectors.float()))
        return vectors, tables

    def _update(self, loss: torch.Tensor, tables: dict[str, tuple[torch.Tensor, torch.Tensor]], lr: float) -> float:
        dense = {
            name: parameter
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad and name not in tables
        }
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
