"""The recurrence of a GRU over packed texts, with its gradient written out.

In training nn.GRU records a dozen small operations a step, and adds up the gradient of its recurrent weights step by
step. Here one matrix product over all steps does that.

T terms in all, B texts, L steps (terms of the longest text), H width of a state. Packed: all first terms, then all
second terms, ..., longest text first; step l has ``sizes[l]`` of them.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import nn


def gru_states(
    cells: nn.GRU, inputs: torch.Tensor, sizes: list[int], layer: int, backward: bool = False
) -> torch.Tensor:
    """Return the states [T, H] of one layer and direction of `cells` over packed inputs [T, I], in packed order.

    Parameters
    ----------
    cells : nn.GRU
        Only its weights are used.
    inputs : Tensor of float32, shape [T, I]
    sizes : list of int
        Texts at each step; never rising.
    layer : int
    backward : bool
        Take the weights of the other direction. The order of `inputs` is the caller's affair.
    """
    suffix = f"l{layer}_reverse" if backward else f"l{layer}"
    names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    weight_in, bias_in, weight, bias = (getattr(cells, f"{name}_{suffix}") for name in names)
    from_inputs = nn.functional.linear(inputs, weight_in, bias_in)
    states: torch.Tensor = _Recurrence.apply(from_inputs, weight, bias, sizes)  # type: ignore[no-untyped-call]
    return states


class _Recurrence(torch.autograd.Function):
    r"""h' = (1 - z) n + z h, with r, z = sigmoid(x_r + a_r), sigmoid(x_z + a_z), n = tanh(x_n + r a_n), a = W h + b.

    x [T, 3H] is what the inputs give to the three gates. Source: Cho et al. 2014, in the variant of cuDNN and torch.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, sizes: list[int]) -> torch.Tensor:
        width = weight.shape[1]
        states = x.new_empty(len(x), width)
        gates = x.new_empty(len(x), 3 * width)  # r, z, n of each place
        recurrent = x.new_empty(len(x), width)  # a_n of each place
        before = x.new_zeros(sizes[0], width)
        start = 0
        for size in sizes:
            at = slice(start, start + size)
            before = before[:size]
            a = torch.addmm(bias, before, weight.T)
            r_z = torch.add(x[at, : 2 * width], a[:, : 2 * width], out=gates[at, : 2 * width]).sigmoid_()
            recurrent[at] = a[:, 2 * width :]
            n = torch.addcmul(x[at, 2 * width :], r_z[:, :width], recurrent[at], out=gates[at, 2 * width :]).tanh_()
            before = torch.lerp(n, before, r_z[:, width:], out=states[at])
            start += size
        ctx.sizes = sizes
        ctx.save_for_backward(states, gates, recurrent, weight)
        return states

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        states, gates, recurrent, weight = ctx.saved_tensors
        (d_states,) = gradients
        width = weight.shape[1]
        sizes = ctx.sizes
        r, z, n = gates.split(width, dim=1)
        before = _states_before(states, sizes)
        # All that depends on the forward values alone, in one sweep: d_a = d_h * slope, gate by gate.
        slope_n = (1 - z) * (1 - n * n)
        slopes = torch.cat([slope_n * recurrent * r * (1 - r), (before - n) * z * (1 - z), slope_n * r], dim=1)
        d_a = torch.empty_like(gates)
        d_h = torch.empty_like(states)
        carried = states.new_zeros(0, width)
        start = len(states)
        for size in reversed(sizes):
            at = slice(start - size, start)
            here = torch.add(d_states[at], 0, out=d_h[at])
            here[: len(carried)] += carried
            torch.mul(slopes[at].view(size, 3, width), here.unsqueeze(1), out=d_a[at].view(size, 3, width))
            carried = torch.addmm(here * z[at], d_a[at], weight)
            start -= size
        d_weight = d_a.T @ before
        d_bias = d_a.sum(dim=0)
        d_a[:, 2 * width :] = d_h * slope_n  # x_n does not pass through r
        return d_a, d_weight, d_bias, None


def _states_before(states: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """Return the state that each place started from: zero at first, then that of the same text one step earlier."""
    parts = [states.new_zeros(sizes[0], states.shape[1])]
    start = 0
    for size, following in pairwise(sizes):
        parts.append(states[start : start + following])
        start += size
    return torch.cat(parts)
