"""Training of a Siamese network: pair losses by hand, and subjects it never met told apart."""

import numpy as np
import pytest
import torch

from twotower.errors import InvalidInputError, TrainingError
from twotower.losses.pairs import cosine_targets, distance_margin, labelled_loss
from twotower.towers.sequences import SequenceEncoder, frames_of
from twotower.training import siamese
from twotower.training.siamese import LOSSES, Disguise, train_siamese
from twotower.verification import enrol, error_curve


def rows(*angles):
    return torch.tensor([[np.cos(angle), np.sin(angle)] for angle in angles])


def recordings(subjects, n_each=8, seed=0):
    """Sequences whose slope of channel 0 over time is the subject's; level and length are not."""
    draw = np.random.default_rng(seed)
    made = []
    for subject in subjects:
        for _ in range(n_each):
            time = np.linspace(-1, 1, draw.integers(12, 20))
            frames = np.stack([subject * time, draw.normal(0, 2) + 0 * time, np.ones(len(time))], axis=1)
            made.append((frames + draw.normal(0, 0.1, frames.shape)).astype(np.float32))
    return made, np.repeat(np.arange(len(subjects)), n_each)


def equal_error_rate(encoder, sequences, labels):
    vectors, genuine, impostor = encoder.encode(sequences), [], []
    for label in set(labels):
        own = np.flatnonzero(labels == label)
        scores = enrol(vectors[own[:6]]).scores(vectors, "cosine_mean")
        genuine.append(scores[own[6:]])
        impostor.append(scores[labels != label])
    return error_curve(np.concatenate(genuine), np.concatenate(impostor)).equal_error_rate


def test_pair_losses_by_hand():
    """Rows at 0, 60 and 90 degrees, the first two of one label: cosines 1/2, 0 and the root of 3/4."""
    vectors, labels = rows(0, np.pi / 3, np.pi / 2), torch.tensor([4, 4, 9])
    others = (0 + 0.9) ** 2, (np.sqrt(0.75) + 0.9) ** 2
    expected = ((0.5 - 1) ** 2 + sum(others) / 2) / 2
    found = labelled_loss(vectors, labels, terms=cosine_targets(1.0, -0.9), similarity="cosine")
    assert found.item() == pytest.approx(expected)
    near = 2 * np.sin(np.pi / 12)  # the chord of 30 degrees; that of 90 is beyond the margin
    found = labelled_loss(vectors, labels, terms=distance_margin(1.0), similarity="l2")
    assert found.item() == pytest.approx((1.0**2 + (1 - near) ** 2 / 2) / 2)


@pytest.mark.parametrize(
    "loss", [*sorted(LOSSES), (cosine_targets(1.0, -0.9), "cosine")], ids=[*sorted(LOSSES), "own target"]
)
def test_learns_to_tell_subjects_apart_that_it_never_met(loss):
    sequences, labels = recordings([-3, -2, -1, 1, 2, 3])
    strangers = recordings([-2.5, 0.0, 2.5], n_each=12, seed=1)
    encoder = SequenceEncoder(3, [(16, 3, 1), (16, 5, 2)], out_dim=8)
    before = equal_error_rate(encoder, *strangers)
    losses = train_siamese(encoder, sequences, labels, loss=loss, steps=150, lr=5e-3)
    assert np.mean(losses[-10:]) < 0.7 * losses[0]
    assert equal_error_rate(encoder, *strangers) < before - 0.1


def test_shuffled_labels_teach_nothing_of_strangers():
    sequences, labels = recordings([-3, -2, -1, 1, 2, 3])
    strangers = recordings([-2.5, 0.0, 2.5], n_each=12, seed=1)
    true, shuffled = (SequenceEncoder(3, [(16, 3, 1), (16, 5, 2)], out_dim=8) for _ in range(2))
    train_siamese(true, sequences, labels, steps=150, lr=5e-3)
    train_siamese(shuffled, sequences, np.random.default_rng(0).permutation(labels), steps=150, lr=5e-3)
    assert equal_error_rate(true, *strangers) < equal_error_rate(shuffled, *strangers) - 0.1


def test_the_same_seed_gives_the_same_weights():
    sequences, labels = recordings([-1, 1, 2])
    found = []
    for seed in (0, 0, 1):
        encoder = SequenceEncoder(3, [(4, 3, 1)])
        train_siamese(encoder, sequences, labels, steps=3, disguise=Disguise(2), seed=seed)
        found.append(encoder.encode(sequences))
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 1e-4


def test_a_disguise_makes_strangers_whose_recordings_share_one_shift_and_scale(monkeypatch):
    batches = []

    def seen(sequences, n_channels):
        batches.append(np.array(sequences))
        return frames_of(sequences, n_channels)

    monkeypatch.setattr(siamese, "frames_of", seen)
    levels = [np.full((3, 2), 1.0 + row) for row in range(4)]
    settings = {"per_subject": 2, "n_subjects": 2, "disguise": Disguise(3, shift=1.0, scale=0.5), "steps": 1}
    train_siamese(SequenceEncoder(2, [(4, 1, 1)]), levels, [0, 0, 1, 1], **settings)
    (made,) = batches
    assert made.shape == (12, 3, 2)  # two subjects, three strangers of each, two recordings
    scales = np.abs(made[1::2] - made[::2])  # the two recordings of a stranger were 1 apart
    np.testing.assert_allclose(scales, scales[:, :1].repeat(3, axis=1))
    assert len(np.unique(scales[:, 0].round(6), axis=0)) == 6


def test_what_cannot_be_trained_is_named():
    sequences, labels = recordings([-1, 1])
    encoder = SequenceEncoder(3, [(4, 3, 1)])
    with pytest.raises(InvalidInputError, match="16 sequences have 3 labels"):
        train_siamese(encoder, sequences, [0, 1, 2])
    with pytest.raises(InvalidInputError, match="fewer than two subjects"):
        train_siamese(encoder, sequences, [0] * 16)
    with pytest.raises(InvalidInputError, match="contrastive_margin, cosine_regression"):
        train_siamese(encoder, sequences, labels, loss="triplet")
    with pytest.raises(InvalidInputError, match="copies is 0"):
        Disguise(0)
    with pytest.raises(InvalidInputError, match="shift"):
        Disguise(shift=-1)
    with pytest.raises(InvalidInputError, match="of one label and pairs of two"):
        labelled_loss(rows(0, 1), torch.tensor([0, 1]), terms=distance_margin(1.0), similarity="l2")
    for targets in ((0.5, 0.5), (1.5, 0), (1, -2)):
        with pytest.raises(InvalidInputError, match="targets"):
            cosine_targets(*targets)
    with torch.no_grad():
        encoder.network.layers[0].units.weight.fill_(float("nan"))
    with pytest.raises((TrainingError, InvalidInputError), match=r"not finite|a loss of nan"):
        train_siamese(encoder, sequences, labels)
