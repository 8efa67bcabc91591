"""`twotower evaluate` on files: several runs, tables by query, and what it says when files do not belong together."""

import csv
import json

import pytest

import twotower as tt
from twotower.cli import main

RUNS = {
    "good": {"q1": {"a": 2.0, "b": 1.0}, "q2": {"c": 1.0}},
    "poor": {"q1": {"b": 2.0, "a": 1.0}},
}
QRELS = {"q1": {"a": 1}, "q2": {"c": 2, "d": 1}}


@pytest.fixture
def files(tmp_path):
    for name, run in RUNS.items():
        tt.write_run(run, tmp_path / f"{name}.trec")
    tt.write_qrels(QRELS, tmp_path / "qrels.txt")
    return tmp_path


def twotower(capsys, *arguments):
    """Exit code, standard output, standard error."""
    code = 0
    try:
        main(["evaluate", *map(str, arguments)])
    except SystemExit as stop:
        code = stop.code
    done = capsys.readouterr()
    return code, done.out, done.err


def test_several_runs_stand_side_by_side(files, capsys):
    code, out, err = twotower(
        capsys, "--run", f"mine={files / 'good.trec'}", "--run", files / "poor.trec", "--qrels", files / "qrels.txt",
        "-m", "RR", "-m", "nDCG(dcg='exp-log2')@10", "--per-query", files / "values.csv", "--json",
    )  # fmt: skip
    rows = json.loads(out)
    assert code == 0
    assert [(row["searcher"], row["queries"], row["missing"], row["RR"]) for row in rows] == [
        ("mine", 2, 0, 1.0),
        ("poor", 2, 1, 0.25),
    ]
    assert rows[0]["warnings"] == rows[1]["warnings"] == []
    assert "poor" in err
    assert "1 of 2 judged queries are missing" in err
    with (files / "values.csv").open() as file:
        header, *lines = csv.reader(file)
    exponential = "nDCG(dcg='exp-log2')@10"
    assert header == ["query_id", "mine RR", f"mine {exponential}", "poor RR", f"poor {exponential}"]
    expected = [tt.evaluate_table(run, QRELS, ["RR", exponential]).values for run in RUNS.values()]
    assert [(query_id, *map(float, values)) for query_id, *values in lines] == [
        (query_id, *expected[0][i], *expected[1][i]) for i, query_id in enumerate(QRELS)
    ]


def test_one_run_needs_no_name(files, capsys):
    code, out, _ = twotower(
        capsys, "--run", files / "good.trec", "--qrels", files / "qrels.txt", "--per-query", files / "v.csv", "-m", "RR"
    )
    assert code == 0
    assert out.splitlines()[2].startswith(f"| {files / 'qrels.txt'} | 2 | 0 | run | 1.0000 |")
    assert (files / "v.csv").read_text() == "query_id,RR\nq1,1.0\nq2,1.0\n"


@pytest.mark.parametrize(
    ("qrels", "said"),
    [
        (
            {"101": {"a": 1}},
            "shares no query with the judgements: it has ids such as 'q1', they have ids such as '101'",
        ),
        ({"q1": {"other": 1}}, "lists none of the judged documents"),
    ],
)
def test_files_that_do_not_belong_together_are_said_loudly(files, capsys, qrels, said):
    tt.write_qrels(qrels, files / "qrels.txt")
    code, out, err = twotower(capsys, "--run", files / "good.trec", "--qrels", files / "qrels.txt", "--json")
    assert code == 0
    assert "WARNING" in err
    assert said in err
    (row,) = json.loads(out)
    assert said in row["warnings"][0]
    assert row["AP"] == 0


def test_an_empty_run_is_said(files, capsys):
    (files / "empty.trec").write_text("")
    _, out, err = twotower(capsys, "--run", files / "empty.trec", "--qrels", files / "qrels.txt", "--json")
    assert "WARNING: run on" in err
    assert json.loads(out)[0]["warnings"] == ["the run is empty: every value is 0"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--run", "good.trec"], "two runs are called"),
        (["--run", "=good.trec"], "FILE or NAME=FILE"),
        (["--run", "x="], "FILE or NAME=FILE"),
        (["--split", "a", "--split", "b", "--per-query", "v.csv"], "one --split"),
        (["-m", "nDCG@ten"], "nDCG@ten"),
        (["-m", "nDCG(rel=0)@10"], "nDCG takes @k"),
        (["--out", "x.trec"], "--out"),
    ],
)
def test_wrong_use_says_why(files, capsys, monkeypatch, more, said):
    monkeypatch.chdir(files)
    code, out, err = twotower(capsys, "--run", "good.trec", "--qrels", "qrels.txt", *more)
    assert (code, out) == (2, "")
    assert said in err


def test_a_bad_line_is_named(files, capsys):
    (files / "good.trec").write_text("q1 Q0 a 1 2 t\nq1 Q0 a 2 1 t\n")
    code, _, err = twotower(capsys, "--run", files / "good.trec", "--qrels", files / "qrels.txt")
    assert code == 2
    assert "good.trec, line 2: document 'a' comes twice for query 'q1'" in err
