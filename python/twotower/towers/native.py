"""The only file of the room that touches the C++ core: bags of embedding rows, and Adam on rows.

V rows of a table, D dimensions, B bags, T terms, U distinct rows. All tensors are on the CPU and contiguous.
"""

import numpy as np
import torch

from twotower import _core as core

AdamOptions = core.AdamOptions


def bag_means(
    table: torch.Tensor, ids: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor | None
) -> torch.Tensor:
    """Return the means [B, D] of a table of float32 or bfloat16, in its dtype; sums are float32."""
    arguments = (ids.numpy(), offsets.numpy(), None if weights is None else weights.numpy(), torch.get_num_threads())
    if table.dtype == torch.bfloat16:
        halves = table.view(torch.int16).numpy().view(np.uint16)
        return torch.from_numpy(core.bag_means_bfloat16(halves, *arguments)).bfloat16()
    return torch.from_numpy(core.bag_means(table.numpy(), *arguments))


def bag_gradient(
    outer: torch.Tensor, ids: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor | None, n_rows: int
) -> torch.Tensor:
    """Return the gradient of the table, float32 [n_rows, D], from that of the means, float32 [B, D]."""
    flat_weights = None if weights is None else weights.numpy()
    return torch.from_numpy(
        core.bag_gradient(outer.numpy(), ids.numpy(), offsets.numpy(), flat_weights, n_rows, torch.get_num_threads())
    )


def distinct_rows(ids: torch.Tensor, n_rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the distinct ids, ascending int64 [U], and the place of each id among them, int64 [T]."""
    rows, places = core.distinct_rows(ids.numpy(), n_rows)
    return torch.from_numpy(rows), torch.from_numpy(places)


def adam_rows(
    table: tuple[torch.Tensor, torch.Tensor, torch.Tensor], counts: torch.Tensor, rows: torch.Tensor,
    gradient: torch.Tensor, rate: float, options: AdamOptions,
) -> None:  # fmt: skip
    """Take one step of `rows` (distinct, int64 [U]) with their own counts of steps; weights and moments in place."""
    weights, first, second = (part.numpy() for part in table)
    core.adam_rows(
        weights, first, second, counts.numpy(), rows.numpy(), gradient.numpy(), rate, options, torch.get_num_threads()
    )


class AdamClock:
    """Which step each row of a table has been brought up to, for dense Adam that touches rows when they are needed.

    Parameters
    ----------
    table : (weights, first, second)
        All [V, D].
    current, met : Tensor of int64, shape [V]
        Step that a row is brought up to; last step in which it had a gradient.
    options : AdamOptions
    """

    def __init__(
        self, table: tuple[torch.Tensor, torch.Tensor, torch.Tensor], current: torch.Tensor, met: torch.Tensor,
        options: AdamOptions,
    ) -> None:  # fmt: skip
        weights, first, second = (part.numpy() for part in table)
        self._arrays = weights, first, second, current.numpy(), met.numpy()
        self._options = options

    def catch_up(self, rates: torch.Tensor, until: int, rows: torch.Tensor | None = None) -> None:
        """Take the steps up to `until` that `rows` (None: all) missed; `rates` float64 has those of all steps."""
        at = None if rows is None else rows.numpy()
        core.adam_catch_up(*self._arrays, rates.numpy(), until, at, self._options, torch.get_num_threads())

    def take(self, rates: torch.Tensor, step: int, rows: torch.Tensor, gradient: torch.Tensor) -> None:
        """Take `step` of distinct `rows` with their gradient [U, D]."""
        core.adam_take(
            *self._arrays, rates.numpy(), step, rows.numpy(), gradient.numpy(), self._options, torch.get_num_threads()
        )
