"""KL distillation: the student's softmax over a query's documents is to be the teacher's.

B queries, M documents, D dimensions.
"""

from functools import partial
from typing import TYPE_CHECKING

import torch

from twotower.losses.scores import check_temperature, negative_mask, score_matrix
from twotower.losses.teacher import scored_mask, teacher_scores

if TYPE_CHECKING:
    from twotower.losses import Loss


def kl_distillation_loss(
    queries: torch.Tensor,
    documents: torch.Tensor,
    positive: torch.Tensor,
    excluded: torch.Tensor,
    teacher: torch.Tensor,
    *,
    temperature: float,
    teacher_temperature: float,
) -> torch.Tensor:
    r"""Return the mean over queries of KL(softmax(t / T_t) || softmax(s / T)) over the documents that the teacher scored.

    Parameters
    ----------
    queries, documents, positive, excluded, teacher : Tensor
        As in `twotower.losses`. Positive and negatives count where the teacher has scored them; it says how relevant each
        is, so the positive's column has no part of its own.
    temperature, teacher_temperature : float
        T of the student and T_t of the teacher, above 0. Equal ones are Hinton's; cosines want a T of their own.

    Returns
    -------
    Tensor
        Scalar, never below 0; 0 where both rank with the same probabilities. Times T^2 where the two are equal, so that
        the size of the gradient does not hang on T (Hinton et al. 2015, section 2).

    Notes
    -----
    The gradient is that of the listwise cross entropy (ListNet's top-one), from which the teacher's entropy is taken.
    """
    scores = score_matrix(queries, documents)
    negatives = negative_mask(scores, positive, excluded)
    counted = scored_mask(scores, negatives, positive, teacher)
    none = ~counted.any(dim=1, keepdim=True)  # a query without any: one column each, KL 0
    hidden = ~counted & ~(none & (torch.arange(scores.shape[1], device=scores.device) == positive.unsqueeze(1)))
    wanted = teacher_scores(teacher, counted, scores) / teacher_temperature
    log_student = torch.log_softmax((scores / temperature).masked_fill(hidden, float("-inf")), dim=1)
    log_teacher = torch.log_softmax(wanted.masked_fill(hidden, float("-inf")), dim=1)
    difference = (log_teacher - log_student).masked_fill(hidden, 0.0)  # -inf - -inf is NaN
    scale = temperature**2 if temperature == teacher_temperature else 1.0
    return (log_teacher.exp() * difference).sum(dim=1).mean() * scale


def kl_distillation(temperature: float = 1.0, teacher_temperature: float | None = None) -> "Loss":
    """Return the KL distillation loss; it needs the teacher's scores.

    Parameters
    ----------
    temperature, teacher_temperature : float
        Above 0; the teacher's is the student's if None.

    Raises
    ------
    InvalidInputError
        If one is not a number above 0.

    Examples
    --------
    A student that scores as its teacher loses nothing:

    >>> import torch
    >>> query, documents = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.8, 0.6], [0.6, 0.8]])
    >>> none = torch.zeros(1, 2, dtype=torch.bool)
    >>> kl_distillation()(query, documents, torch.tensor([0]), none, torch.tensor([[0.8, 0.6]])).item()
    0.0
    """
    return partial(
        kl_distillation_loss,
        temperature=check_temperature(temperature),
        teacher_temperature=check_temperature(
            temperature if teacher_temperature is None else teacher_temperature, "teacher_temperature"
        ),
    )
