"""`explain`: the parts are those of the definition, sum to the score of `search`, and each is the score of its term alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import IDF, BM25Oracle, TfidfOracle
from real_data import require
from twotower.data import load_collection
from twotower.index import BM25Index, TfidfIndex
from twotower.text import Analyzer

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "course_lexical.json").read_text())
DOCUMENTS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), min_size=1, max_size=8)
QUERY = st.lists(st.sampled_from("abcdefghxyz"), max_size=6)


def build(documents, variant, doc_ids=None, **options):
    if variant == "slide-10":
        options["log_base"] = 10
    return BM25Index.build(documents, doc_ids, variant=variant.removesuffix("-10"), **options)


def added_up(parts):
    total = 0.0
    for part in parts:
        total += part.score
    return np.float32(total)


@pytest.mark.parametrize("case", GOLDEN["bm25"], ids=lambda case: "-".join(map(str, case["options"].values())))
def test_parts_sum_to_the_golden_values(case):
    plain = Analyzer(stop_words=None, stemmer=None)
    index = BM25Index.build(GOLDEN["documents"].values(), GOLDEN["documents"], analyzer=plain, **case["options"])
    for doc_id, golden in zip(GOLDEN["documents"], case["scores"], strict=True):
        explained = index.explain(GOLDEN["query"], doc_id)
        assert explained.score == pytest.approx(golden, abs=1e-6)
        assert added_up(explained.terms) == np.float32(explained.score)
        assert explained.doc_length == len(plain.analyze(GOLDEN["documents"][doc_id]))
        assert [part.term for part in explained.terms] == ["sweet", "love"]


@pytest.mark.parametrize("variant", IDF)
@settings(max_examples=40, deadline=None)
@given(documents=DOCUMENTS, query=QUERY, k1=st.floats(0, 3), b=st.floats(0, 1))
def test_every_variant_is_the_sum_of_its_terms(variant, documents, query, k1, b):
    index = build(documents, variant, k1=k1, b=b)
    oracle = BM25Oracle(documents, variant, k1, b)
    found = {hit.doc_id: hit.score for hit in index.search([query], len(documents))[0]}
    for doc, terms in enumerate(documents):
        explained = index.explain(query, str(doc))
        parts = oracle.parts(query, doc) if terms else []
        assert [part.score for part in explained.terms if part.tf] == parts
        assert all(part.score == 0 for part in explained.terms if not part.tf)
        assert added_up(explained.terms) == explained.score == found.get(str(doc), 0.0)
        assert explained.doc_length == len(terms)
        for part in explained.terms:
            assert (part.tf, part.df) == (terms.count(part.term), sum(part.term in other for other in documents))
            assert part.weight == part.idf == IDF[variant](len(documents), part.df)
            assert np.float32(part.score) == index.score([[part.term]], [[doc]])[0, 0]  # BM25 is additive


@settings(max_examples=40, deadline=None)
@given(documents=DOCUMENTS, query=QUERY)
def test_cosine_gives_the_weights_of_both_sides(documents, query):
    index, oracle = TfidfIndex.build(documents), TfidfOracle(documents)
    for doc in range(len(documents)):
        explained = index.explain(query, str(doc))
        assert [part.score for part in explained.terms if part.tf] == oracle.parts(query, doc)
        assert len({part.term for part in explained.terms}) == len(explained.terms)
        if any(part.weight for part in explained.terms):
            assert sum(part.weight**2 for part in explained.terms) == pytest.approx(1)


def test_query_weights_of_the_course():
    plain = Analyzer(stop_words=None, stemmer=None)
    index = TfidfIndex.build(GOLDEN["documents"].values(), GOLDEN["documents"], analyzer=plain)
    weights = {part.term: part.weight for part in index.explain(GOLDEN["query"], "d4").terms}
    assert weights == pytest.approx(GOLDEN["tfidf"]["query_weights"], abs=1e-6)


@pytest.mark.parametrize("variant", IDF)
def test_real_texts(variant):
    collection = load_collection(require("cranfield"))
    texts = [document.full_text for document in collection.corpus.values()]
    index = build(texts, variant, list(collection.corpus))
    queries = list(collection.queries.values())[:30]
    for query, hits in zip(queries, index.search(queries, 5), strict=True):
        assert hits
        for hit in hits:
            assert added_up(index.explain(query, hit.doc_id).terms) == hit.score
