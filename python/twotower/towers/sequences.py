"""A time-delay network over recordings: frames in, one vector out. The network of a Siamese pair.

T frames in all, B sequences, L frames of one, C channels of a frame, D dimensions of the vector. Knows no text.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from twotower.errors import InvalidInputError
from twotower.towers.pooling import pool
from twotower.towers.shape import check_seed, check_size
from twotower.towers.time_delay import Shape, TimeDelayNetwork

POOLINGS = ("flatten", "max", "mean")


class SequenceEncoder(nn.Module):
    """Time-delay layers, pooled over time, optionally projected.

    Parameters
    ----------
    in_channels : int
        Of a frame.
    layers : sequence of (channels, width, stride)
        Receptive fields lie inside the sequence, which must be long enough for all of them.
    pooling : {"mean", "max", "flatten"}
        "flatten": all frames side by side, as Bromley et al. 1993 have it; `n_frames` must be given.
    n_frames : int, optional
        Of every sequence, where pooling is "flatten".
    out_dim : int, optional
        Through a linear map without bias.
    seed : int
        Of the first weights; the global random state is left alone.

    Examples
    --------
    The network of Bromley et al. 1993: 19 places of 16 units.

    >>> encoder = SequenceEncoder(8, [(12, 11, 3), (16, 10, 3)], pooling="flatten", n_frames=200)
    >>> encoder.encode([np.zeros((200, 8))]).shape
    (1, 304)
    """

    def __init__(
        self,
        in_channels: int,
        layers: Sequence[Shape],
        *,
        pooling: str = "mean",
        n_frames: int | None = None,
        out_dim: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise InvalidInputError(f"unknown pooling {pooling!r}: choose one of {', '.join(POOLINGS)}")
        if (pooling == "flatten") != (n_frames is not None):
            raise InvalidInputError(f'pooling {pooling!r} with n_frames={n_frames}: n_frames belongs to "flatten"')
        self.in_channels, self.pooling, self.n_frames = in_channels, pooling, n_frames
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(check_seed(seed))
            self.network = TimeDelayNetwork(in_channels, layers)
            width = self.network.out_channels
            if n_frames is not None:
                width *= len(self.network(torch.zeros(n_frames, in_channels), torch.tensor([n_frames]))[0])
            self.out_dim = width if out_dim is None else check_size("out_dim", out_dim)
            self.projection = nn.Identity() if out_dim is None else nn.Linear(width, out_dim, bias=False)

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, D] for frames [T, C] of sequences of `lengths`, int64 [B].

        Raises
        ------
        InvalidInputError
            If a sequence is too short for the layers, or has not `n_frames`.
        """
        if self.n_frames is not None and bool((lengths != self.n_frames).any()):
            raise InvalidInputError(
                f"sequences have {sorted(set(lengths.tolist()))} frames: this network takes {self.n_frames}"
            )
        states, lengths = self.network(frames, lengths)
        pooled = states.view(len(lengths), -1) if self.pooling == "flatten" else pool(states, lengths, self.pooling)
        vectors: torch.Tensor = self.projection(pooled)
        return vectors

    def encode(self, sequences: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float32]:
        """Return the vectors of recordings [L, C], float32 [N, D], without gradients; raises as `frames_of` and `forward`."""
        if not len(sequences):
            return np.zeros((0, self.out_dim), np.float32)
        with torch.inference_mode():
            vectors: npt.NDArray[np.float32] = self(*frames_of(sequences, self.in_channels)).numpy()
        return vectors


def frames_of(sequences: Sequence[npt.ArrayLike], in_channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return recordings one after the other, float32 [T, C], and their lengths, int64 [B].

    Raises
    ------
    InvalidInputError
        If one is not a finite matrix of `in_channels` columns.
    """
    arrays = [np.asarray(sequence, np.float32) for sequence in sequences]
    for place, array in enumerate(arrays):
        if array.ndim != 2 or array.shape[1] != in_channels or not np.isfinite(array).all():
            raise InvalidInputError(
                f"sequence {place} has the shape {array.shape}: give finite frames [L, {in_channels}]"
            )
    return torch.from_numpy(np.concatenate(arrays)), torch.tensor([len(array) for array in arrays])
