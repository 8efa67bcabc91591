"""The candidates that a query's record came with, and what to make of those that nobody selected.

In MS MARCO v1.1 a record has some ten passages that a search engine found, of which the one that an answer was written from is
selected (``is_selected`` 1). The others are unjudged, and often relevant: *maybe* negatives.
"""

from dataclasses import dataclass

from twotower.errors import InvalidInputError
from twotower.negatives.doc_lists import DocLists
from twotower.negatives.source import Source, check_share
from twotower.negatives.task import Task

TREATMENTS = ("ignore", "maybe_negative", "weak_positive")


@dataclass(frozen=True)
class Unselected(Source):
    """See `candidates`."""

    treat: str = "maybe_negative"
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.treat not in TREATMENTS:
            raise InvalidInputError(f"treat is {self.treat!r}: choose one of {', '.join(TREATMENTS)}")
        check_share("weight", self.weight)

    @property
    def share(self) -> float:
        """The weight."""
        return self.weight

    def prepare(self, task: Task) -> DocLists:
        """Return the unselected candidates; none unless they are maybe negatives."""
        lists = task.candidate_rows()
        return lists if self.treat == "maybe_negative" else DocLists.of([] for _ in range(len(lists)))

    def ignored(self, task: Task) -> DocLists | None:
        """Return the unselected candidates if they are to be ignored."""
        return task.candidate_rows() if self.treat == "ignore" else None

    def weak_positives(self, task: Task) -> DocLists | None:
        """Return the unselected candidates if they are weak positives."""
        return task.candidate_rows() if self.treat == "weak_positive" else None


def candidates(treat: str = "maybe_negative", weight: float = 1.0, per_query: int = 1) -> Unselected:
    """Return the source that knows what to make of a record's unselected passages.

    Parameters
    ----------
    treat : {"maybe_negative", "ignore", "weak_positive"}
        "maybe_negative": negatives are drawn from them, in a share `weight` of a query's steps. "ignore": they are neither
        positive nor negative of their query, even where another source or another query of the batch brings them.
        "weak_positive": in a share `weight` of a query's pairs one of them takes the place of the judged document; they are
        no negatives.
    weight : float
        Above 0, at most 1.
    per_query : int
        Negatives drawn for each query and step.

    Raises
    ------
    InvalidInputError
        If one is out of range.

    Notes
    -----
    The weight is a probability rather than a factor of the loss, so that it means the same to every loss. Beside another
    source: ``negatives=[tt.mine.bm25(index), tt.mine.candidates("ignore")]``.
    """
    return Unselected(per_query, treat, weight)
