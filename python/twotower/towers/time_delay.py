"""Time-delay layers: one small network at every place of a sequence, the same weights at all places.

Sequences lie one after the other, without padding: T frames in all, B sequences, C channels of a frame; T' and C' behind
a layer. Knows no text and no loss.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import nn

from twotower.errors import InputTypeError, InvalidInputError
from twotower.towers.shape import check_size

MAX_WIDTH = 1024
Shape = Sequence[int]
"""Of a layer: its channels, how many frames it sees at once, and its stride."""


class TimeDelayLayer(nn.Module):
    """Units that see all channels of `width` frames in a row, every `stride` frames, and answer with tanh.

    Parameters
    ----------
    in_channels, channels : int
        Of a frame before and behind the layer.
    width : int
        Frames of a receptive field.
    stride : int
        Frames from one receptive field to the next.
    padded : bool
        True: a field stands around each `stride`-th frame, with zeros where it reaches past an end; L frames give
        ceil(L / stride), and none give none. False: fields lie inside; L frames give (L - width) // stride + 1.
    bias : bool

    Notes
    -----
    Source: Waibel et al. 1989, section II. The same as a one-dimensional convolution; as every sequence is read by
    itself, what stands beside it cannot change it. Cost T' width C C'.
    """

    def __init__(
        self, in_channels: int, channels: int, width: int, stride: int = 1, *, padded: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.width, self.stride, self.padded = width, stride, padded
        self.units = nn.Linear(width * in_channels, channels, bias=bias)

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return frames [T', C'] and lengths int64 [B] behind the layer, for frames [T, C] of sequences of `lengths`.

        Raises
        ------
        InvalidInputError
            If a sequence is shorter than a receptive field that must lie inside.
        """
        fields, lengths = self._fields(lengths)
        with_zeros = torch.cat([frames, frames.new_zeros(1, frames.shape[1])])  # the last row: past an end
        seen = nn.functional.embedding(fields, with_zeros).flatten(1)
        return torch.tanh(self.units(seen)), lengths

    def _fields(self, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rows of frames that each unit sees, int64 [T', width], T where there is none, and the new lengths."""
        if self.padded:
            before, after = (self.width - 1) // 2, -(-lengths // self.stride)
        else:
            if bool((lengths < self.width).any()):
                short = int((lengths < self.width).nonzero()[0])
                raise InvalidInputError(
                    f"sequence {short} has {int(lengths[short])} frames here, a receptive field {self.width}: give longer "
                    "sequences, smaller fields, or padded=True"
                )
            before, after = 0, (lengths - self.width) // self.stride + 1
        owners = torch.arange(len(lengths)).repeat_interleave(after)
        places = torch.arange(len(owners)) - (after.cumsum(0) - after)[owners]
        seen = (places * self.stride - before).unsqueeze(1) + torch.arange(self.width)
        inside = (seen >= 0) & (seen < lengths[owners].unsqueeze(1))
        starts = (lengths.cumsum(0) - lengths)[owners].unsqueeze(1)
        return torch.where(inside, starts + seen, int(lengths.sum())), after


class TimeDelayNetwork(nn.Module):
    """Time-delay layers one behind the other.

    Parameters
    ----------
    in_channels : int
        Of a frame.
    layers : sequence of (channels, width, stride)
        From the input on.
    padded, bias : bool
        As of `TimeDelayLayer`, of every layer.

    Raises
    ------
    InputTypeError
        If `layers` is no list of three numbers each.
    InvalidInputError
        If there is no layer, or a size is out of range.

    Notes
    -----
    Bromley et al. 1993 read signatures, 200 frames of 8 channels, with ``layers=[(12, 11, 3), (16, 10, 3)]``: 12 units
    at 64 places, then 16 at 19.

    Examples
    --------
    >>> network = TimeDelayNetwork(8, [(12, 11, 3), (16, 10, 3)])
    >>> frames, lengths = network(torch.zeros(200, 8), torch.tensor([200]))
    >>> frames.shape
    torch.Size([19, 16])
    """

    def __init__(self, in_channels: int, layers: Sequence[Shape], *, padded: bool = False, bias: bool = True) -> None:
        super().__init__()
        shapes = check_layers(layers)
        channels = [check_size("in_channels", in_channels), *(shape[0] for shape in shapes)]
        self.out_channels = channels[-1]
        self.layers = nn.ModuleList(
            TimeDelayLayer(before, after, width, stride, padded=padded, bias=bias)
            for (before, after), (_, width, stride) in zip(itertools.pairwise(channels), shapes, strict=True)
        )

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return frames [T', out_channels] and lengths int64 [B] behind the last layer; raises as a layer."""
        for layer in self.layers:
            frames, lengths = layer(frames, lengths)
        return frames, lengths


def check_layers(layers: Sequence[Shape]) -> list[list[int]]:
    """Return `layers` as lists, as JSON gives them back; raises as `TimeDelayNetwork`."""
    if not isinstance(layers, list | tuple) or not all(
        isinstance(shape, list | tuple) and len(shape) == 3 for shape in layers
    ):
        raise InputTypeError(f"layers is {layers!r}: give (channels, width, stride) for each layer")
    if not layers:
        raise InvalidInputError("layers is empty: give (channels, width, stride) for each layer")
    for channels, width, stride in layers:
        check_size("channels", channels)
        check_size("width", width, high=MAX_WIDTH)
        check_size("stride", stride, high=MAX_WIDTH)
    return [list(shape) for shape in layers]
