"""nDCG@10 of BM25 beside bm25s fed the same terms, on five collections.

    PYTHONPATH=tests/python python tests/python/bm25s_agreement.py

prints the table. k1=.9, b=.4, variant "lucene", the "english" analyzer, all judged queries of a split.
"""

from functools import cache
from importlib.util import find_spec

import bm25s
import numpy as np
import pytrec_eval

from real_data import require
from twotower.data import load_collection
from twotower.index import BM25Index
from twotower.text import Analyzer

BACKEND = (
    "numba" if find_spec("numba") else "numpy"
)  # the same scores; numba is faster and comes with the extra [bench]
SPLITS = [
    ("scifact", "test"),
    ("cranfield", "test"),
    ("cacm", "test"),
    ("msmarco-passage-32k", "test"),
    ("msmarco-passage-32k", "dl19"),
    ("msmarco-passage-32k", "dl20"),
    ("python-docs", "test"),
]


@cache
def prepared(name):
    """Return a collection, the terms of its documents, and both systems."""
    collection = load_collection(name if name == "python-docs" else require(name))
    terms = Analyzer("english").analyze_batch([document.full_text for document in collection.corpus.values()])
    peer = bm25s.BM25(method="lucene", k1=0.9, b=0.4, backend=BACKEND)
    peer.index(terms, show_progress=False)
    return collection, BM25Index.build(terms, list(collection.corpus), k1=0.9, b=0.4), peer


def ndcg(run, qrels):
    found = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
    return sum(found[q]["ndcg_cut_10"] if q in found else 0.0 for q in qrels) / len(qrels)


def agreement(name, split):
    """Return documents, queries, our nDCG@10, bm25s's, and the share of queries with the same scores in order."""
    collection, index, peer = prepared(name)
    qrels, ids = collection.split(split), list(collection.corpus)
    queries = Analyzer("english").analyze_batch([collection.queries[q] for q in qrels])
    hits = index.search(queries, 10)
    asked = [[term for term in query if term in peer.vocab_dict] or [""] for query in queries]
    docs, scores = peer.retrieve(asked, k=10, show_progress=False, n_threads=1)
    run = {
        q: {ids[doc]: float(score) for doc, score in zip(*row, strict=True) if score > 0}
        for q, *row in zip(qrels, docs.tolist(), scores.tolist(), strict=True)
    }
    same = np.isclose(np.where(np.isinf(hits.scores), 0, hits.scores), scores, rtol=1e-4, atol=1e-6).all(1).mean()
    return len(ids), len(qrels), ndcg(hits.to_run(list(qrels)), qrels), ndcg(run, qrels), float(same)


def main():
    print("| collection, split | documents | queries | ours | bm25s | difference | same scores |")
    print("|---|---|---|---|---|---|---|")
    for name, split in SPLITS:
        n_docs, n_queries, ours, peers, same = agreement(name, split)
        cells = (f"{n_docs:,}", n_queries, f"{ours:.4f}", f"{peers:.4f}", f"{ours - peers:+.4f}", f"{100 * same:.1f} %")
        print(f"| {name}, {split} | " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
