"""Real collections: equal to the oracle, in agreement with bm25s on the same terms, and as good as is published."""

import json
from functools import cache

import pytest

from bm25s_agreement import SPLITS, agreement
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


load = cache(Beir)


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


LEAST = {("scifact", "test"): 0.67, ("msmarco-passage-32k", "dl19"): 0.45}


@pytest.mark.parametrize(("name", "split"), SPLITS)
def test_agrees_with_bm25s(name, split):
    _, n_queries, ours, peers, same = agreement(name, split)
    assert n_queries > 40
    assert abs(ours - peers) <= 0.005
    assert same == 1.0
    assert ours >= LEAST.get((name, split), 0.1)
