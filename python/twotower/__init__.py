"""twotower: from raw text and (query, relevant, not relevant) data to a search engine that has learned.

Every public name is imported on first use, so that `import twotower` loads neither torch nor datasets.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "twotower.hardware": "Backend backend",
    "twotower.data": "load_collection read_qrels read_questions read_run read_triples trap_items write_qrels write_run write_triples",
    "twotower.engine": "Engine",
    "twotower.evaluation": "QrelsTable QueryTable RunTable answer_accuracy compare compare_pooled "
    "evaluate evaluate_queries evaluate_table has_answer",
    "twotower.experiments.audit": "audit",
    "twotower.index": "BM25FIndex BM25Index FlatCodesIndex FlatIndex HNSWIndex HashedNgramIndex SparseIndex TfidfIndex",
    "twotower.index.hashed_ngrams": "HashedNgrams",
    "twotower.index.build_estimate": "estimate_build",
    "twotower.reporting": "report",
    "twotower.search": "Dense Hybrid rank_candidates search_split tune_together",
    "twotower.text": "Analyzer BPE FieldAnalyzers Vocabulary WordPiece",
    "twotower.towers": "TwoTower",
    "twotower.training": "train",
    "twotower.types": "Collection Document Hit Hits Qrels Run",
}
_EXPORTS = {name: module for module, names in _HOMES.items() for name in names.split()}
_ROOMS = {
    "errors": "twotower.errors",
    "losses": "twotower.losses",
    "mine": "twotower.negatives",
    "pretraining": "twotower.pretraining",
    "verification": "twotower.verification",
}
__all__ = [*sorted(_EXPORTS), *_ROOMS, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        value = getattr(import_module(_EXPORTS[name]), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return import_module(_ROOMS[name])
    raise AttributeError(f"module 'twotower' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
