"""What a search with several searchers cost, counted while it ran. Knows no searcher."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any


@dataclass
class PartCost:
    """What one searcher did.

    Attributes
    ----------
    searches : int
        Queries for which it was asked for a list.
    scored : int
        Pairs of query and document whose score was asked for, besides searching.
    encoded : int
        Texts that its model encoded; 0 without a model.
    encode_seconds, search_seconds, score_seconds : float
    """

    searches: int = 0
    scored: int = 0
    encoded: int = 0
    encode_seconds: float = 0.0
    search_seconds: float = 0.0
    score_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.encode_seconds + self.search_seconds + self.score_seconds

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time of a block to ``<step>_seconds``."""
        start = perf_counter()
        yield
        name = f"{step}_seconds"
        setattr(self, name, getattr(self, name) + perf_counter() - start)


@dataclass
class Cost:
    """What one search of a hybrid cost.

    Attributes
    ----------
    n_queries : int
    candidates : int
        Documents fused, over all queries.
    seconds : float
        Wall time of the whole search.
    parts : dict of str to PartCost
        By searcher. A hybrid inside a hybrid is one part; what its own searchers did stands in its own `cost`.
    """

    parts: dict[str, PartCost]
    n_queries: int = 0
    candidates: int = 0
    seconds: float = 0.0
    _start: float = field(default_factory=perf_counter, repr=False)

    @classmethod
    def of(cls, names: list[str]) -> "Cost":
        """Return the cost of a search that starts now."""
        return cls({name: PartCost() for name in names})

    def finish(self, n_queries: int) -> "Cost":
        """Stop the clock."""
        self.n_queries, self.seconds = n_queries, perf_counter() - self._start
        return self

    @property
    def fuse_seconds(self) -> float:
        """Time outside the searchers: uniting lists, normalising, adding, sorting."""
        return self.seconds - sum(part.seconds for part in self.parts.values())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        parts = {name: asdict(part) for name, part in self.parts.items()}
        return {
            "n_queries": self.n_queries, "candidates": self.candidates, "seconds": self.seconds,
            "fuse_seconds": self.fuse_seconds, "parts": parts,
        }  # fmt: skip

    def to_markdown(self) -> str:
        """Return a table: a row for each searcher, one for the fusing, one for all."""
        lines = [
            "| part | searches | scored documents | encoded texts | encode ms | search ms | score ms |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, part in self.parts.items():
            steps = (part.encode_seconds, part.search_seconds, part.score_seconds)
            times = " | ".join(f"{1000 * seconds:.1f}" for seconds in steps)
            lines.append(f"| {name} | {part.searches} | {part.scored} | {part.encoded} | {times} |")
        n = max(self.n_queries, 1)
        lines += [
            f"| fusing | | {self.candidates} | | | | {1000 * self.fuse_seconds:.1f} |",
            "",
        ]
        a_query = f"{1000 * self.seconds / n:.2f} ms and {self.candidates / n:.0f} candidates a query"
        lines.append(f"{self.n_queries} queries in {self.seconds:.3f} s: {a_query}.")
        return "\n".join(lines)
