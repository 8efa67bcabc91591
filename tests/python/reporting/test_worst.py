"""The worst queries: which, what they found and missed, and whether the reasons are true."""

import json

import pytest

from twotower.index import BM25Index
from twotower.reporting import report
from twotower.types import Collection, Document

FIRST = "first <i>$x$</i>"


def worst_of(page, name):
    return {query.query_id: query for run in page.figures.runs if run.name == name for query in run.worst}


def test_order_hits_and_misses(collection, runs):
    page = report(runs, collection, measures=["nDCG@10"])
    second = worst_of(page, "second")
    assert list(second) == ["q3", "q2", "q1"]  # q3 and q2 are 0; on q3 the other run has 1; q4 has nothing relevant
    query = second["q2"]
    assert [(hit.doc_id, hit.place, hit.grade, hit.known) for hit in query.hits] == [
        ("d3", 1, None, True),
        ("gone", 2, None, False),
    ]
    assert [(one.doc_id, one.place, one.relevant) for one in query.missed] == [("d5", None, True), ("d1", None, True)]
    assert (query.n_relevant, query.n_missed, query.n_listed) == (2, 2, 2)
    assert query.values == {"second": 0.0, FIRST: pytest.approx(0.6131, abs=1e-4)}
    assert second["q3"].hits == []
    assert worst_of(page, FIRST)["q1"].hits[0].grade == 0


def test_the_cut_off_of_the_measure_says_what_is_missed(collection, runs):
    assert worst_of(report(runs, collection, measures=["RR@1"]), FIRST)["q1"].n_missed == 1
    assert worst_of(report(runs, collection, measures=["RR"]), FIRST)["q1"].n_missed == 0


def test_grades_below_rel_are_not_relevant(collection, runs):
    page = report(runs, collection, measures=["nDCG(rel=2)@10"])
    assert (page.figures.rel, page.figures.n_relevant, page.figures.n_hopeless) == (2, 1, 3)
    assert list(worst_of(page, "second")) == ["q1"]


def test_reasons_are_those_of_bm25(collection, runs):
    index = BM25Index.build([d.full_text for d in collection.corpus.values()], list(collection.corpus))
    reason = worst_of(report(runs, collection), FIRST)["q2"].reason
    assert not reason.exact
    assert {"aircraft", "aerofoil"} <= {row.term for row in reason.terms}
    for place, one in enumerate(reason.documents):
        explained = index.explain(collection.queries["q2"], one.doc_id)
        assert one.score == explained.score == pytest.approx(sum(row.parts[place] for row in reason.terms), rel=1e-6)
        assert one.length == explained.doc_length
    [gap] = [gap for gap in reason.gaps if gap.doc_id == "d5"]
    assert "aircraft" in gap.lacks
    assert gap.shared == 1
    [push] = [push for push in reason.pushes if push.missed == "d5"]
    assert push.hit == "d3"
    assert push.ahead == pytest.approx(index.explain(collection.queries["q2"], "d3").score - index.explain(
        collection.queries["q2"], "d5").score, rel=1e-5)  # fmt: skip
    assert all(gain > 0 for _, gain in push.gains)


def test_terms_that_no_document_has(collection, runs):
    collection.qrels["test"]["q4"] = {"d3": 1}
    reason = worst_of(report({"none": {"q4": {"d1": 1.0}}}, collection), "none")["q4"].reason
    assert reason.unknown == ["unheard", "word"]
    assert reason.gaps[0].shared == 0


def test_a_repeated_term_is_one_row():
    corpus = {"a": Document("salt and pepper"), "b": Document("salt"), "c": Document("sugar")}
    collection = Collection("spice", corpus, {"q": "salt salt pepper"}, {"test": {"q": {"a": 1}}})
    [query] = report({"bad": {"q": {"b": 1.0}}}, collection).figures.runs[0].worst
    assert [(row.term, row.times) for row in query.reason.terms] == [("salt", 2), ("pepper", 1)]
    for place, one in enumerate(query.reason.documents):
        assert one.score == pytest.approx(sum(row.parts[place] for row in query.reason.terms), rel=1e-6)


def test_a_bm25_run_is_known_by_its_scores(collection):
    index = BM25Index.build([d.full_text for d in collection.corpus.values()], list(collection.corpus))
    queries = collection.queries
    run = index.search(list(queries.values()), k=2).to_run(list(queries))
    other = {q: {d: 2 * score for d, score in scores.items()} for q, scores in run.items()}
    page = report({"lexical": run, "bm25": other}, collection, measures=["RR@1"])
    assert all(query.reason.exact for query in worst_of(page, "lexical").values() if query.hits and query.n_missed)
    assert not any(query.reason.exact for query in worst_of(page, "bm25").values() if query.reason)
    assert any(query.reason for query in worst_of(page, "bm25").values())


def test_query_terms_are_marked(collection, runs):
    [shown] = [hit for hit in worst_of(report(runs, collection), FIRST)["q1"].hits if hit.doc_id == "d1"]
    assert shown.snippet == [("the", False), ("wing", True), ("of an aircraft in supersonic", False), ("flow", True)]


def test_without_a_collection_there_are_ids_alone(collection, runs):
    page = report(runs, collection.qrels["test"])
    query = worst_of(page, FIRST)["q1"]
    assert (query.text, query.reason, query.hits[0].snippet) == (None, None, [])
    assert page.figures.fingerprint is None


def test_differences_are_those_of_the_values(collection, runs):
    figures = report(runs, collection, measures=["RR"], worst=2).figures
    [found] = figures.differences
    assert (found.better, found.worse, found.equal) == (1, 2, 1)
    assert [round(bar, 4) for bar in found.bars] == [0.5, 0.0, -1.0, -1.0]
    assert [one.query_id for one in found.wins] == ["q1"]
    assert {one.query_id for one in found.losses} == {"q2", "q3"}
    assert figures.comparison.differences[0].difference == pytest.approx(sum(found.bars) / 4)


def test_figures_are_json(collection, runs):
    figures = report(runs, collection).figures
    assert json.loads(json.dumps(figures.to_dict(), allow_nan=False))["runs"][0]["name"] == FIRST
