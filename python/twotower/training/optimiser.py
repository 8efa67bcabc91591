"""Optimisers that touch only the embedding rows of a batch, gradient clipping, and the learning rate over time.

V rows of a table, U distinct rows of a batch.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch

from twotower.errors import InvalidInputError
from twotower.towers.native import AdamClock, AdamOptions, adam_rows

BETAS = (0.9, 0.999)
EPSILON = 1e-8
WARMUP = 0.1


class Optimiser(Protocol):
    """Updates parameters by name, whole or by rows."""

    parameters: dict[str, torch.Tensor]

    def prepare(self, name: str, rows: torch.Tensor) -> None:
        """Bring `rows` (int64 [U], distinct) of a table up to date before they are read."""

    def flush(self) -> None:
        """Bring all parameters up to date: before they are looked at, saved or measured."""

    def update(self, name: str, gradient: torch.Tensor, lr: float, rows: torch.Tensor | None = None) -> None:
        """Take one step: of the whole parameter, or of `rows` (int64 [U], distinct) with their gradient [U, ...]."""

    def state(self) -> dict[str, torch.Tensor]:
        """Return parameters and what is kept of them by name, not copies: what a run must have again to go on exactly."""


class _UpToDate:
    """What an optimiser need not do whose parameters are always up to date."""

    def prepare(self, name: str, rows: torch.Tensor) -> None:
        """Bring `rows` of a table up to date before they are read: they are."""

    def flush(self) -> None:
        """Bring all parameters up to date: they are."""


class RowAdam(_UpToDate):
    """AdamW with a count of updates for each row of a table.

    A dense Adam step reads and writes the whole table and both of its moments; of 30,000 rows a batch contains some
    5,000. Here a row's moments decay, and its bias is corrected, by the number of steps in which the row occurred: for
    each row this is Adam over those steps.

    Parameters
    ----------
    parameters : dict of str to Tensor
        What to update in place, by name.
    tables : set of str
        Names of embedding tables: their steps come with the rows concerned.
    weight_decay : float
        Share of a weight that a step of rate 1 takes away, apart from the gradient; of a table's rows only in the steps
        that have them.
    bias_correction : bool
        False: the moments count as they are, as in the optimiser that BERT was published with. The first steps are then
        up to three times as long, and fine-tuning fails more often.

    Notes
    -----
    Source: Kingma and Ba 2015, algorithm 1; decoupled decay: Loshchilov and Hutter 2019, algorithm 2; what the missing
    correction does: Mosbach et al. 2021, section 6; Zhang et al. 2021, section 4. Memory: two copies of the parameters.
    """

    def __init__(
        self,
        parameters: dict[str, torch.Tensor],
        tables: set[str],
        *,
        weight_decay: float = 0.0,
        bias_correction: bool = True,
    ) -> None:
        self.parameters = parameters
        self.weight_decay, self.bias_correction = weight_decay, bias_correction
        self.options = AdamOptions(*BETAS, EPSILON, weight_decay, bias_correction)
        self.first = {name: torch.zeros_like(values) for name, values in parameters.items()}
        self.second = {name: torch.zeros_like(values) for name, values in parameters.items()}
        self.counts = {
            name: torch.zeros(len(values) if name in tables else 1, dtype=torch.int64)
            for name, values in parameters.items()
        }

    @torch.no_grad()
    def update(self, name: str, gradient: torch.Tensor, lr: float, rows: torch.Tensor | None = None) -> None:
        """Take one step: of the whole parameter, or of `rows` (int64 [U], distinct) with their gradient [U, ...]."""
        if rows is not None and gradient.dtype == torch.float32:
            self._update_rows(name, gradient.contiguous(), lr, rows)
            return
        at = slice(None) if rows is None else rows
        count = self.counts[name][at].add_(1) if rows is None else self.counts[name][rows] + 1
        first = self.first[name][at].lerp_(gradient, 1 - BETAS[0])
        second = self.second[name][at].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        if rows is not None:
            self.counts[name][rows], self.first[name][rows], self.second[name][rows] = count, first, second
        if self.weight_decay:
            self.parameters[name][at] *= 1 - lr * self.weight_decay
        if not self.bias_correction:
            self.parameters[name][at] -= lr * first / second.sqrt().add_(EPSILON)
            return
        shape = (-1, *[1] * (gradient.ndim - 1))
        corrections = [(1 - beta ** count.double()).to(gradient.dtype).view(shape) for beta in BETAS]
        rate = lr / corrections[0]
        spread = (second / corrections[1]).sqrt_().add_(EPSILON)
        self.parameters[name][at] -= rate * first / spread

    def _update_rows(self, name: str, gradient: torch.Tensor, lr: float, rows: torch.Tensor) -> None:
        """Do the same to rows of float32, in one pass of the core."""
        adam_rows(self._table(name), self.counts[name], rows, gradient, lr, self.options)

    def _table(self, name: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.parameters[name], self.first[name], self.second[name]

    def state(self) -> dict[str, torch.Tensor]:
        """Return parameters, moments and counts by name, not copies: what a run must have again to go on exactly."""
        groups = {"weight": self.parameters, "first": self.first, "second": self.second, "count": self.counts}
        return {f"{group}.{name}": tensor for group, tensors in groups.items() for name, tensor in tensors.items()}


class DenseAdam(RowAdam):
    """Adam of whole tables as torch has it, though a step touches the rows of its batch only.

    A row without a gradient moves on in dense Adam: its moments decay, and it follows the first. Here it takes the steps
    that it missed when it is next read; nobody needs it before.

    Parameters
    ----------
    parameters, tables
        As of `RowAdam`. Tables are of float32.
    weight_decay : float
        Must be 0: a row that is never met would shrink, too.

    Raises
    ------
    InvalidInputError
        If `weight_decay` is not 0.

    Notes
    -----
    Missed steps are taken one by one with the learning rates that they had, so it does not matter when. The first moment
    counts as 0 when 192 steps in a row had no gradient: 2e-9 of it would be left. ``counts`` of a table's row is the last
    step that had a gradient for it. Source: Kingma and Ba 2015, algorithm 1.
    """

    def __init__(self, parameters: dict[str, torch.Tensor], tables: set[str], *, weight_decay: float = 0.0) -> None:
        if weight_decay:
            raise InvalidInputError(f'weight_decay is {weight_decay!r}: optimiser "dense_adam" takes none, "adam" does')
        super().__init__(parameters, tables)
        self.current = {name: torch.zeros(len(parameters[name]), dtype=torch.int64) for name in sorted(tables)}
        self.taken = {name: torch.zeros(1, dtype=torch.int64) for name in sorted(tables)}
        self.rates: dict[str, list[float]] = {name: [] for name in tables}  # of the steps since the last flush
        self._clocks = {
            name: AdamClock(self._table(name), self.current[name], self.counts[name], self.options) for name in tables
        }

    def prepare(self, name: str, rows: torch.Tensor) -> None:
        """Take the steps that `rows` of a table have missed."""
        if name in self.taken:
            self._clocks[name].catch_up(self._rates(name), int(self.taken[name]), rows)

    def flush(self) -> None:
        """Take all steps that any row has missed."""
        for name, clock in self._clocks.items():
            clock.catch_up(self._rates(name), int(self.taken[name]))
            self.rates[name].clear()

    def _update_rows(self, name: str, gradient: torch.Tensor, lr: float, rows: torch.Tensor) -> None:
        self.taken[name] += 1
        self.rates[name].append(lr)
        self._clocks[name].take(self._rates(name), int(self.taken[name]), rows, gradient)

    def _rates(self, name: str) -> torch.Tensor:
        """Return the rate of every step so far, float64; of those before the last flush, which none needs again, 0."""
        rates = torch.zeros(int(self.taken[name]), dtype=torch.float64)
        if known := self.rates[name]:
            rates[-len(known) :] = torch.tensor(known, dtype=torch.float64)
        return rates

    def state(self) -> dict[str, torch.Tensor]:
        """Return parameters, moments and steps by name, not copies, after a flush."""
        self.flush()
        more = {"current": self.current, "taken": self.taken}
        return super().state() | {f"{group}.{name}": of[name] for group, of in more.items() for name in of}


class RowAdagrad(_UpToDate):
    """Adagrad with one sum of squares for each row of a table, in the place of one for each weight.

    Parameters
    ----------
    parameters, tables, weight_decay
        As of `RowAdam`.

    Notes
    -----
    A row's rate is ``lr / sqrt(sum over its steps of the mean square of its gradient)``: a rare row keeps a high one. One
    number a row in the place of Adam's 2 D moments, and a third of the memory traffic. Parameters that are no tables have
    a sum for each weight. Source: Duchi et al. 2011, section 1.1; by rows: Naumov et al. 2019 (DLRM).
    """

    def __init__(self, parameters: dict[str, torch.Tensor], tables: set[str], *, weight_decay: float = 0.0) -> None:
        self.parameters = parameters
        self.weight_decay = weight_decay
        self.sums = {
            name: torch.zeros(len(values), *[1] * (values.ndim - 1)) if name in tables else torch.zeros_like(values)
            for name, values in parameters.items()
        }

    @torch.no_grad()
    def update(self, name: str, gradient: torch.Tensor, lr: float, rows: torch.Tensor | None = None) -> None:
        """Take one step: of the whole parameter, or of `rows` (int64 [U], distinct) with their gradient [U, ...]."""
        at = slice(None) if rows is None else rows
        square = (
            gradient.square()
            if rows is None
            else gradient.square().flatten(1).mean(1).view(-1, *self.sums[name].shape[1:])
        )
        self.sums[name][at] += square
        if self.weight_decay:
            self.parameters[name][at] *= 1 - lr * self.weight_decay
        self.parameters[name][at] -= lr * gradient / self.sums[name][at].sqrt().add_(EPSILON)

    def state(self) -> dict[str, torch.Tensor]:
        """Return parameters and sums by name, not copies."""
        groups = {"weight": self.parameters, "sum": self.sums}
        return {f"{group}.{name}": tensor for group, tensors in groups.items() for name, tensor in tensors.items()}


OPTIMISERS: dict[str, Callable[..., Optimiser]] = {
    "adagrad": RowAdagrad,
    "adam": RowAdam,
    "adam_uncorrected": partial(RowAdam, bias_correction=False),
    "dense_adam": DenseAdam,
}
"""Name to what makes one of parameters and names of tables."""


def clip(gradients: list[torch.Tensor], limit: float) -> float:
    """Scale `gradients` in place so that their common length is at most `limit`; return the length they had."""
    length = float(
        torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
    )
    if length > limit:
        for gradient in gradients:
            gradient.mul_(limit / length)
    return length


def rate_at(step: int, n_steps: int, peak: float, warmup: float = WARMUP) -> float:
    """Return the learning rate of step 1..n_steps: a line up to `peak` over a share of them, then one down to almost 0.

    Examples
    --------
    >>> [round(rate_at(step, 20, 1.0), 2) for step in (1, 2, 3, 20)]
    [0.5, 1.0, 0.95, 0.05]
    >>> rate_at(1, 20, 1.0, warmup=0.0)
    1.0
    """
    rising = max(1, round(warmup * n_steps))
    if step <= rising:
        return peak * step / rising
    return peak * (n_steps - step + 1) / (n_steps - rising + 1)
