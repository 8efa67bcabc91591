"""The two steps of distil_minilm.py: a least-squares table for the teacher's vectors, and the teacher's rankings taught to a table.

Knows neither files nor collections. A text is a bag of token ids in which f occurrences of one token weigh f / (f + k), as in the tower.
Legend: N texts, V tokens, D dimensions of the teacher, W of the student, B queries of a batch, C passages of a batch.
"""

import numpy as np
import torch

from twotower.towers.bag import bag_mean, saturated
from twotower.towers.native import bag_gradient, bag_means, distinct_rows
from twotower.towers.reader import Terms
from twotower.training.optimiser import RowAdam, rate_at

BATCH, NEAREST, EACH = 64, 64, 8  # queries of a batch; the teacher's best passages of each; of these in a batch
TEMPERATURE = 0.05
ROUGHLY = 0.5  # root mean square of the numbers that Adam moves: its steps are as long whatever their scale


class Bags:
    """Texts as bags of token ids with their weights."""

    def __init__(self, terms, saturation):
        self.terms, self.saturation = terms, saturation

    def __len__(self):
        return len(self.terms.lengths)

    def select(self, rows):
        """Return the bags of `rows`."""
        return Bags(self.terms.select(rows), self.saturation)

    def arrays(self):
        """Return ids, offsets and weights."""
        ids, offsets = self.terms.tensors()
        return ids, offsets, saturated(ids, offsets, self.saturation)

    @staticmethod
    def joined(parts):
        """Put bags one after the other."""
        ids = np.concatenate([part.terms.ids for part in parts])
        lengths = np.concatenate([part.terms.lengths for part in parts])
        return Bags(Terms(ids, np.concatenate([[0], np.cumsum(lengths)])), parts[0].saturation)


def unit(rows):
    """Divide rows by their lengths."""
    return torch.nn.functional.normalize(rows, dim=1)


def least_squares(bags, target, prior, ridge, n_iterations):
    """Return E [V, D]: the least sum over texts of |mean of E - target|^2 + ridge |E - prior|^2, by conjugate gradients from `prior`.

    Notes
    -----
    Rows of the system differ in scale by how often a token occurs; the diagonal of X'X + ridge evens that out (Jacobi).
    """
    ids, offsets, weights = bags.arrays()
    n_rows = len(prior)
    bag_of = torch.repeat_interleave(torch.arange(len(bags)), offsets.diff())
    share = weights / torch.zeros(len(bags)).index_add_(0, bag_of, weights)[bag_of]
    diagonal = torch.zeros(n_rows, dtype=torch.float64).index_add_(0, ids, share.double().square()) + ridge
    scale = (1 / diagonal).float().unsqueeze(1)

    def normal(table):
        means = bag_means(table, ids, offsets, weights)
        return bag_gradient(means, ids, offsets, weights, n_rows).add_(table, alpha=ridge)

    table = prior.clone()
    residual = bag_gradient(target - bag_means(table, ids, offsets, weights), ids, offsets, weights, n_rows)
    moved = residual * scale
    direction, energy = moved.clone(), (residual * moved).sum(0)  # every dimension is a system of its own
    for _ in range(n_iterations):
        applied = normal(direction)
        length = energy / (direction * applied).sum(0).clamp(min=1e-20)
        table.addcmul_(direction, length.expand_as(direction))
        residual.addcmul_(applied, length.expand_as(applied), value=-1)
        moved = residual * scale
        before, energy = energy, (residual * moved).sum(0)
        direction = moved.addcmul_(direction, (energy / before.clamp(min=1e-20)).expand_as(direction))
    return table


def nearest(queries, passages, n=NEAREST, block=500):
    """Return the `n` passages with the greatest inner products for every query, int64 [N, n]."""
    return torch.cat([(rows @ passages.T).topk(n, dim=1).indices for rows in queries.split(block)]).numpy()


def teach_rankings(table, queries, passages, teacher, *, n_steps, rate, generator, log):
    """Train `table` [V, W] in place: the student's softmax over passages against the teacher's, for batches of queries.

    Parameters
    ----------
    queries, passages : Bags
    teacher : (Tensor, Tensor)
        Its vectors of both.

    Notes
    -----
    A batch ranks, for each of its queries, what it drew of the teacher's best passages of all of them: the own ones are hard, the
    others are easy. Divergence of two softmaxes: Hinton et al. 2015; over lists of passages: Hofstaetter et al. 2020.
    """
    adam = RowAdam({"table": table}, {"table"})
    table *= ROUGHLY / table.square().mean().sqrt()
    order = np.resize(generator.permutation(len(queries)), n_steps * BATCH).reshape(n_steps, BATCH)
    best = nearest(teacher[0], teacher[1])
    log("teacher's rankings")
    for step, rows in enumerate(order, 1):
        drawn = np.take_along_axis(best[rows], generator.integers(0, NEAREST, (BATCH, EACH)), 1)
        candidates = np.unique(drawn)
        sides = [queries.select(rows).arrays(), passages.select(candidates).arrays()]
        distinct, places = distinct_rows(torch.cat([ids for ids, _, _ in sides]), len(table))
        small = table[distinct].requires_grad_()
        parts = places.split([len(ids) for ids, _, _ in sides])
        ours = [unit(bag_mean(small, part, *side[1:])) for part, side in zip(parts, sides, strict=True)]
        wanted = teacher[0][rows] @ teacher[1][candidates].T / TEMPERATURE
        loss = torch.nn.functional.kl_div(
            (ours[0] @ ours[1].T / TEMPERATURE).log_softmax(1),
            wanted.log_softmax(1),
            reduction="batchmean",
            log_target=True,
        )
        (gradient,) = torch.autograd.grad(loss, [small])
        adam.update("table", gradient, rate_at(step, n_steps, rate), distinct)
        if step % 100 == 0:
            log(f"step {step}: loss {loss.item():.4f}")
