"""Measures against trec_eval (through pytrec_eval) and against values worked by hand."""

from fractions import Fraction

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

import twotower as tt
from twotower.errors import InputTypeError, InvalidInputError

TREC = {
    "P@5": "P_5", "P@10": "P_10", "R@5": "recall_5", "R@100": "recall_100", "AP": "map", "AP@5": "map_cut_5", "RR": "recip_rank",
    "nDCG": "ndcg", "nDCG@5": "ndcg_cut_5", "nDCG@10": "ndcg_cut_10", "Success@1": "success_1", "Success@5": "success_5",
}  # fmt: skip
ASKED = {"P", "recall", "map", "map_cut", "recip_rank", "ndcg", "ndcg_cut", "success"}
# The course's list: relevant, not, relevant, not, relevant, relevant, not, relevant, not, not; nine relevant documents exist.
LIST = "RNRNRRNRNN"
RUN = {"q": {f"d{i}": 10.0 - i for i in range(10)}}
QRELS = {"q": {f"d{i}": int(letter == "R") for i, letter in enumerate(LIST)} | {f"missed{i}": 1 for i in range(4)}}


def assert_equals_trec_eval(run, qrels):
    ours = tt.evaluate_queries(run, qrels, list(TREC))
    theirs = pytrec_eval.RelevanceEvaluator(qrels, ASKED).evaluate(run)
    for query_id in qrels:
        for name, trec_name in TREC.items():
            expected = theirs[query_id][trec_name] if query_id in run else 0.0
            assert ours[name][query_id] == pytest.approx(expected, abs=1e-9), (query_id, name, run, qrels)


doc_ids = st.text("ab1é漢", min_size=1, max_size=3)
scores = st.one_of(st.integers(-3, 3).map(float), st.floats(-10, 10), st.sampled_from([1.0, 1.0 + 1e-9, 1.0 + 1e-7]))

# pytrec_eval reads memory that it never wrote, and may never return, for a query that has only grades below 0.
judgements = st.dictionaries(doc_ids, st.integers(-1, 3), min_size=1, max_size=12).filter(
    lambda judged: max(judged.values()) >= 0
)


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(st.sampled_from("pqrs"), st.dictionaries(doc_ids, scores, max_size=12), max_size=4),
    st.dictionaries(
        st.sampled_from("pqrs"), judgements, min_size=1, max_size=4
    ),
)  # fmt: skip
def test_equals_trec_eval_on_small_lists_with_ties(run, qrels):
    assert_equals_trec_eval(run, qrels)


@pytest.mark.parametrize("seed", range(20))
def test_equals_trec_eval_on_long_lists(seed):
    rng = np.random.default_rng(seed)
    run, qrels = {}, {}
    for query in range(25):
        docs = rng.permutation(400)[: rng.integers(0, 300)]
        run[f"q{query}"] = {
            f"d{d}": float(s) for d, s in zip(docs, rng.choice(rng.standard_normal(50), len(docs)), strict=True)
        }
        qrels[f"q{query}"] = {
            f"d{d}": int(rng.integers(-1, 4)) for d in rng.permutation(400)[: rng.integers(1, 60)]
        } | {"d400": 1}
    del run["q3"]
    assert_equals_trec_eval(run, qrels)


@pytest.mark.parametrize("rel", [1, 2, 3])
def test_equals_trec_eval_at_other_levels_of_relevance(rel):
    rng = np.random.default_rng(rel)
    run = {f"q{q}": {f"d{d}": float(rng.integers(0, 9)) for d in range(40)} for q in range(20)}
    qrels = {f"q{q}": {f"d{d}": int(rng.integers(-2, 5)) for d in rng.permutation(60)[:30]} for q in range(20)}
    names = {
        f"P(rel={rel})@5": "P_5",
        f"R(rel={rel})@5": "recall_5",
        f"AP(rel={rel})": "map",
        f"RR(rel={rel})": "recip_rank",
    }
    ours = tt.evaluate_queries(run, qrels, names)
    theirs = pytrec_eval.RelevanceEvaluator(qrels, ASKED, relevance_level=rel).evaluate(run)
    for name, trec_name in names.items():
        assert ours[name] == pytest.approx({q: values[trec_name] for q, values in theirs.items()}, abs=1e-9)


def test_scores_that_float32_cannot_tell_apart_are_ties():
    """trec_eval's order: float32 scores, then doc_id descending by its bytes."""
    huge, tiny = 1e300, 1e-60
    for scores, second in [((1.0 + 1e-9, 1.0), True), ((1.0 + 1e-6, 1.0), False), ((huge * 2, huge), True), ((tiny, 0.0), True),
                           ((0.0, -0.0), True), ((float("inf"), huge), True), ((-huge, -np.inf), True)]:  # fmt: skip
        run, qrels = {"q": {"a": scores[0], "é": scores[1]}}, {"q": {"a": 1}}
        assert tt.evaluate(run, qrels, ["RR"])["RR"] == (0.5 if second else 1.0), scores
        assert_equals_trec_eval(run, qrels)


def test_many_documents_tied_with_judged_ones():
    rng = np.random.default_rng(0)
    run = {"q": {f"d{d}": float(rng.integers(0, 2)) for d in range(3000)}}
    assert_equals_trec_eval(run, {"q": {f"d{d}": int(rng.integers(0, 4)) for d in rng.permutation(4000)[:400]}})


def test_the_course_example():
    values = tt.evaluate(RUN, QRELS, ["AP", "R@10", "RR", "nDCG@10", *(f"P@{k}" for k in range(1, 11))])
    assert values["AP"] == pytest.approx(0.395370, abs=1e-6)
    assert values["R@10"] == pytest.approx(5 / 9)
    assert values["RR"] == 1
    assert values["nDCG@10"] == pytest.approx(0.601370, abs=1e-6)
    exact = [Fraction(LIST[:k].count("R"), k) for k in range(1, 11)]
    assert exact[2] == Fraction(2, 3)  # the course prints .66, and .57, .63, .55 for the next: truncated
    assert [values[f"P@{k}"] for k in range(1, 11)] == [float(share) for share in exact]


def test_the_course_divides_average_precision_by_what_was_retrieved():
    assert tt.evaluate(RUN, QRELS, ["AP"], denominator="retrieved")["AP"] == pytest.approx(0.711667, abs=1e-6)


def test_rel_sets_the_lowest_relevant_grade():
    run, qrels = {"q": {"a": 3.0, "b": 2.0, "c": 1.0}}, {"q": {"a": 1, "b": 2, "c": 3, "d": 2}}
    values = tt.evaluate(run, qrels, ["P(rel=2)@2", "RR(rel=2)", "R(rel=2)@3", "Success(rel=3)@2", "AP(rel=3)"])
    assert values == {
        "P(rel=2)@2": 0.5,
        "RR(rel=2)": 0.5,
        "R(rel=2)@3": 2 / 3,
        "Success(rel=3)@2": 0.0,
        "AP(rel=3)": 1 / 3,
    }


def test_means_count_a_judged_query_missing_from_the_run_as_zero():
    qrels = {"q": {"a": 1}, "missing": {"a": 1}, "nothing relevant": {"a": 0}}
    run = {"q": {"a": 1.0}, "not judged": {"a": 1.0}}
    assert tt.evaluate(run, qrels, ["RR", "AP", "nDCG@10"]) == {"RR": 1 / 3, "AP": 1 / 3, "nDCG@10": 1 / 3}
    assert list(tt.evaluate_queries(run, qrels, ["RR"])["RR"]) == list(qrels)


def test_a_query_with_grades_below_zero_alone_counts_zero():
    assert set(tt.evaluate({"q": {"a": 1.0}}, {"q": {"a": -1, "b": -2}}, list(TREC)).values()) == {0.0}


def test_an_empty_run_scores_zero():
    assert set(tt.evaluate({}, QRELS, list(TREC)).values()) == {0.0}


@pytest.mark.parametrize(
    ("name", "said"),
    [("ndcg@10", "nDCG"), ("P", "cut-off"), ("P@0", "P@0"), ("R@-1", "R@-1"), ("P(rel=0)@5", "rel"), ("AP@", "AP@"), ("", "nDCG@10")],
)  # fmt: skip
def test_a_wrong_measure_is_refused(name, said):
    with pytest.raises(InvalidInputError, match=said):
        tt.evaluate(RUN, QRELS, [name])


def test_wrong_input_is_refused():
    with pytest.raises(InvalidInputError, match=r"'q'.*'d'.*NaN"):
        tt.evaluate({"q": {"d": float("nan")}}, QRELS, ["AP"])
    for value in (None, "high", [1.0]):
        with pytest.raises(InputTypeError, match=r"'q'.*not a number"):
            tt.evaluate({"q": {"d": value}}, QRELS, ["AP"])
    with pytest.raises(InputTypeError, match=r"'q'.*'d'.*0.5.*integer"):
        tt.evaluate(RUN, {"q": {"c": 1, "d": 0.5}}, ["AP"])
    with pytest.raises(InvalidInputError, match="relevant, retrieved"):
        tt.evaluate(RUN, QRELS, ["AP"], denominator="both")
    with pytest.raises(InputTypeError, match="list"):
        tt.evaluate(RUN, QRELS, "AP")
    with pytest.raises(InputTypeError, match="int"):
        tt.evaluate(RUN, QRELS, [10])
    with pytest.raises(InvalidInputError, match="no query"):
        tt.evaluate(RUN, {}, ["AP"])
