"""What a lexical search did: which algorithms ran, and how many postings they really scored."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SearchProfile:
    """The work of one batch of queries; the same for every number of threads.

    Attributes
    ----------
    algorithms : dict of str to int
        Queries that each algorithm ranked. Queries without a known term are ranked by none, those of more than 1,024
        terms by "exhaustive".
    postings : int
        Of the queries' distinct terms.
    postings_scored : int
        Those that were added to a sum, or found when a single document was looked up. "exhaustive" scores all of them,
        and those of a repeated term again.
    lookups : int
        Single documents looked up in one term's postings, found or not.
    candidates : int
        Documents whose upper bound reached the threshold when they were met.
    rescored : int
        Documents scored by the definition, in float64, after the scan.
    windows, windows_pruned : int
        Ranges of 16,384 documents that were scanned, and those of them in which at least one term was looked up for
        single documents instead of scored throughout.
    """

    algorithms: dict[str, int]
    postings: int
    postings_scored: int
    lookups: int
    candidates: int
    rescored: int
    windows: int
    windows_pruned: int

    @classmethod
    def from_counts(cls, counts: dict[str, Any]) -> "SearchProfile":
        """Return the profile of the core's counts."""
        return cls(**counts)
