"""Negatives that a model itself takes for relevant: the best documents by its vectors, now and then made anew (ANCE).

Q queries, N documents, D dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index import FlatIndex
from twotower.negatives.doc_lists import DocLists, Rows
from twotower.negatives.ranked import Filter, Scores, check_filters, mine_ranked
from twotower.negatives.source import Source, check_depth
from twotower.negatives.task import Task, Vectors


@dataclass(frozen=True)
class ByVectors(Source):
    """See `dense`."""

    model: Any = None
    depth: int = 50
    filters: tuple[Filter, ...] = ()
    refresh_every: int | None = None
    lag: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value, low in (("refresh_every", self.refresh_every, 1), ("lag", self.lag, 0)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
                raise InvalidInputError(f"{name} is {value!r}: it must be a whole number from {low}")
        if self.refresh_every is not None and self.model is not None:
            raise InvalidInputError(
                "a fixed model gives the same negatives at each refresh: leave model or refresh_every out"
            )
        if self.lag and (self.refresh_every is None or self.lag > self.refresh_every):
            raise InvalidInputError(
                f"lag is {self.lag}: it must be at most refresh_every, which is {self.refresh_every}"
            )

    @property
    def uses_model(self) -> bool:
        """Whether no model of its own was given."""
        return self.model is None

    @property
    def schedule(self) -> tuple[int, int] | None:
        """As asked for."""
        return None if self.refresh_every is None else (self.refresh_every, self.lag)

    def prepare(self, task: Task) -> DocLists:
        """Search with the vectors of the model, or of the one being trained as it is now.

        Raises
        ------
        InvalidInputError
            If there is neither.
        """
        return mine_ranked(task, VectorRanking(self._vectors(task), task), self.depth, self.filters)

    def _vectors(self, task: Task) -> Vectors:
        if self.model is not None:
            return self.model.encode_queries(list(task.queries)), self.model.encode_documents(list(task.documents))
        if task.vectors is None:
            raise InvalidInputError("dense negatives need a model: give one, or use the source in a training")
        return task.vectors()

    def describe(self) -> str:
        """Return the options; a model of one's own is told by its type and width alone."""
        own = (
            "the trained"
            if self.model is None
            else f"{type(self.model).__name__}[{getattr(self.model, 'out_dim', '?')}]"
        )
        return (
            f"dense(model={own}, depth={self.depth}, filters={self.filters!r}, refresh_every={self.refresh_every}, "
            f"lag={self.lag}, per_query={self.per_query})"
        )


class VectorRanking:
    """Exact search over vectors, as a ranking of a task's queries."""

    def __init__(self, vectors: Vectors, task: Task) -> None:
        self.queries, documents = vectors
        self.index = FlatIndex.build(documents)
        self.threads = task.threads

    def search(self, queries: Rows, k: int) -> tuple[Scores, Rows]:
        """As `twotower.negatives.ranked.Ranking`."""
        hits = self.index.search(self.queries[queries], k, self.threads, device="auto")
        return hits.scores, hits.docs

    def score(self, queries: Rows, docs: Rows) -> Scores:
        """As `twotower.negatives.ranked.Ranking`."""
        scores: Scores = self.index.score(self.queries[queries], docs, self.threads)
        return scores


def dense(
    model: Any = None, depth: int = 50, filters: Sequence[Filter] = (), per_query: int = 1,
    refresh_every: int | None = None, lag: int = 0,
) -> ByVectors:  # fmt: skip
    """Return the source of the `depth` best documents by a model's vectors that are not known to be relevant.

    Parameters
    ----------
    model : TwoTower, optional
        Anything with `encode_queries` and `encode_documents`, such as an earlier checkpoint. None: the model that is being
        trained, as it is at the start and at each refresh.
    depth : int
        ANCE takes 200.
    filters : sequence of filters
    per_query : int
        Negatives drawn for each query and step.
    refresh_every : int, optional
        Steps after which the lists are made anew.
    lag : int
        Steps that the training goes on while new lists are made beside it; they are taken up exactly then, whether they were
        ready earlier or are waited for, so that the same seed gives the same run. 0: the training waits.

    Raises
    ------
    InvalidInputError
        If a number is out of range, or a fixed model is to be refreshed.

    Notes
    -----
    Source: Xiong et al. 2021 (ANCE), section 4. Each refresh encodes all N documents.
    """
    if model is not None and not callable(getattr(model, "encode_queries", None)):
        raise InputTypeError(f"model is {model!r}: give a TwoTower, or None for the model that is trained")
    return ByVectors(per_query, model, check_depth(depth), check_filters(filters), refresh_every, lag)
