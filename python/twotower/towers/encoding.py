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
    model: "TwoTower", tower: nn.Module, texts: Iterable[str], batch_size: int, progress: bool
) -> npt.NDArray[np.float32]:
    """Return the finished vectors [N, D] that `tower`, one of `model`'s two, gives to `texts`, in their order."""
    check_size("batch_size", batch_size)
    return encode_terms(model, tower, model.reader.read(texts), batch_size, progress)


def encode_terms(
    model: "TwoTower", tower: nn.Module, terms: "Terms", batch_size: int = 256, progress: bool = False
) -> npt.NDArray[np.float32]:
    """Return the vectors of texts whose terms are known already, float32 [N, D].

    Notes
    -----
    Texts are sorted by length, so that a batch of a recurrent tower has few idle places; the sort is stable, the same
    texts always meet in the same batches.
    """
    order = np.argsort(terms.lengths, kind="stable")
    vectors = np.zeros((len(order), model.out_dim), np.float32)
    batches = range(0, len(order), batch_size)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for start in tqdm(batches, desc="encoding", unit="batch", disable=not progress, file=sys.stderr):
                rows = order[start : start + batch_size]
                vectors[rows] = model.finish(tower(*terms.select(rows).tensors())).numpy()
    finally:
        model.train(was_training)
    return vectors
