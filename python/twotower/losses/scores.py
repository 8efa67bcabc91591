"""What all losses share: the score matrix and which of its entries are negatives.

B queries, M documents, D dimensions.
"""

import torch

from twotower.errors import InvalidInputError


def score_matrix(queries: torch.Tensor, documents: torch.Tensor) -> torch.Tensor:
    """Return the inner products [B, M] of query rows [B, D] and document rows [M, D].

    Raises
    ------
    InvalidInputError
        If the two are not matrices of one width.
    """
    if queries.ndim != 2 or documents.ndim != 2 or queries.shape[1] != documents.shape[1]:
        raise InvalidInputError(
            f"a loss takes queries [B, D] and documents [M, D] of one width D, not {list(queries.shape)} and "
            f"{list(documents.shape)}"
        )
    return queries @ documents.T


def negative_mask(scores: torch.Tensor, positive: torch.Tensor, excluded: torch.Tensor) -> torch.Tensor:
    """Return bool [B, M]: True where the document is a negative of the query.

    Raises
    ------
    InvalidInputError
        If `positive` is not [B] or `excluded` is not [B, M].
    """
    if positive.shape != scores.shape[:1] or excluded.shape != scores.shape:
        raise InvalidInputError(
            f"for scores {list(scores.shape)} positive must be [{scores.shape[0]}] and excluded {list(scores.shape)}, "
            f"not {list(positive.shape)} and {list(excluded.shape)}"
        )
    return (~excluded).scatter(1, positive.unsqueeze(1), False)
