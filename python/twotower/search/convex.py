"""Convex combination of scores that are scaled by what a searcher can give at all, not by what it happened to list."""

from collections.abc import Sequence
from typing import Any

from twotower.errors import InvalidInputError
from twotower.search.linear import Linear
from twotower.search.pool import knows_least_scores


class Convex(Linear):
    """A searcher's share is ``(score - least) / (best - least)``: 0 at its theoretical minimum, 1 at its best candidate.

    Notes
    -----
    Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 42(1), 2023 (arXiv 2210.11934), the
    theoretical min-max of section 4. The least score is 0 for tf-idf and BM25 (but "robertson", whose idf can be negative, has none),
    and ``-|q| max |d|`` for inner products, which is the -1 of the paper for vectors of length 1. The best is that of the candidates,
    whose scores are computed. Unlike min-max, a list's last document has more than 0, by how far it is above the minimum.
    The combination is convex if the weights sum to 1, as the default ones and those of `tune` do.
    """

    normalisations = ("theoretical",)

    def check(self, searchers: Sequence[Any]) -> None:
        """Refuse a searcher without a known least score."""
        for searcher in searchers:
            if not knows_least_scores(searcher):
                raise InvalidInputError(
                    f"convex fusion needs the least score that {searcher.name!r} can give, and nobody knows it: "
                    "use fusion='linear', or give the searcher a method least_scores(queries)"
                )
