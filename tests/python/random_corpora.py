"""Random corpora of terms with Zipf-like frequencies, from a single document to some windows of 16,384."""

import numpy as np


def random_corpus(random):
    """Return documents and queries over Zipf-like terms: a few documents, or some windows of them."""
    n_docs = int(random.choice([1, 2, 10, 100, 1000, 20_000, 35_000], p=[0.1, 0.1, 0.25, 0.25, 0.26, 0.02, 0.02]))
    n_terms = int(random.choice([2, 10, 100, 2000]))
    lengths = random.integers(0, 12, n_docs) * random.choice([1, 1, 1, 8], n_docs)
    ids = (n_terms * random.random(int(lengths.sum())) ** random.uniform(1, 4)).astype(int)
    names = [str(t) for t in range(n_terms)]
    flat = [names[t] for t in ids.tolist()]
    ends = np.cumsum(lengths).tolist()
    documents = [flat[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
    queries = [[names[t] for t in random.integers(0, n_terms, random.integers(1, 9)).tolist()] for _ in range(4)]
    return documents, queries
