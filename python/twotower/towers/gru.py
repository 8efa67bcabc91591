"""The recurrence of a GRU over packed texts, with its gradient written out.

In training nn.GRU records a dozen small operations a step, and adds up the gradient of its recurrent weights step by
step. Here one matrix product over all steps does that.

T terms in all, B texts, L steps (terms of the longest text), H width of a state. Packed: all first terms, then all
second terms, ..., longest text first; step l has ``sizes[l]`` of them.
"""

from typing import Any

import torch
from torch import nn

from twotower.towers.packing import before_each


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
    weight_in, bias_in, weight, bias = weights_of(cells, layer, backward)
    from_inputs = nn.functional.linear(inputs, weight_in, bias_in)
    states: torch.Tensor = _Recurrence.apply(from_inputs, weight, bias, sizes)  # type: ignore[no-untyped-call]
    return states


def weights_of(cells: nn.RNNBase, layer: int, backward: bool) -> tuple[torch.Tensor, ...]:
    """Return the input weights and bias and the recurrent weights and bias of one layer and direction."""
    suffix = f"l{layer}_reverse" if backward else f"l{layer}"
    return tuple(getattr(cells, f"{name}_{suffix}") for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh"))


class _Recurrence(torch.autograd.Function):
    r"""h' = (1 - z) n + z h, with r, z = sigmoid(x_r + a_r), sigmoid(x_z + a_z), n = tanh(x_n + r a_n), a = W h + b.

    x [T, 3H] is what the inputs give to the three gates. Source: Cho et al. 2014, in the variant of cuDNN and torch.
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]  # adds in place
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
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        states, gates, recurrent, weight = ctx.saved_tensors
        (d_states,) = gradients
        width = weight.shape[1]
        before = before_each(states, ctx.sizes)
        d_a = torch.empty_like(gates)
        d_x_n = torch.empty_like(states)  # differs from d_a's third part: r stands between them
        carried = states.new_zeros(0, width)  # what the following step hands back to this one's state
        start = len(states)
        for size in reversed(ctx.sizes):
            at = slice(start - size, start)
            r, z, n = torch.split(gates[at], width, dim=1)
            d_r, d_z, d_n = torch.split(d_a[at], width, dim=1)
            d_h = d_states[at].clone()
            d_h[: len(carried)] += carried
            carried = d_h * z
            d_new = d_h - carried
            torch.mul(torch.addcmul(d_new, d_new * n, n, value=-1, out=d_x_n[at]), r, out=d_n)
            d_gate = d_n * recurrent[at]
            torch.addcmul(d_gate, d_gate, r, value=-1, out=d_r)
            d_gate = (before[at] - n).mul_(carried)
            torch.addcmul(d_gate, d_gate, z, value=-1, out=d_z)
            carried.addmm_(d_a[at], weight)
            start -= size
        d_weight = d_a.T @ before
        d_bias = d_a.sum(dim=0)
        d_a[:, 2 * width :] = d_x_n
        return d_a, d_weight, d_bias, None
