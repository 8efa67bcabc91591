"""Scorers for options that a single call brings: made on first use, the last few kept. Knows no formula.

Legend: N documents, P postings.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_SCORERS = 4
"""Sets of options that an index keeps beside its own; the one that waited longest gives way."""

QUANTISE_AFTER = 2.0
"""Postings scored exhaustively, as a multiple of P, before a set's postings are quantised: about what quantising costs."""


class OtherScorer:
    """A scorer for other options than the index's own.

    Its postings are quantised once exhaustive scoring has cost as much as that would have, so no sequence of searches
    takes more than about twice the time of the better choice.
    """

    def __init__(self, native: Any, n_docs: int, n_postings: int) -> None:
        self.native = native
        self._norm_bytes = 8 * n_docs
        self._budget = QUANTISE_AFTER * n_postings
        self._lock = threading.Lock()

    def algorithm(self, asked: str, n_postings: int) -> str:
        """Return the algorithm for a batch of queries whose terms have so many postings: `asked` unless "auto"."""
        if asked != "auto" or self.native.is_quantised:
            return asked
        with self._lock:
            self._budget -= n_postings
            return "exhaustive" if self._budget >= 0 else asked

    @property
    def n_bytes(self) -> int:
        """Memory, the norms of the documents included."""
        return int(self.native.fast_bytes) + self._norm_bytes


class OtherScorers:
    """The last few scorers for options that calls brought. Safe to share between threads.

    Parameters
    ----------
    postings : dict of str to ndarray
        Of the index.
    """

    def __init__(self, postings: dict[str, npt.NDArray[Any]]) -> None:
        self._offsets = postings["term_offsets"]
        self._n_docs = len(postings["doc_lengths"])
        self._scorers: OrderedDict[Hashable, OtherScorer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, options: Hashable, make: Callable[[], Any]) -> OtherScorer:
        """Return the scorer of a set of options; `make` makes the core's one, in O(N)."""
        with self._lock:
            found = self._scorers.get(options)
            if found is None:
                found = OtherScorer(make(), self._n_docs, int(self._offsets[-1]))
                self._scorers[options] = found
                if len(self._scorers) > MOST_SCORERS:
                    self._scorers.popitem(last=False)
            self._scorers.move_to_end(options)
            return found

    def n_postings(self, terms: npt.NDArray[np.int32]) -> int:
        """Return how many postings terms have, repeated ones again; -1 has none."""
        known = terms[terms >= 0]
        return int((self._offsets[known + 1] - self._offsets[known]).sum())

    @property
    def n_bytes(self) -> int:
        """Memory of all that are kept."""
        with self._lock:
            return sum(scorer.n_bytes for scorer in self._scorers.values())
