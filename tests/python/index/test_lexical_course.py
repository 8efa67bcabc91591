"""The course's four documents: its inverted index, its tf-idf cosine and every BM25 variant, to 1e-6."""

import json
from pathlib import Path

import numpy as np
import pytest

from twotower.index.bm25 import BM25Index
from twotower.index.native import core
from twotower.index.tfidf import TfidfIndex
from twotower.text import Analyzer

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "course_lexical.json").read_text())
IDS, TEXTS = list(GOLDEN["documents"]), list(GOLDEN["documents"].values())
PLAIN = Analyzer(stop_words=None, stemmer=None)


def check(index, golden):
    """Scores by score(), by explain() and by search() are the golden ones."""
    np.testing.assert_allclose(index.score([GOLDEN["query"]], np.arange(4)[np.newaxis])[0], golden, atol=1e-6, rtol=0)
    for doc_id, value in zip(IDS, golden, strict=True):
        explained = index.explain(GOLDEN["query"], doc_id)
        assert sum(term.score for term in explained.terms) == pytest.approx(value, abs=1e-6)
    ranked = sorted((-value, doc_id) for doc_id, value in zip(IDS, golden, strict=True) if value != 0)
    assert [hit.doc_id for hit in index.search(GOLDEN["query"])] == [doc_id for _, doc_id in ranked]


def test_inverted_index():
    index = BM25Index.build(TEXTS, IDS, analyzer=PLAIN)
    shown = {}
    for term in index.vocabulary.terms():
        doc_ids, tfs = index.postings(term)
        shown[term] = dict(zip(doc_ids, tfs.tolist(), strict=True))
    assert shown == GOLDEN["inverted_index"]
    doc_ids, tfs = index.postings("sorry")
    assert doc_ids == []
    assert tfs.tolist() == []


@pytest.mark.parametrize("case", GOLDEN["bm25"], ids=lambda case: "-".join(map(str, case["options"].values())))
def test_bm25(case):
    check(BM25Index.build(TEXTS, IDS, analyzer=PLAIN, **case["options"]), case["scores"])


def test_every_variant_has_golden_values():
    assert {case["options"]["variant"] for case in GOLDEN["bm25"]} == set(core.bm25_variants())


def test_tfidf():
    golden = GOLDEN["tfidf"]
    index = TfidfIndex.build(TEXTS, IDS, analyzer=PLAIN)
    check(index, golden["scores"])
    for term, idf in GOLDEN["idf_log10"].items():
        [part] = index.explain(term, "d1").terms
        assert part.idf == pytest.approx(idf, abs=1e-6)
    # "sweet" alone has the query weight 1, so the parts give the norms back.
    weight = {term: part.score for term in ("sweet", "love") for part in index.explain(term, "d1").terms}
    parts = {part.term: part.score for part in index.explain(GOLDEN["query"], "d1").terms}
    for term, expected in golden["query_weights"].items():
        assert parts[term] / weight[term] == pytest.approx(expected, abs=1e-6)
    tf_weight = {"d1": 1 + np.log10(2), "d2": 1.0, "d3": 1.0}
    for doc_id, norm in zip(IDS[:3], golden["document_norms"], strict=False):
        [part] = index.explain("sweet", doc_id).terms
        assert tf_weight[doc_id] * part.idf / part.score == pytest.approx(norm, abs=1e-6)
