"""Learning curves, short enough to be drawn: losses averaged over blocks of steps."""

from dataclasses import dataclass

import numpy as np

from twotower.training.log import History

MOST_POINTS = 200


@dataclass(frozen=True)
class LearningCurve:
    """What a training log tells.

    Attributes
    ----------
    n_steps : int
    steps, losses : list
        Last step of each block of steps, and the block's mean loss.
    steps_per_point : int
        Of all blocks but the last, which may be shorter.
    valid_steps, valid : list
        RR@10 on the valid split, one an epoch, and after how many steps.
    best_epoch : int or None
    """

    n_steps: int
    steps: list[int]
    losses: list[float]
    steps_per_point: int
    valid_steps: list[int]
    valid: list[float]
    best_epoch: int | None


def learning_curve(history: History) -> LearningCurve:
    """Return the curve of a training with at least one step."""
    n_steps = len(history.losses)
    block = -(-n_steps // MOST_POINTS)
    starts = range(0, n_steps, block)
    return LearningCurve(
        n_steps=n_steps,
        steps=[min(start + block, n_steps) for start in starts],
        losses=[float(np.mean(history.losses[start : start + block])) for start in starts],
        steps_per_point=block,
        valid_steps=history.valid_steps,
        valid=history.valid,
        best_epoch=history.best_epoch,
    )
