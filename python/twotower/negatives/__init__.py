"""Negatives: where documents come from that a query's positives are to beat, and which of them must not be taken.

``tt.mine`` is this room. A source finds a list of documents for every query (`Source.prepare`); training draws from the
lists. What is known to be relevant to a query, or has the text of such a document, is in none of its lists. Filters take out
more: what holds an answer, what stands too near to the positives. May import indexes and evaluation; knows no batch, no step
and no loss.
"""

from importlib import import_module
from typing import Any

NEGATIVES = {
    "bm25": "twotower.negatives.lexical:bm25",
    "candidates": "twotower.negatives.unselected:candidates",
    "dense": "twotower.negatives.vectors:dense",
    "random": "twotower.negatives.any_document:random",
}
"""Name to factory. ``tt.mine.<name>(...)`` is that factory; every one can be called without arguments."""

_HOMES = {
    "DocLists": "twotower.negatives.doc_lists:DocLists",
    "Mined": "twotower.negatives.mined:Mined",
    "Source": "twotower.negatives.source:Source",
    "Task": "twotower.negatives.task:Task",
    "below_positive": "twotower.negatives.filters:below_positive",
    "below_score": "twotower.negatives.filters:below_score",
    "given": "twotower.negatives.listed:given",
    "mine": "twotower.negatives.mined:mine",
    "without_answers": "twotower.negatives.filters:without_answers",
}
_ALL = {**NEGATIVES, **_HOMES}
__all__ = ["NEGATIVES", *sorted(_ALL)]


def __getattr__(name: str) -> Any:
    if name in _ALL:
        module, _, attribute = _ALL[name].partition(":")
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'twotower.negatives' has no attribute {name!r}: it has {', '.join(sorted(_ALL))}")


def __dir__() -> list[str]:
    return __all__
