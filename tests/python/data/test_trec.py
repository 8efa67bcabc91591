"""TREC runs and judgements: what is written reads back exactly, in an order that `trec_eval` shares on request."""

import math
from itertools import pairwise

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

import twotower as tt
from real_data import require
from twotower.errors import DataFormatError, FileError, InvalidInputError

IDS = st.text(st.characters(codec="utf-8", exclude_characters=" \t\n\r\f\v\0"), min_size=1, max_size=5)
MAX = float(np.finfo(np.float32).max)
SCORES = st.floats(-MAX, MAX) | st.sampled_from([0.0, 0.5, 1.0])
RUNS = st.dictionaries(IDS, st.dictionaries(IDS, SCORES, min_size=1, max_size=8), max_size=4)
QRELS = st.dictionaries(IDS, st.dictionaries(IDS, st.integers(-2, 4), min_size=1, max_size=5), max_size=4)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("trec") / "file.trec"


@given(run=RUNS)
def test_a_run_reads_back_exactly_best_first(run, path):
    tt.write_run(run, path)
    back = tt.read_run(path)
    assert back == run
    assert list(back) == list(run)
    for query_id, scores in back.items():
        stable = sorted(run[query_id], key=run[query_id].get, reverse=True)
        assert list(scores) == stable


@given(qrels=QRELS)
def test_judgements_read_back(qrels, path):
    tt.write_qrels(qrels, path)
    assert tt.read_qrels(path) == qrels


@given(st.dictionaries(IDS, st.sampled_from([3.0, 2.0, 1.0 + 1e-12, 1.0, 0.0]), min_size=1, max_size=9))
def test_strictly_decreasing_scores_give_trec_eval_our_order(path, scores):
    tt.write_run({"q": scores}, path, strictly_decreasing=True)
    written = tt.read_run(path)["q"]
    assert list(written) == sorted(scores, key=lambda d: -scores[d])
    values = list(written.values())
    assert all(float(np.float32(value)) == value for value in values)
    assert all(b < a for a, b in pairwise(values))
    np.testing.assert_allclose(values, sorted(scores.values(), reverse=True), rtol=1e-5, atol=1e-40)


def test_ties_in_trec_eval_itself(path):
    tied = {"q": {"a": 1.0, "b": 1.0}}
    oracle = pytrec_eval.RelevanceEvaluator({"q": {"a": 1}}, {"recip_rank"})
    tt.write_run(tied, path)
    assert oracle.evaluate(tt.read_run(path))["q"]["recip_rank"] == 0.5  # document ids descending
    tt.write_run(tied, path, strictly_decreasing=True)
    assert oracle.evaluate(tt.read_run(path))["q"]["recip_rank"] == 1.0


def test_the_lines_themselves(path):
    tt.write_run({"7": {"x": 0.1, "y": np.float32(2.5)}, "3": {"z": 1}}, path, tag="bm25")
    assert path.read_text() == "7 Q0 y 1 2.5 bm25\n7 Q0 x 2 0.1 bm25\n3 Q0 z 1 1.0 bm25\n"
    tt.write_qrels({"7": {"x": 2, "y": 0}, "8": {}}, path)
    assert path.read_text() == "7 0 x 2\n7 0 y 0\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q Q0 a 1 2.0 t\nq Q0 a 2 1.0 t\n", r"file\.trec, line 2: document 'a' comes twice for query 'q'"),
        ("q Q0 a 1 nan t\n", r"line 1: score 'nan' must be a finite number"),
        ("q Q0 a 1 1_0 t\n", r"line 1: score '1_0' must be a finite number"),
        ("\nq Q0 a 1 2.0\n", r"line 2: must have 6 fields \(query Q0 document rank score tag\), got 5"),
    ],
)
def test_a_bad_line_of_a_run_is_named(path, content, message):
    path.write_text(content)
    with pytest.raises(DataFormatError, match=message):
        tt.read_run(path)


def test_bad_judgements_are_named(path):
    path.write_text("q 0 a 1\nq 0 a 0\n")
    with pytest.raises(DataFormatError, match=r"line 2: query 'q' and document 'a' have grade 0, but 1 at .*line 1"):
        tt.read_qrels(path)
    path.write_text("q 0 a high\n")
    with pytest.raises(DataFormatError, match="grade 'high' must be an integer"):
        tt.read_qrels(path)
    path.write_bytes(b"q 0 \xc3 1\n")
    with pytest.raises(DataFormatError, match=r"line 1, byte 5: invalid UTF-8 \(0xc3\)"):
        tt.read_qrels(path)


def test_any_blanks_and_windows_line_ends_are_read(path):
    path.write_bytes(b"q  Q0\ta 1   2e1 t\r\n\r\n q Q0 b 2 1 t")
    assert tt.read_run(path) == {"q": {"a": 20.0, "b": 1.0}}


@pytest.mark.parametrize("word", ["", "a b", "a\tb", "a\n", "\ud800"])
def test_ids_that_cannot_stand_in_a_line_are_refused(path, word):
    for run in ({word: {"d": 1.0}}, {"q": {word: 1.0}}):
        with pytest.raises(InvalidInputError, match="_id"):
            tt.write_run(run, path)
        with pytest.raises(InvalidInputError, match="_id"):
            tt.write_qrels(run, path)
    with pytest.raises(InvalidInputError, match="tag"):
        tt.write_run({}, path, tag=word)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, 1e39])
def test_scores_that_no_reader_takes_are_refused(path, score):
    path.write_text("what was there")
    with pytest.raises(InvalidInputError, match="query 'q', document 'd': score"):
        tt.write_run({"q": {"d": score}}, path)
    assert path.read_text() == "what was there"


def test_a_missing_file_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match="nowhere"):
        tt.read_run(tmp_path / "nowhere")


@pytest.mark.data
def test_real_judgements_of_both_kinds(path):
    file = require("msmarco-passage-32k") / "qrels" / "dl19.tsv"
    qrels = tt.read_qrels(file)
    assert len(qrels) == 43
    tt.write_qrels(qrels, path)
    assert tt.read_qrels(path) == qrels


def test_a_byte_order_mark_is_no_part_of_the_first_id(tmp_path):
    run, qrels = tmp_path / "run.trec", tmp_path / "qrels.txt"
    run.write_bytes(b"\xef\xbb\xbfq1 Q0 d1 1 2.0 tag\nq1 Q0 d2 2 1.0 tag\n")
    qrels.write_bytes(b"\xef\xbb\xbfq1 0 d1 1\n")
    assert tt.read_run(run) == {"q1": {"d1": 2.0, "d2": 1.0}}
    assert tt.read_qrels(qrels) == {"q1": {"d1": 1}}
    assert tt.evaluate(run, qrels, ["RR"]) == tt.evaluate(tt.RunTable.read(run), qrels, ["RR"]) == {"RR": 1.0}
