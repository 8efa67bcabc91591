"""Losses: one pure function of matrices a file, and a factory that binds its options.

Every loss is called as ``loss(queries, documents, positive, excluded)`` and returns a scalar:

====================  =============  =================================================================================
``queries``           float [B, D]   one row a query; unit rows when the model's similarity is "cosine"
``documents``         float [M, D]   all documents of the batch, whoever brought them; every one is a negative ...
``positive``          int64 [B]      ... except the column of the query's own positive
``excluded``          bool [B, M]    ... and those known or held to be relevant to the query (True: no negative)
``teacher``           float [B, M]   losses that distil only (`needs_teacher`): the teacher's scores, NaN where it has none
====================  =============  =================================================================================

The score of query i and document j is the inner product of their rows. The positive counts even where ``excluded``
marks it. A query left without negatives adds a loss of 0 to the mean; where no query of the batch has one, and for rows
that are not finite, `InvalidInputError` is raised. Scores are float32 at least, whatever the rows are and whatever
autocast says. Losses know no tower, no text and no optimiser.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    Loss = Callable[..., torch.Tensor]

LOSSES = {
    "contrastive_margin": "twotower.losses.pairs:contrastive_margin",
    "cosent": "twotower.losses.across_queries:cosent",
    "cosine_regression": "twotower.losses.pairs:cosine_regression",
    "in_batch": "twotower.losses.contrastive:in_batch",
    "kl_distillation": "twotower.losses.divergence:kl_distillation",
    "list_mle": "twotower.losses.listwise:list_mle",
    "margin_mse": "twotower.losses.teacher_margin:margin_mse",
    "matryoshka": "twotower.losses.truncated:matryoshka",
    "pairwise_logistic": "twotower.losses.pairwise:pairwise_logistic",
    "quantised": "twotower.losses.codes:quantised",
    "triplet": "twotower.losses.margin:triplet",
}
"""Name to factory. ``twotower.losses.<name>(...)`` is that factory."""

__all__ = ["LOSSES", *sorted(LOSSES)]


def __getattr__(name: str) -> Any:
    if name in LOSSES:
        module, _, attribute = LOSSES[name].partition(":")
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'twotower.losses' has no attribute {name!r}: losses are {', '.join(sorted(LOSSES))}")


def __dir__() -> list[str]:
    return __all__
