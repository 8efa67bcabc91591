"""Every measure against trec_eval, ir-measures and its definition, on 2,000 random graded cases with all that goes wrong in runs."""

import logging
import re
import shutil
from fractions import Fraction

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

import measures_oracle as oracle
import twotower as tt
from twotower.evaluation import ALIASES, METRICS, parse_measure
from twotower.evaluation.parameters import parameters_of
from twotower.registry import resolve

pytestmark = pytest.mark.filterwarnings("ignore:ast:DeprecationWarning")  # of ir-measures, under newer Pythons
logging.getLogger("ir_measures").setLevel("ERROR")
logging.getLogger("ir_measures.cwl_eval").setLevel("ERROR")
# trec_eval's name, its level of relevance, whether unjudged documents are left out.
TREC = {
    "AP": ("map", 1, False), "AP@5": ("map_cut_5", 1, False), "AP(rel=2)@5": ("map_cut_5", 2, False), "P@5": ("P_5", 1, False),
    "P(rel=2)@100": ("P_100", 2, False), "R@5": ("recall_5", 1, False), "R(rel=2)@100": ("recall_100", 2, False),
    "RR": ("recip_rank", 1, False), "RR(rel=2)": ("recip_rank", 2, False), "nDCG": ("ndcg", 1, False), "nDCG@5": ("ndcg_cut_5", 1, False),
    "nDCG@10": ("ndcg_cut_10", 1, False), "Success@1": ("success_1", 1, False), "Success(rel=2)@5": ("success_5", 2, False),
    "Rprec": ("Rprec", 1, False), "Rprec(rel=2)": ("Rprec", 2, False), "Bpref": ("bpref", 1, False), "infAP": ("infAP", 1, False),
    "infAP(rel=2)": ("infAP", 2, False), "IPrec@0.0": ("iprec_at_recall_0.00", 1, False), "IPrec@0.1": ("iprec_at_recall_0.10", 1, False),
    "IPrec@0.5": ("iprec_at_recall_0.50", 1, False), "IPrec(rel=2)@1.0": ("iprec_at_recall_1.00", 2, False), "SetP": ("set_P", 1, False),
    "SetR": ("set_recall", 1, False), "SetR(rel=2)": ("set_recall", 2, False), "SetF": ("set_F", 1, False),
    "SetAP": ("set_map", 1, False), "SetP(relative=True)": ("set_relative_P", 1, False), "NumRet": ("num_ret", 1, False),
    "NumRet(rel=1)": ("num_rel_ret", 1, False), "NumRel": ("num_rel", 1, False), "NumQ": ("num_q", 1, False),
    "AP(judged_only=True)": ("map", 1, True), "AP(rel=2,judged_only=True)@5": ("map_cut_5", 2, True),
    "P(judged_only=True)@5": ("P_5", 1, True), "R(judged_only=True)@5": ("recall_5", 1, True),
    "RR(judged_only=True)": ("recip_rank", 1, True), "nDCG(judged_only=True)@5": ("ndcg_cut_5", 1, True),
    "Success(judged_only=True)@5": ("success_5", 1, True), "Rprec(judged_only=True)": ("Rprec", 1, True),
    "SetF(judged_only=True)": ("set_F", 1, True), "SetAP(judged_only=True)": ("set_map", 1, True),
}  # fmt: skip
FAMILIES = {"P", "recall", "map", "map_cut", "recip_rank", "ndcg", "ndcg_cut", "success", "Rprec", "bpref", "infAP", "iprec_at_recall",
            "set_P", "set_recall", "set_F", "set_map", "set_relative_P", "num_ret", "num_rel_ret", "num_rel", "num_q"}  # fmt: skip
# Measures that ir-measures computes elsewhere than in trec_eval, with the ties of a run in another order: compared without ties.
ELSEWHERE = ["RR@5", "RR(rel=2)@3", "Judged@5", "Judged", "Compat", "Compat(p=0.8,normalize=False)"]
CWL = ["RBP(p=0.8,rel=2)", "RBP(rel=1)", "BPM(max_rel=3)@7", "BPM(T=2.0,min_rel=1,max_rel=3)@7", "INST(max_rel=3)",
       "INST(T=2.5,max_rel=3)", "INSQ(T=2.0,max_rel=3)", "SDCG(max_rel=3)@6", "NERR8(max_rel=3)@6", "NERR9(max_rel=3)@6",
       "NERR10(p=0.7,max_rel=3)", "NERR11(max_rel=3)"]  # fmt: skip
DEFINED = {
    "RR@5": lambda r, j: oracle.rr(r, j, 5), "RR(rel=2)@3": lambda r, j: oracle.rr(r, j, 3, 2),
    "R_cap@3": lambda r, j: oracle.r_cap(r, j, 3), "R_cap(rel=2)@100": lambda r, j: oracle.r_cap(r, j, 100, 2),
    "Judged@5": lambda r, j: oracle.judged_share(r, j, 5), "Judged": oracle.judged_share,
    "hole@5": lambda r, j: oracle.hole(r, j, 5), "hole": oracle.hole,
    "Accuracy": oracle.accuracy, "Accuracy(rel=2)@6": lambda r, j: oracle.accuracy(r, j, 6, 2),
    "nDCG(dcg='exp-log2')@7": lambda r, j: oracle.ndcg(r, j, 7, oracle.exponential),
    "nDCG(dcg='exp-log2')": lambda r, j: oracle.ndcg(r, j, None, oracle.exponential),
    "nDCG(gains={0: 1, 2: 9, 3: 0})@5": lambda r, j: oracle.ndcg(r, j, 5, lambda grade: {0: 1, 2: 9, 3: 0}.get(grade, grade)),
    "ERR@7": lambda r, j: oracle.err(r, j, 7), "ERR(max_rel=3)": lambda r, j: oracle.err(r, j, None, 3),
    "nERR@7": lambda r, j: oracle.nerr(r, j, 7), "nERR": oracle.nerr,
    "RBP(p=0.8,rel=2)": lambda r, j: oracle.rbp(r, j, 0.8, 2), "RBP(p=0.95,rel=1)@4": lambda r, j: oracle.rbp(r, j, 0.95, 1, 4),
    "BPM(max_rel=3)@7": lambda r, j: oracle.bpm(r, j, 7),
    "BPM(T=2.0,min_rel=1,max_rel=3)@7": lambda r, j: oracle.bpm(r, j, 7, 2.0, 1),
    "INST(max_rel=3)": oracle.inst, "INSQ(T=2.0,max_rel=3)": lambda r, j: oracle.insq(r, j, 2.0),
    "SDCG(max_rel=3)@6": lambda r, j: oracle.sdcg(r, j, 6),
    "NERR8(max_rel=3)@6": lambda r, j: oracle.nerr_cwl(8, r, 6), "NERR9(max_rel=3)@6": lambda r, j: oracle.nerr_cwl(9, r, 6),
    "NERR10(p=0.7,max_rel=3)": lambda r, j: oracle.nerr_cwl(10, r, p=0.7), "NERR11(max_rel=3)": lambda r, j: oracle.nerr_cwl(11, r),
}  # fmt: skip


def case(rng, lowest=-1):
    """A run and judgements: ties, empty and missing lists, unjudged queries, nothing relevant, grades below 0, long and short lists."""
    run, qrels = {}, {}
    for query in range(rng.integers(1, 6)):
        query_id = f"q{query}"
        docs = [f"d{doc}" if doc % 7 else f"é漢{doc}" for doc in rng.permutation(40)]
        judged = rng.permutation(docs)[: rng.integers(1, 20)]
        grades = rng.integers(lowest, 1 if rng.random() < 0.1 else 4, len(judged))
        grades[0] = max(grades[0], 0)  # with grades below 0 alone pytrec_eval may never return
        qrels[query_id] = dict(zip(judged.tolist(), grades.tolist(), strict=True))
        if rng.random() < 0.15:
            continue
        n = int(rng.integers(0, 25))
        levels = rng.choice([3.0, 2.0, 2.0 + 1e-9, 1e-6, -1.0], n) if rng.random() < 0.6 else rng.standard_normal(n)
        run[query_id] = dict(zip(docs[:n], levels.tolist(), strict=True))
    if rng.random() < 0.3:
        run["unjudged"] = {"d1": 1.0}
    return run, qrels


def cases(seed, n, **options):
    rng = np.random.default_rng(seed)
    return [case(rng, **options) for _ in range(n)]


@pytest.mark.parametrize("seed", range(20))
def test_every_query_equals_trec_eval(seed):
    for run, qrels in cases(seed, 100):
        ours = tt.evaluate_queries(run, qrels, TREC)
        theirs = {
            key: pytrec_eval.RelevanceEvaluator(
                qrels, FAMILIES, relevance_level=key[0], judged_docs_only_flag=key[1]
            ).evaluate(
                {query_id: scores for query_id, scores in run.items() if scores}  # an empty list makes it divide by 0
            )
            for key in {(rel, judged_only) for _, rel, judged_only in TREC.values()}
        }
        for name, (trec_name, *key) in TREC.items():
            for query_id in qrels:
                expected = theirs[tuple(key)].get(query_id, {}).get(trec_name, 0.0)
                if name in ("NumRel", "NumQ") and query_id in run:  # of an empty list too
                    expected = sum(grade >= 1 for grade in qrels[query_id].values()) if name == "NumRel" else 1
                assert ours[name][query_id] == pytest.approx(expected, abs=1e-9), (name, run[query_id], qrels[query_id])


@pytest.mark.parametrize("seed", range(20))
def test_means_equal_those_of_ir_measures(seed):
    names = [*TREC, "nDCG(gains={0: 1, 2: 9, 3: 0})@5", "SetF(beta=0.5)", "MAP", "MRR", "NDCG@3", "Precision@3", "Recall@3", "BPref",
             "RPrec", "NumRelRet", "SetRelP"]  # fmt: skip
    asked = {name: ir_measures.parse_measure(name) for name in [*names, *ELSEWHERE]}
    for run, qrels in cases(seed, 100):
        answered = {query_id: scores for query_id, scores in run.items() if scores}
        untied = oracle.without_ties(answered)
        theirs = ir_measures.calc_aggregate([asked[name] for name in ELSEWHERE], qrels, untied)
        # Asked together, ir-measures computes NumRet and nDCG on what another measure's judged_only or gains left over.
        for part in ("judged_only", "gains", ""):
            together = [
                asked[name]
                for name in names
                if part in name and (part or not {"judged_only", "gains"} & set(re.findall(r"\w+", name)))
            ]
            theirs |= ir_measures.calc_aggregate(together, qrels, answered)
        ours = tt.evaluate(answered, qrels, asked)  # ties and all: one order for all measures
        for name, measure in asked.items():
            assert ours[name] == pytest.approx(theirs[measure], abs=1e-9), (name, run, qrels)


@pytest.mark.parametrize("seed", range(6))
def test_every_query_equals_the_definition(seed):
    for run, qrels in cases(100 + seed, 100):
        ours = tt.evaluate_queries(run, qrels, [*DEFINED, "Compat", "Compat(p=0.8,normalize=False)"])
        for query_id, judged in qrels.items():
            docs = oracle.trec_order(run.get(query_id, {}))
            ranked = [judged.get(doc) for doc in docs]
            for name, definition in DEFINED.items():
                expected = definition(ranked, list(judged.values())) if query_id in run else 0.0
                assert ours[name][query_id] == pytest.approx(expected, abs=1e-9), (name, ranked, judged)
            for name, options in (("Compat", {}), ("Compat(p=0.8,normalize=False)", {"p": 0.8, "normalize": False})):
                expected = oracle.compat(docs, judged, **options) if query_id in run else 0.0
                assert ours[name][query_id] == pytest.approx(expected, abs=1e-9), (name, ranked, judged)


@pytest.mark.skipif(shutil.which("perl") is None, reason="gdeval is a Perl script, and Perl is absent")
@pytest.mark.parametrize("seed", range(5))
def test_exponential_gains_and_err_equal_gdeval(seed):
    rng = np.random.default_rng(seed)
    run, qrels = {}, {}
    for number in range(20):  # gdeval wants numbers as query ids
        (some, judged), *_ = [case(rng, lowest=-2)]
        run[str(number)], qrels[str(number)] = next(iter(some.values()), {"d1": 1.0}), judged["q0"]
    names = ["nDCG(dcg='exp-log2')@5", "ERR@5", "nDCG(dcg='exp-log2')@20", "ERR@20"]
    asked = {name: ir_measures.parse_measure(name) for name in names}
    ours = tt.evaluate_queries(run, qrels, names)
    listed = {query_id: scores for query_id, scores in oracle.without_ties(run).items() if scores}
    for metric in ir_measures.gdeval.iter_calc(asked.values(), qrels, listed):
        name = next(name for name, measure in asked.items() if measure == metric.measure)
        assert ours[name][metric.query_id] == pytest.approx(metric.value, abs=1.1e-5)  # it prints five places


def test_user_models_equal_cwl_eval():
    pytest.importorskip("cwl", reason="the peer cwl-eval is absent: pip install cwl-eval")
    asked = {name: ir_measures.parse_measure(name) for name in CWL}
    for run, qrels in cases(7, 150):
        untied = {query_id: scores for query_id, scores in oracle.without_ties(run).items() if scores}
        ours = tt.evaluate(untied, qrels, CWL)
        theirs = ir_measures.cwl_eval.calc_aggregate(asked.values(), qrels, untied)
        for name, measure in asked.items():
            assert ours[name] == pytest.approx(theirs[measure], abs=1e-9), (name, run, qrels)


def test_accuracy_equals_ir_measures_where_that_has_a_value():
    """It leaves out queries without a relevant document in the list, and divides by 0 where there is no other."""
    measures = [ir_measures.parse_measure(name) for name in ("Accuracy", "Accuracy@7", "Accuracy(rel=2)@12")]
    compared = 0
    for run, qrels in cases(8, 200):
        untied = oracle.without_ties(run)
        ours = tt.evaluate_queries(untied, qrels, list(map(str, measures)))
        for query_id in untied.keys() & qrels.keys():
            for measure in measures:
                try:
                    found = list(ir_measures.accuracy.iter_calc([measure], qrels, {query_id: untied[query_id]}))
                except ZeroDivisionError:
                    continue
                for metric in found:
                    compared += 1
                    assert ours[str(measure)][query_id] == pytest.approx(metric.value, abs=1e-9)
    assert compared > 300


def test_the_course_example():
    letters = "RNRNRRNRNN"
    run = {"q": {f"d{i}": 10.0 - i for i in range(10)}}
    qrels = {
        "q": {f"d{i}": int(letter == "R") for i, letter in enumerate(letters)} | {f"missed{i}": 1 for i in range(4)}
    }
    names = ["AP", "R@10", "RR", "nDCG@10", "Rprec", "R_cap@3", "IPrec@0.5", "SetF", "Judged@10", "hole@10"]
    values = tt.evaluate(run, qrels, [*names, *(f"P@{k}" for k in range(1, 11))])
    assert values["AP"] == pytest.approx(0.395370, abs=1e-6)
    assert values["nDCG@10"] == pytest.approx(0.601370, abs=1e-6)
    assert values["R@10"] == 5 / 9
    assert values["RR"] == 1
    assert [values[f"P@{k}"] for k in range(1, 11)] == [
        float(Fraction(letters[:k].count("R"), k)) for k in range(1, 11)
    ]
    assert values["Rprec"] == 5 / 9  # nine are relevant: the first nine places
    assert values["R_cap@3"] == 2 / 3
    assert values["IPrec@0.5"] == 5 / 8  # .5 * 9 + .9 makes five documents; the fifth stands at place 8
    assert values["SetF"] == pytest.approx(2 * 0.5 * (5 / 9) / (0.5 + 5 / 9))
    assert values["Judged@10"] == 1
    assert values["hole@10"] == 0


def full_name(metric, k=5):
    """A name that gives every needed parameter."""
    parameters = parameters_of(resolve(METRICS, metric, "metric"))
    needed = [name for name, spec in parameters.items() if spec.default is spec.empty]
    inside = ",".join(f"{name}={value}" for name, value in (("rel", 1), ("max_rel", 3)) if name in needed)
    at = f"@{k}" if "k" in parameters else "@0.3" if "recall" in parameters else ""
    return f"{metric}({inside}){at}" if inside else f"{metric}{at}"


@pytest.mark.parametrize("metric", [metric for metric in METRICS if not metric.startswith("Num")])
def test_every_metric_lies_between_zero_and_one_and_is_best_for_the_ideal_list(metric):
    name = full_name(metric)
    rng = np.random.default_rng(0)
    for _ in range(50):
        qrels = {"q": {f"d{i}": int(grade) for i, grade in enumerate(rng.integers(0, 4, 8))}}
        scores = {f"d{i}": float(score) for i, score in enumerate(rng.integers(0, 4, 8))}
        got = tt.evaluate({"q": scores}, qrels, [name])[name]
        ideal = tt.evaluate({"q": {d: float(g) for d, g in qrels["q"].items()}}, qrels, [name])[name]
        assert 0 <= got <= 1
        if metric not in (
            "BPM",
            "INST",
            "NERR8",
            "NERR9",
            "NERR10",
            "NERR11",
        ):  # there a satisfied user stops, and looks at less
            assert got <= ideal + 1e-12


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("run", [{}, {"q": {}}, {"q": {"stranger": 1.0}}, {"other": {"d": 1.0}}])
@pytest.mark.parametrize("judged", [{"d": 1}, {"d": 0}, {"d": -1, "e": -3}, {}])
def test_every_metric_has_a_finite_value_for_poor_input(metric, run, judged):
    value = tt.evaluate(run, {"q": judged}, [full_name(metric)])[full_name(metric)]
    assert np.isfinite(value)
    if "q" not in run:
        assert value == 0  # a judged query that the run lacks


def test_counts_are_added_up_and_others_averaged():
    run, qrels = (
        {"a": {"x": 1.0, "y": 2.0}, "b": {"x": 1.0}},
        {"a": {"x": 1, "z": 2}, "b": {"x": 1}, "missing": {"x": 1}},
    )
    assert tt.evaluate(run, qrels, ["NumQ", "NumRet", "NumRelRet", "NumRel", "P@1"]) == {
        "NumQ": 2, "NumRet": 3, "NumRelRet": 2, "NumRel": 3, "P@1": pytest.approx(1 / 3),
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_better_place_for_a_relevant_document_never_hurts(data):
    grades = data.draw(st.lists(st.integers(0, 3), min_size=2, max_size=10))
    at = data.draw(st.integers(1, len(grades) - 1))
    swapped = [*grades[: at - 1], grades[at], grades[at - 1], *grades[at + 1 :]]
    before, after = (
        tt.evaluate(
            {"q": {f"d{i}": float(-i) for i in range(len(grades))}},
            {"q": {f"d{i}": grade for i, grade in enumerate(order)}},
            ["nDCG", "nDCG@3", "nDCG(dcg='exp-log2')@3", "ERR", "SDCG(max_rel=3)@3", "INSQ(max_rel=3)"],
        )
        for order in (grades, swapped)
    )
    better = grades[at] >= grades[at - 1]
    for name, value in before.items():
        assert (after[name] >= value - 1e-12) if better else (after[name] <= value + 1e-12), name


def test_names_round_trip_with_ir_measures():
    """What ir-measures prints for its own measures is read here, with the same parameters."""
    for metric in sorted(set(METRICS) & set(ir_measures.measures.registry)):
        name = full_name(metric)
        printed = str(ir_measures.parse_measure(name))
        assert parse_measure(printed).metric == metric
        values = tt.evaluate({"q": {"d": 1.0}}, {"q": {"d": 1}}, [printed, name])
        assert values[printed] == values[name]


def test_what_is_left_out_of_ir_measures_needs_subtopics():
    absent = set(ir_measures.measures.registry) - set(METRICS) - set(ALIASES)
    assert absent == {
        "alpha_DCG", "α_DCG", "alpha_nDCG", "α_nDCG", "ERR_IA", "nERR_IA", "NRBP", "nNRBP", "AP_IA", "MAP_IA", "P_IA", "StRecall",
    }  # fmt: skip
