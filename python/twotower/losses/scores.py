"""What all losses share: the score matrix and which of its entries are negatives.

B queries, M documents, D dimensions.
"""

import math
from numbers import Real
from typing import Any

import torch

from twotower.errors import InputTypeError, InvalidInputError

SIMILARITIES = ("cosine", "dot", "l2")


def score_matrix(queries: torch.Tensor, documents: torch.Tensor, similarity: str = "dot") -> torch.Tensor:
    """Return the scores [B, M] of query rows [B, D] and document rows [M, D]; higher is nearer.

    Parameters
    ----------
    queries, documents : Tensor
    similarity : {"dot", "cosine", "l2"}
        Inner product, cosine (0 for a zero row), or the negative Euclidean distance.

    Returns
    -------
    Tensor
        float32, or float64 for rows of float64: bfloat16 has 8 bits, too few to tell scores near 1 apart.

    Raises
    ------
    InputTypeError, InvalidInputError
        As `check_rows`; or if a value is not finite.
    """
    check_rows(queries, documents)
    for name, rows in (("queries", queries), ("documents", documents)):
        if not all_finite(rows):
            row = int((~torch.isfinite(rows)).any(dim=1).nonzero()[0])
            raise InvalidInputError(f"row {row} of {name} is not finite: a loss takes finite vectors")
    with torch.autocast(queries.device.type, enabled=False):
        left, right = at_least_float32(queries), at_least_float32(documents)
        if similarity == "l2":  # no matrix product: |q|^2 - 2 q d + |d|^2 cancels where it matters most
            return -torch.cdist(left, right, compute_mode="donot_use_mm_for_euclid_dist")
        if similarity == "cosine":
            left, right = unit_rows(left), unit_rows(right)
        return left @ right.T


def check_rows(queries: torch.Tensor, documents: torch.Tensor) -> None:
    """Refuse queries and documents that are not tensors, or not matrices of one width.

    Raises
    ------
    InputTypeError
        If one is no tensor.
    InvalidInputError
        If they are not [B, D] and [M, D].
    """
    check_tensors(queries=queries, documents=documents)
    if queries.ndim != 2 or documents.ndim != 2 or queries.shape[1] != documents.shape[1]:
        raise InvalidInputError(
            f"a loss takes queries [B, D] and documents [M, D] of one width D, not {list(queries.shape)} and "
            f"{list(documents.shape)}"
        )


def check_tensors(**values: Any) -> None:
    """Raise InputTypeError for the first of these that is no tensor."""
    for name, value in values.items():
        if not isinstance(value, torch.Tensor):
            raise InputTypeError(
                f"{name} is of type {type(value).__name__}: a loss takes tensors, such as torch.as_tensor({name})"
            )


def all_finite(values: torch.Tensor) -> bool:
    """Tell whether no value is NaN or infinite: their sum shows it, unless it overflows."""
    return bool(torch.isfinite(values.detach().sum())) or bool(torch.isfinite(values).all())


def at_least_float32(values: torch.Tensor) -> torch.Tensor:
    """Return `values` in float32, or as they are if they are of float64."""
    return values if values.dtype == torch.float64 else values.float()


def unit_rows(rows: torch.Tensor) -> torch.Tensor:
    """Return rows of length 1; a zero row stays zero and has a finite gradient."""
    lengths = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return rows / torch.where(lengths > 0, lengths, 1)


def negative_mask(scores: torch.Tensor, positive: torch.Tensor, excluded: torch.Tensor) -> torch.Tensor:
    """Return bool [B, M]: True where the document is a negative of the query.

    Raises
    ------
    InputTypeError
        If `positive` or `excluded` is no tensor.
    InvalidInputError
        If `positive` is not int64 [B] of columns, `excluded` is not bool [B, M], or no query has a negative.
    """
    check_tensors(positive=positive, excluded=excluded)
    if positive.shape != scores.shape[:1] or excluded.shape != scores.shape:
        raise InvalidInputError(
            f"for scores {list(scores.shape)} positive must be [{scores.shape[0]}] and excluded {list(scores.shape)}, "
            f"not {list(positive.shape)} and {list(excluded.shape)}"
        )
    if positive.dtype != torch.int64 or excluded.dtype != torch.bool:
        raise InvalidInputError(
            f"positive must be int64 and excluded bool, not {str(positive.dtype)[6:]} and {str(excluded.dtype)[6:]}"
        )
    if bool(((positive < 0) | (positive >= scores.shape[1])).any()):
        raise InvalidInputError(f"positive names a column outside the {scores.shape[1]} documents of the batch")
    negatives = (~excluded).scatter(1, positive.unsqueeze(1), False)
    if not bool(negatives[:1].any()) and not bool(negatives.any()):  # the first query has one as a rule
        raise InvalidInputError(
            "no query of the batch has a negative: all documents are positives or excluded. Take larger batches, or name a "
            "source of negatives"
        )
    return negatives


def positive_scores(scores: torch.Tensor, positive: torch.Tensor) -> torch.Tensor:
    """Return the score of each query's positive, [B]."""
    return scores.gather(1, positive.unsqueeze(1)).squeeze(1)


def as_float(value: Any) -> float:
    """Return a real number, NumPy's too, as a float; NaN for what is none or is beyond float64.

    NaN lies in no range, so that one comparison refuses all that is wrong.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def check_temperature(temperature: float, name: str = "temperature") -> float:
    """Return `temperature` as a float; `name` is what messages call it.

    Raises
    ------
    InvalidInputError
        If it is not a finite number above 0.
    """
    number = as_float(temperature)
    if not 0 < number < math.inf:
        raise InvalidInputError(f"{name} is {temperature!r}: it must be a number above 0, such as 0.05")
    return number


def check_similarity(similarity: str) -> str:
    """Return `similarity`.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    if similarity not in SIMILARITIES:
        raise InvalidInputError(f"similarity is {similarity!r}: choose one of {', '.join(SIMILARITIES)}")
    return similarity
