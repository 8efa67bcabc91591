"""Encoding many texts: batches of like length, without gradients.

N texts, D dimensions.
"""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from tqdm import tqdm

from twotower.towers.shape import check_size

if TYPE_CHECKING:
    from twotower.towers.reader import Terms
    from twotower.towers.two_tower import TwoTower


def encode(
    model: "TwoTower", tower: nn.Module, texts: Iterable[str], batch_size: int, progress: bool, dim: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the finished vectors [N, D] that `tower`, one of `model`'s two, gives to `texts`, in their order."""
    check_size("batch_size", batch_size)
    return encode_terms(model, tower, model.reader.read(texts), batch_size, progress, dim)


def encode_terms(
    model: "TwoTower",
    tower: nn.Module,
    terms: "Terms",
    batch_size: int = 256,
    progress: bool = False,
    dim: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the vectors of texts whose terms are known already, float32 [N, D]; with `dim`, their first components.

    Raises
    ------
    InvalidInputError
        If `dim` is above D, or below what the model's similarity needs (2 under the cosine).

    Notes
    -----
    Texts are sorted by length, so that a batch of a recurrent tower has few idle places; the sort is stable, the same
    texts always meet in the same batches.
    """
    order = np.argsort(terms.lengths, kind="stable")
    least = 2 if model.similarity == "cosine" else 1  # the cosine of single numbers is a sign
    width = model.out_dim if dim is None else check_size("dim", dim, low=least, high=model.out_dim)
    vectors = np.zeros((len(order), width), np.float32)
    batches = range(0, len(order), batch_size)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for start in tqdm(batches, desc="encoding", unit="batch", disable=not progress, file=sys.stderr):
                rows = order[start : start + batch_size]
                vectors[rows] = model.finish(tower(*terms.select(rows).tensors())[:, :width]).numpy()
    finally:
        model.train(was_training)
    return vectors
