"""A start that needs no label: word vectors, and pairs that texts hold themselves. May import training and what lies below it.

`ict` and `titles` make pairs for `twotower.train`; `word2vec` learns vectors of words, `start_from_words` puts them into a model.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "PseudoPairs": "twotower.pretraining.pseudo_pairs",
    "WordVectors": "twotower.pretraining.word_vectors",
    "ict": "twotower.pretraining.pseudo_pairs",
    "sentence_spans": "twotower.pretraining.sentences",
    "start_from_words": "twotower.pretraining.embeddings",
    "titles": "twotower.pretraining.pseudo_pairs",
    "word2vec": "twotower.pretraining.word_vectors",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'twotower.pretraining' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
