"""The recurrence of an LSTM over packed texts, with its gradient written out; why: see `twotower.towers.gru`.

T terms in all, B texts, L steps (terms of the longest text), H width of a state. Packed: all first terms, then all
second terms, ..., longest text first; step l has ``sizes[l]`` of them.
"""

from typing import Any

import torch
from torch import nn

from twotower.towers.gru import weights_of
from twotower.towers.packing import before_each


def lstm_states(
    cells: nn.LSTM, inputs: torch.Tensor, sizes: list[int], layer: int, backward: bool = False
) -> torch.Tensor:
    """Return the states [T, H] of one layer and direction of `cells` over packed inputs [T, I], in packed order.

    Parameters
    ----------
    cells : nn.LSTM
        Only its weights are used.
    inputs : Tensor of float32, shape [T, I]
    sizes : list of int
        Texts at each step; never rising.
    layer : int
    backward : bool
        Take the weights of the other direction. The order of `inputs` is the caller's affair.
    """
    weight_in, bias_in, weight, bias = weights_of(cells, layer, backward)
    from_inputs = nn.functional.linear(inputs, weight_in, bias_in + bias)
    states: torch.Tensor = _Recurrence.apply(from_inputs, weight, sizes)  # type: ignore[no-untyped-call]
    return states


class _Recurrence(torch.autograd.Function):
    r"""c' = f c + i g and h' = o tanh(c'), with i, f, o = sigmoid and g = tanh of their quarters of x + W h.

    x [T, 4H] is what the inputs give to i, f, g, o. Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers
    et al. 2000, in the variant of cuDNN and torch.
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]  # adds in place
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, sizes: list[int]) -> torch.Tensor:
        width = weight.shape[1]
        gates = torch.empty_like(x)  # i, f, g, o of each place
        memory, states = x.new_empty(len(x), width), x.new_empty(len(x), width)
        before, held = x.new_zeros(sizes[0], width), x.new_zeros(sizes[0], width)
        start = 0
        for size in sizes:
            at = slice(start, start + size)
            now = torch.addmm(x[at], before[:size], weight.T, out=gates[at])
            i, f, g, o = torch.split(now, width, dim=1)
            now[:, : 2 * width].sigmoid_()
            g.tanh_()
            o.sigmoid_()
            held = torch.mul(held[:size], f, out=memory[at]).addcmul_(i, g)
            before = torch.tanh(held, out=states[at]).mul_(o)
            start += size
        ctx.sizes = sizes
        ctx.save_for_backward(states, memory, gates, weight)
        return states

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        states, memory, gates, weight = ctx.saved_tensors
        (d_states,) = gradients
        width = weight.shape[1]
        held = before_each(memory, ctx.sizes)
        d_a = torch.empty_like(gates)
        d_before = d_held = states.new_zeros(0, width)  # what the following step hands back to this one's h and c
        start = len(states)
        for size in reversed(ctx.sizes):
            at = slice(start - size, start)
            i, f, g, o = torch.split(gates[at], width, dim=1)
            d_i, d_f, d_g, d_o = torch.split(d_a[at], width, dim=1)
            d_h = d_states[at].clone()
            d_h[: len(d_before)] += d_before
            tanh = torch.tanh(memory[at])
            torch.mul(d_h * tanh, o - o * o, out=d_o)
            d_c = d_h.mul_(o).mul_(1 - tanh * tanh)
            d_c[: len(d_held)] += d_held
            torch.mul(d_c * g, i - i * i, out=d_i)
            torch.mul(d_c * held[at], f - f * f, out=d_f)
            torch.mul(d_c * i, 1 - g * g, out=d_g)
            d_held = d_c * f
            d_before = d_a[at] @ weight
            start -= size
        return d_a, d_a.T @ before_each(states, ctx.sizes), None
