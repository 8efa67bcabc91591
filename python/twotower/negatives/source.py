"""What a source of negatives is. Knows none."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np

from twotower.errors import InvalidInputError
from twotower.negatives.doc_lists import DocLists, Rows
from twotower.negatives.task import Task


class Pools(Protocol):
    """What a source found: documents that negatives are drawn from."""

    def draw(self, queries: Rows, n: int, generator: np.random.Generator) -> tuple[Rows, Rows]:
        """Return (place in `queries`, document) of at most `n` different negatives of each query, places ascending."""


@dataclass(frozen=True)
class Source(ABC):
    """Finds negatives. Frozen, and without state: one source serves several tasks and threads.

    Attributes
    ----------
    per_query : int
        Negatives drawn for each query and step.
    """

    per_query: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.per_query, bool) or not isinstance(self.per_query, int) or self.per_query < 1:
            raise InvalidInputError(f"per_query is {self.per_query!r}: it must be a whole number from 1")

    @property
    def share(self) -> float:
        """Share of the queries of a step that negatives are drawn for; by chance, anew in each step."""
        return 1.0

    @property
    def uses_model(self) -> bool:
        """Whether what it finds hangs on the weights of the model that is trained."""
        return False

    @property
    def schedule(self) -> tuple[int, int] | None:
        """(steps after which the lists are made anew, steps between taking the weights and using the lists); None: never."""
        return None

    @abstractmethod
    def prepare(self, task: Task) -> Pools:
        """Return what negatives of the queries of `task` are drawn from; the same for the same task."""

    def ignored(self, task: Task) -> DocLists | None:
        """Return documents that are to be neither positive nor negative of a query, whoever finds them."""
        return None

    def weak_positives(self, task: Task) -> DocLists | None:
        """Return documents that now and then take the place of a query's positive; they are no negatives."""
        return None

    def describe(self) -> str:
        """Return name and options in a line: what the record of a training run says, and must repeat to be resumed."""
        options = ", ".join(f"{item.name}={_shown(getattr(self, item.name))}" for item in fields(self))
        return f"{type(self).__name__}({options})"


def _shown(value: Any) -> str:
    return f"({', '.join(map(_shown, value))})" if isinstance(value, tuple) else repr(value)


def check_depth(depth: int) -> int:
    """Return `depth` if it is a whole number from 1.

    Raises
    ------
    InvalidInputError
        If it is not.
    """
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 1:
        raise InvalidInputError(f"depth is {depth!r}: it must be a whole number from 1, such as 50")
    return depth


def check_share(name: str, share: float) -> float:
    """Return `share` if it is a number above 0 and at most 1.

    Raises
    ------
    InvalidInputError
        If it is not.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise InvalidInputError(f"{name} is {share!r}: it must be a number above 0 and at most 1")
    return float(share)
