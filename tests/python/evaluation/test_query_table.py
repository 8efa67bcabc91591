"""Tables by query: what stands in them, in CSV and in Markdown."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twotower as tt
from twotower.errors import InvalidInputError
from twotower.evaluation import METRICS, parse_measure
from twotower.evaluation.query_table import write_csv

RUN = {"a|b": {"x": 2.0, "y": 1.0}, "q": {"x": 1.0}, "extra": {"x": 1.0}}
QRELS = {"a|b": {"y": 1}, "q": {"x": 1}, "missing": {"x": 1}}


def test_what_stands_in_a_table():
    table = tt.evaluate_table(RUN, QRELS, ["RR", "NumRet"])
    assert list(table.query_ids) == list(QRELS)
    assert table.values.tolist() == [[0.5, 2], [1, 1], [0, 0]]
    assert table.column("RR").tolist() == [0.5, 1, 0]
    assert table.means() == {"RR": 0.5, "NumRet": 3}
    assert (table.n_missing, table.warnings, len(table)) == (1, (), 3)
    assert list(table.rows())[1] == ("q", [1.0, 1.0])
    with pytest.raises(InvalidInputError, match="RR, NumRet"):
        table.column("AP")


def test_markdown():
    table = tt.evaluate_table(RUN, QRELS, ["RR"])
    assert table.to_markdown() == (
        "| query | RR |\n|---|---|\n| a\\|b | 0.5000 |\n| q | 1.0000 |\n| missing | 0.0000 |\n| **all 3** | 0.5000 |"
    )
    assert "| ... 2 more |" in table.to_markdown(limit=1)


IDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(IDS, st.dictionaries(IDS, st.integers(0, 3), max_size=3), min_size=1, max_size=5))
def test_csv_reads_back_exactly(tmp_path_factory, qrels):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    run = {query_id: dict.fromkeys(judged, 1.0) | {"other": 2.0} for query_id, judged in qrels.items()}
    table = tt.evaluate_table(run, qrels, ["AP", "nDCG"])
    table.to_csv(path)
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["query_id", "AP", "nDCG"]
    assert [row[0] for row in rows] == list(qrels)
    assert (np.array([[float(value) for value in row[1:]] for row in rows]) == table.values).all()


def test_tables_of_different_queries_do_not_stand_side_by_side(tmp_path):
    for other in ({"q": {"x": 1}}, {"x": {"x": 1}, "y": {"x": 1}, "z": {"x": 1}}):
        tables = {"one": tt.evaluate_table(RUN, QRELS, ["RR"]), "two": tt.evaluate_table(RUN, other, ["RR"])}
        with pytest.raises(InvalidInputError, match="different queries"):
            write_csv(tables, tmp_path / "t.csv")


def test_signs_that_run_and_judgements_do_not_belong_together():
    assert "no query" in tt.evaluate_table({"1": {"x": 1.0}}, QRELS, ["RR"]).warnings[0]
    assert "none of the judged documents" in tt.evaluate_table({"q": {"z": 1.0}}, QRELS, ["RR"]).warnings[0]
    assert "empty" in tt.evaluate_table({}, QRELS, ["RR"]).warnings[0]
    assert tt.evaluate_table({}, {}, ["RR"]).warnings == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nDCG(dcg='log10')@10", r"dcg is 'log10', but must be 'log2' or 'exp-log2': nDCG takes @k \(an integer from 1\)"),
        ("nDCG(base=2)@10", r"nDCG has no parameter 'base': nDCG takes @k"),
        ("P", r"needs a cut-off, such as P@10: P takes @k \(an integer from 1, needed\)"),
        ("P@2.5", r"k is 2.5, but must be an integer from 1"),
        ("P(rel=True)@5", r"rel is True, but must be a grade from 1"),
        ("IPrec@1.5", r"recall is 1.5, but must be a number from 0 to 1"),
        ("RBP(p=1.0,rel=1)", r"p is 1.0, but must be a number between 0 and 1"),
        ("RBP(p=0.8)", r"needs rel: RBP takes @k"),
        ("INST", r"needs max_rel"),
        ("INST(min_rel=3,max_rel=2)", r"min_rel=3 must be below max_rel=2"),
        ("Bpref@5", r"Bpref takes nothing behind @: Bpref takes rel"),
        ("NumQ(rel=1)", r"NumQ takes no parameter"),
        ("AP(judged_only='yes')", r"judged_only is 'yes', but must be True or False"),
        ("nDCG(gains=[1])@5", r"gains is \[1\]"),
        ("alpha_nDCG@10", r"unknown metric 'alpha_nDCG': choose one of .*nDCG"),
        ("P(5)", "write METRIC"), ("P@5@5", "write METRIC"), ("P.x@5", "write METRIC"), ("P(rel=__import__('os'))@5", "write METRIC"),
        ("P" * 1000, "write METRIC"), ("(" * 200, "write METRIC"), ("P@k", "write METRIC"), ("P@5\nR@5", "write METRIC"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_refused_and_says_what_the_metric_takes(name, said):
    with pytest.raises(InvalidInputError, match=said):
        tt.evaluate(RUN, QRELS, [name])


def test_grades_beyond_a_scale_are_refused():
    with pytest.raises(InvalidInputError, match="grade of 5 is above max_rel=4"):
        tt.evaluate({"q": {"d": 1.0}}, {"q": {"d": 5}}, ["ERR"])
    with pytest.raises(InvalidInputError, match="too large"):
        tt.evaluate({"q": {"d": 1.0}}, {"q": {"d": 5000}}, ["nDCG(dcg='exp-log2')"])
    assert tt.evaluate({"q": {"d": 1.0}}, {"q": {"d": 5}}, ["ERR(max_rel=5)"]) == {"ERR(max_rel=5)": 31 / 32}


def test_notation_of_ir_measures():
    assert parse_measure("nDCG(dcg='exp-log2')@10").parameters == {"dcg": "exp-log2", "k": 10}
    assert parse_measure("AP(cutoff=5)").k == 5
    assert parse_measure("SetRelP(rel=2)").parameters == {"relative": True, "rel": 2}
    assert parse_measure(" IPrec(rel=2) @ 0.1 ").parameters == {"rel": 2, "recall": 0.1}
    assert "nDCG" in METRICS
