"""Adam that touches only the embedding rows of a batch, gradient clipping, and the learning rate over time.

V rows of a table, U distinct rows of a batch.
"""

import torch

BETAS = (0.9, 0.999)
EPSILON = 1e-8
WARMUP = 0.1


class RowAdam:
    """Adam with a count of updates for each row of a table.

    A dense Adam step reads and writes the whole table and both of its moments; of 30,000 rows a batch contains some
    5,000. Here a row's moments decay, and its bias is corrected, by the number of steps in which the row occurred: for
    each row this is Adam over those steps.

    Parameters
    ----------
    parameters : dict of str to Tensor
        What to update in place, by name.
    tables : set of str
        Names of embedding tables: their steps come with the rows concerned.

    Notes
    -----
    Source: Kingma and Ba 2015, algorithm 1. Memory: two copies of the parameters.
    """

    def __init__(self, parameters: dict[str, torch.Tensor], tables: set[str]) -> None:
        self.parameters = parameters
        self.first = {name: torch.zeros_like(values) for name, values in parameters.items()}
        self.second = {name: torch.zeros_like(values) for name, values in parameters.items()}
        self.counts = {
            name: torch.zeros(len(values) if name in tables else 1, dtype=torch.int64)
            for name, values in parameters.items()
        }

    @torch.no_grad()
    def update(self, name: str, gradient: torch.Tensor, lr: float, rows: torch.Tensor | None = None) -> None:
        """Take one step: of the whole parameter, or of `rows` (int64 [U], distinct) with their gradient [U, ...]."""
        at = slice(None) if rows is None else rows
        count = self.counts[name][at].add_(1) if rows is None else self.counts[name][rows] + 1
        first = self.first[name][at].lerp_(gradient, 1 - BETAS[0])
        second = self.second[name][at].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        shape = (-1, *[1] * (gradient.ndim - 1))
        rate = lr / (1 - BETAS[0] ** count).view(shape)
        spread = (second / (1 - BETAS[1] ** count).view(shape)).sqrt_().add_(EPSILON)
        if rows is not None:
            self.counts[name][rows], self.first[name][rows], self.second[name][rows] = count, first, second
        self.parameters[name][at] -= rate * first / spread

    def state(self) -> dict[str, torch.Tensor]:
        """Return parameters, moments and counts by name, not copies: what a run must have again to go on exactly."""
        groups = {"weight": self.parameters, "first": self.first, "second": self.second, "count": self.counts}
        return {f"{group}.{name}": tensor for group, tensors in groups.items() for name, tensor in tensors.items()}


def clip(gradients: list[torch.Tensor], limit: float) -> float:
    """Scale `gradients` in place so that their common length is at most `limit`; return the length they had."""
    length = float(
        torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
    )
    if length > limit:
        for gradient in gradients:
            gradient.mul_(limit / length)
    return length


def rate_at(step: int, n_steps: int, peak: float) -> float:
    """Return the learning rate of step 1..n_steps: a line up to `peak` over the first tenth, then one down to almost 0.

    Examples
    --------
    >>> [round(rate_at(step, 20, 1.0), 2) for step in (1, 2, 3, 20)]
    [0.5, 1.0, 0.95, 0.05]
    """
    rising = max(1, round(WARMUP * n_steps))
    if step <= rising:
        return peak * step / rising
    return peak * (n_steps - step + 1) / (n_steps - rising + 1)
