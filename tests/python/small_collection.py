"""A collection that can only be searched by learning: queries and documents share no word.

Document words are d0, d1, ...; query words q0, q1, ...; q<i> asks for documents about d<i>. A query of three words is
judged with the one document that has these three (and two common words).
"""

import numpy as np

from twotower.text import Analyzer, Vocabulary
from twotower.types import Collection, Document

N_TOPICS = 30
ANALYZER = Analyzer("plain")


def translated(n: int = 150, seed: int = 0) -> Collection:
    """Return `n` documents and queries: 60 % of the queries train, 20 % valid, 20 % test."""
    generator = np.random.default_rng(seed)
    corpus, queries = {}, {}
    qrels = {"train": {}, "valid": {}, "test": {}}
    for i in range(n):
        topics = generator.choice(N_TOPICS, 3, replace=False).tolist()
        corpus[f"doc{i}"] = Document(" ".join(f"d{t}" for t in topics) + f" common{i % 2}", title="about")
        queries[f"query{i}"] = " ".join(f"q{t}" for t in topics)
        split = "train" if i < 0.6 * n else "valid" if i < 0.8 * n else "test"
        qrels[split][f"query{i}"] = {f"doc{i}": 1, f"doc{(i + 1) % n}": 0}
    return Collection("translated", corpus, queries, qrels)


def vocabulary_of(collection: Collection) -> Vocabulary:
    """Count the terms of all texts."""
    texts = [document.full_text for document in collection.corpus.values()]
    return Vocabulary.count([*texts, *collection.queries.values()], ANALYZER)
