"""Real collections: equal to the oracle, in agreement with bm25s on the same terms, and as good as is published."""

import json
from functools import cache

import bm25s
import numpy as np
import pytest
import pytrec_eval

from oracles import BM25Oracle, TfidfOracle
from real_data import require
from twotower.index.bm25 import BM25Index
from twotower.index.native import core
from twotower.index.tfidf import TfidfIndex
from twotower.text import Analyzer

pytestmark = pytest.mark.data


class Beir:
    """A BEIR folder, its documents and queries analysed with the "english" analyzer."""

    def __init__(self, name):
        self.folder = require(name)
        rows = self._rows("corpus")
        self.ids = [row["_id"] for row in rows]
        self.texts = [f"{row['title']} {row['text']}" if row.get("title") else row["text"] for row in rows]
        self.queries = {row["_id"]: row["text"] for row in self._rows("queries")}
        self.terms = Analyzer("english").analyze_batch(self.texts)

    def _rows(self, name):
        with (self.folder / f"{name}.jsonl").open() as file:
            return [json.loads(line) for line in file]

    def qrels(self, split):
        judged = {}
        with (self.folder / "qrels" / f"{split}.tsv").open() as file:
            next(file)
            for line in file:
                query, doc, grade = line.split("\t")
                judged.setdefault(query, {})[doc] = int(grade)
        return judged


load = cache(Beir)


@cache
def built(name):
    data = load(name)
    return BM25Index.build(data.texts, data.ids)


def ndcg(run, qrels):
    found = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
    return sum(found[q]["ndcg_cut_10"] if q in found else 0.0 for q in qrels) / len(qrels)


@pytest.mark.parametrize("name", ["scifact", "cacm"])
@pytest.mark.parametrize("variant", [*core.bm25_variants(), "tfidf"])
def test_equal_to_the_oracle(name, variant):
    data = load(name)
    queries = Analyzer("english").analyze_batch(list(data.queries.values())[:10])
    if variant == "tfidf":
        index, oracle = TfidfIndex.build(data.terms), TfidfOracle(data.terms)
    else:
        index = BM25Index.build(data.terms, variant=variant, k1=1.2, b=0.75)
        oracle = BM25Oracle(data.terms, variant, 1.2, 0.75)
    hits = index.search(queries, k=100, threads=2)
    for q, query in enumerate(queries):
        expected = oracle.rank(query, 100)
        assert [(hit.score, hit.doc) for hit in hits[q]] == [(float(score), doc) for score, doc in expected]


@pytest.mark.parametrize(
    ("name", "split", "least"),
    [("scifact", "test", 0.67), ("msmarco-passage-32k", "dl19", 0.45), ("cranfield", "test", 0.0)],
)
def test_agrees_with_bm25s(name, split, least):
    data, index = load(name), built(name)
    qrels = data.qrels(split)
    queries = [data.queries[q] for q in qrels]
    terms = Analyzer("english").analyze_batch(queries)
    hits = index.search(terms, k=10)
    ours = ndcg(hits.to_run(list(qrels)), qrels)

    peer = bm25s.BM25(method="lucene", k1=0.9, b=0.4)
    peer.index(data.terms, show_progress=False)
    run = {}
    for q, (query, query_terms) in enumerate(zip(qrels, terms, strict=True)):
        scores = peer.get_scores([term for term in query_terms if term in peer.vocab_dict])
        found = hits[q]
        np.testing.assert_allclose([hit.score for hit in found], scores[[hit.doc for hit in found]], rtol=1e-4)
        best = np.argsort(-scores, kind="stable")[:10]
        np.testing.assert_allclose([hit.score for hit in found], scores[best], rtol=1e-4)
        run[query] = {data.ids[doc]: float(scores[doc]) for doc in best}
    assert abs(ours - ndcg(run, qrels)) <= 0.005
    assert ours >= least
    print(f"{name} {split}: nDCG@10 {ours:.4f}, bm25s {ndcg(run, qrels):.4f}")
