"""Search by text: what every searcher does, dense search, fusion of several searchers, controls.

A searcher has ``search(texts, k)``, ``score(texts, docs)``, ``doc_ids`` and ``name`` (see `Searcher`); BM25 and tf-idf
indexes are searchers as they are. A new fusion is one file and one line of `FUSIONS`.
"""

from importlib import import_module
from typing import Any

FUSIONS = {
    "combmnz": "twotower.search.linear:CombMnz",
    "combsum": "twotower.search.linear:CombSum",
    "convex": "twotower.search.convex:Convex",
    "linear": "twotower.search.linear:Linear",
    "rrf": "twotower.search.rrf:ReciprocalRank",
}
"""Name to the class, imported on use."""

_HOMES = {
    "Cost": "cost",
    "Dense": "dense",
    "Hybrid": "hybrid",
    "QueryBlind": "query_blind",
    "Searcher": "searcher",
    "Shuffled": "chance",
    "Tuning": "tuning",
    "expected_random_rr": "chance",
    "random_run": "chance",
    "rank_candidates": "splits",
    "search_split": "splits",
    "tune_together": "sweep",
}
__all__ = ["FUSIONS", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"twotower.search.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'twotower.search' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
