"""Training of a Siamese network: one encoder reads every recording; pairs of one label are drawn together, others apart.

N recordings, S subjects, B recordings of a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from twotower.errors import InvalidInputError, TrainingError
from twotower.losses.pairs import Terms, cosine_targets, distance_margin, labelled_loss
from twotower.registry import choose
from twotower.towers.sequences import SequenceEncoder, frames_of
from twotower.towers.shape import check_seed, check_size

LOSSES: dict[str, tuple[Terms, str]] = {
    "contrastive_margin": (distance_margin(1.0), "l2"),
    "cosine_regression": (cosine_targets(1.0, 0.0), "cosine"),
}


@dataclass(frozen=True)
class Disguise:
    """How a subject is made into strangers, who count as subjects of their own.

    Attributes
    ----------
    copies : int
        Strangers made of each subject of a batch, in its place.
    shift, scale : float
        Standard deviations, by channel: of what is added to all frames of a stranger, and of the logarithm of what they are
        multiplied with first. Frames are best scaled to a deviation of 1 before.

    Notes
    -----
    A network that has met six subjects tells these six apart and little else; with disguises it meets new ones at each
    step.
    """

    copies: int = 4
    shift: float = 0.7
    scale: float = 0.2

    def __post_init__(self) -> None:
        check_size("copies", self.copies)
        if not (0 <= self.shift < float("inf") and 0 <= self.scale < float("inf")):
            raise InvalidInputError(f"shift is {self.shift!r}, scale {self.scale!r}: give finite numbers of at least 0")


def train_siamese(
    encoder: SequenceEncoder,
    sequences: Sequence[npt.ArrayLike],
    labels: Sequence[int],
    *,
    loss: "str | tuple[Terms, str]" = "cosine_regression",
    steps: int = 300,
    per_subject: int = 6,
    n_subjects: int = 6,
    disguise: Disguise | None = None,
    lr: float = 3e-3,
    weight_decay: float = 0.0,
    seed: int = 0,
) -> list[float]:
    """Teach `encoder` that recordings of one subject have like vectors, those of two subjects unlike ones.

    Parameters
    ----------
    encoder : SequenceEncoder
        Trained in place. It is both branches of the Siamese pair: there is one set of weights, and what both branches
        want of it adds up.
    sequences : sequence of array_like, shape [L, C] each
    labels : sequence of int
        The subject of each.
    loss : str or tuple
        "cosine_regression" with targets 1 and 0, "contrastive_margin" with margin 1; or terms of `twotower.losses.pairs`
        and the similarity that they are made of, such as ``(cosine_targets(1.0, -0.9), "cosine")``.
    steps : int
    per_subject, n_subjects : int
        Recordings of a subject in a batch, and subjects in it: all pairs of the batch are used.
    disguise : Disguise, optional
        Make strangers of the subjects.
    lr, weight_decay : float
        Of AdamW; the rate falls to 0 along a half cosine.
    seed : int
        Of the batches.

    Returns
    -------
    list of float
        The loss at each step.

    Raises
    ------
    InvalidInputError
        If the loss is unknown, a number is out of range, there is not one label for each sequence, or fewer than two
        subjects have two recordings.
    TrainingError
        If the loss is not finite.
    """
    terms, similarity = choose(LOSSES, loss, "loss") if isinstance(loss, str) else loss
    check_size("steps", steps)
    check_size("per_subject", per_subject, low=2)
    check_size("n_subjects", n_subjects, low=2)
    subjects = _subjects(sequences, labels)
    draw = np.random.default_rng(check_seed(seed))
    optimiser = torch.optim.AdamW(encoder.parameters(), lr, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses = []
    for _ in range(steps):
        groups = [[sequences[row] for row in rows] for rows in _batch(subjects, n_subjects, per_subject, draw)]
        if disguise is not None:
            groups = [_disguised(group, disguise, draw) for group in groups for _ in range(disguise.copies)]
        owners = torch.arange(len(groups)).repeat_interleave(torch.tensor([len(group) for group in groups]))
        vectors = encoder(*frames_of([sequence for group in groups for sequence in group], encoder.in_channels))
        value = labelled_loss(vectors, owners, terms=terms, similarity=similarity)
        losses.append(value.item())
        if not np.isfinite(losses[-1]):
            raise TrainingError(f"step {len(losses)} has a loss of {losses[-1]}: take a smaller lr")
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return losses


def _subjects(sequences: Sequence[npt.ArrayLike], labels: Sequence[int]) -> list[npt.NDArray[np.int64]]:
    """Return the rows of each subject that has two recordings or more."""
    if len(sequences) != len(labels):
        raise InvalidInputError(f"{len(sequences)} sequences have {len(labels)} labels: give one for each")
    known = np.asarray(labels)
    subjects = [np.flatnonzero(known == label) for label in np.unique(known)]
    subjects = [rows for rows in subjects if len(rows) > 1]
    if len(subjects) < 2:
        raise InvalidInputError("fewer than two subjects have two recordings: there is nothing to tell apart")
    return subjects


def _batch(
    subjects: list[npt.NDArray[np.int64]], n_subjects: int, per_subject: int, draw: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """Return the rows of a batch, by subject."""
    chosen = draw.permutation(len(subjects))[:n_subjects]
    return [draw.permutation(subjects[subject])[:per_subject] for subject in chosen]


def _disguised(recordings: list[npt.ArrayLike], disguise: Disguise, draw: np.random.Generator) -> list[npt.ArrayLike]:
    """Return the recordings of one stranger made of those of a subject."""
    n_channels = np.shape(recordings[0])[-1]
    scale = np.exp(disguise.scale * draw.standard_normal(n_channels))
    shift = disguise.shift * draw.standard_normal(n_channels)
    return [np.asarray(recording) * scale + shift for recording in recordings]
