"""What losses and their factories refuse, and numbers of any kind that they take."""

import numpy as np
import pytest
import torch

from twotower import losses
from twotower.errors import InputTypeError, InvalidInputError
from twotower.losses import LOSSES
from twotower.losses.pairs import cosine_targets, labelled_loss
from twotower.losses.teacher import needs_teacher

NUMBERS = {
    "contrastive_margin": ("margin", 1.0),
    "cosent": ("temperature", 0.5),
    "in_batch": ("temperature", 0.5),
    "kl_distillation": ("teacher_temperature", 0.5),
    "list_mle": ("temperature", 0.5),
    "margin_mse": ("temperature", 0.5),
    "pairwise_logistic": ("temperature", 0.5),
    "triplet": ("margin", 0.5),
    "cosine_regression": ("genuine", 0.5),
}
"""A number of each factory, and one that it takes."""


@pytest.mark.parametrize(("name", "option", "good"), [(name, *rest) for name, rest in NUMBERS.items()])
def test_a_number_may_be_of_any_real_type_and_nothing_else(name, option, good):
    make = getattr(losses, name)
    for kind in (float, np.float32, np.float64, np.float16):
        make(**{option: kind(good)})
    for bad in (True, "a", [1.0], 1j, 10**400, -(10**400), float("nan"), np.float32("inf"), torch.ones(2)):
        with pytest.raises(InvalidInputError, match=f"{option} ?(is|=)|genuine="):
            make(**{option: bad})
    if option != "teacher_temperature":
        with pytest.raises(InvalidInputError):
            make(**{option: None})


@pytest.mark.parametrize("options", [{"sizes": 8}, {"sizes": np.array([4, 2])}, {"sizes": [4, 2], "weights": 1.0}])
def test_matryoshka_takes_sequences(options):
    with pytest.raises(InputTypeError, match="give a list"):
        losses.matryoshka(**options)


@pytest.mark.parametrize("weights", [["a", 1], [None, 1], [10**400, 1], [True, 1]])
def test_matryoshka_takes_weights_that_are_numbers(weights):
    with pytest.raises(InvalidInputError, match="a finite number above 0 for each size"):
        losses.matryoshka(sizes=[4, 2], weights=weights)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("place", ["queries", "documents", "positive", "excluded", "teacher"])
@pytest.mark.parametrize("convert", [np.asarray, lambda tensor: tensor.tolist()])
def test_a_loss_takes_tensors(name, place, convert):
    loss = getattr(losses, name)()
    given = {
        "queries": torch.eye(2, 4), "documents": torch.eye(3, 4), "positive": torch.arange(2),
        "excluded": torch.zeros(2, 3, dtype=torch.bool), "teacher": torch.eye(2, 3),
    }  # fmt: skip
    if not needs_teacher(loss):
        if place == "teacher":
            return
        del given["teacher"]
    assert torch.isfinite(loss(*given.values()))
    given[place] = convert(given[place])
    with pytest.raises(InputTypeError, match=f"{place} is of type (ndarray|list): a loss takes tensors"):
        loss(*given.values())


@pytest.mark.parametrize("name", LOSSES)
def test_a_single_row_is_no_matrix(name):
    loss = getattr(losses, name)()
    teacher = (torch.eye(2, 3),) if needs_teacher(loss) else ()
    with pytest.raises(InvalidInputError, match=r"queries \[B, D\]"):
        loss(torch.ones(4), torch.eye(3, 4), torch.arange(2), torch.zeros(2, 3, dtype=torch.bool), *teacher)


def test_a_loss_of_labels_takes_tensors():
    terms = cosine_targets(1.0, 0.0)
    with pytest.raises(InputTypeError, match="labels is of type list"):
        labelled_loss(torch.eye(3), [0, 0, 1], terms=terms, similarity="cosine")
