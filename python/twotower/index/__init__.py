"""Indexes: build once, search many times, save and load.

Each has ``build``, ``search``, ``score``, ``save``, ``load``, ``len`` and ``doc_ids``. A new index is one file and one
line of `INDEXES`.
"""

from typing import Any

from twotower.registry import resolve

INDEXES = {
    "bm25": "twotower.index.bm25:BM25Index",
    "bm25f": "twotower.index.bm25f:BM25FIndex",
    "flat": "twotower.index.flat:FlatIndex",
    "flat_codes": "twotower.index.flat_codes:FlatCodesIndex",
    "hashed": "twotower.index.hashed:HashedNgramIndex",
    "hnsw": "twotower.index.hnsw:HNSWIndex",
    "sparse": "twotower.index.sparse:SparseIndex",
    "tfidf": "twotower.index.tfidf:TfidfIndex",
}
"""Name to the class, imported on use. The name is also the kind of the saved folder."""

_ON_DEVICES = {
    "CudaFlatIndex": "twotower.index.cuda_flat:CudaFlatIndex"
}  # not saved: made of a FlatIndex, or of tensors
_CLASSES = {path.rpartition(":")[2]: name for name, path in INDEXES.items()}
__all__ = ["INDEXES", *sorted([*_CLASSES, *_ON_DEVICES])]


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        value = resolve(INDEXES, _CLASSES[name], "index")
        globals()[name] = value
        return value
    if name in _ON_DEVICES:
        return resolve(_ON_DEVICES, name, "index")
    raise AttributeError(f"module 'twotower.index' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
