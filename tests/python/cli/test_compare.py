"""`twotower compare`, run as a user runs it."""

import csv
import io
import json
import subprocess
import sys

import pytest

import twotower as tt


def twotower(*arguments, cwd=None):
    command = [sys.executable, "-m", "twotower", "compare", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)


def run_with(first_place):
    return {f"q{i}": {"good": 2.0 if i in first_place else 0.0, "bad": 1.0} for i in range(20)}


@pytest.fixture
def files(tmp_path):
    qrels = {f"q{i}": {"good": 1} for i in range(20)}
    tt.write_qrels(qrels, tmp_path / "qrels")
    for name, n in (("a", 5), ("b1", 14), ("b2", 18)):
        tt.write_run(run_with(range(n)), tmp_path / name)
    (tmp_path / "empty").write_text("")
    return tmp_path


def test_names_given_twice_are_seeds_of_which_some_failed(files):
    done = twotower("a=a", "b=b1", "b=b2", "b=FAILED", "c=empty", "--qrels", "qrels", "-m", "RR", cwd=files)
    assert done.returncode == 0, done.stderr
    assert "b (2 of 3 seeds, 1 failed)" in done.stdout
    assert "| c | failed |" in done.stdout
    assert "empty" in done.stderr
    assert "b - a" in done.stdout


def test_a_file_that_is_missing_is_a_slip_unless_it_is_said_to_have_failed(files):
    done = twotower("a=a", "b=b1", "b=no-such-file", "--qrels", "qrels", cwd=files)
    assert done.returncode == 1
    assert "no-such-file" in done.stderr
    assert "b=FAILED" in done.stderr
    assert done.stdout == ""
    (files / "FAILED").write_text((files / "b2").read_text())
    named = twotower("a=a", "b=b1", "b=./FAILED", "--qrels", "qrels", cwd=files)
    assert "1 failed" not in named.stdout
    assert "b - a" in named.stdout


def test_json_and_files_hold_what_the_function_returns(files):
    arguments = ["a=a", "b=b1", "b=b2", "--qrels", "qrels", "-m", "RR", "-m", "P@1"]
    done = twotower(*arguments, "--json", "--margin", 0.1, "--out", "x.csv", "--format", "csv", cwd=files)
    assert done.returncode == 0, done.stderr
    runs = {"a": run_with(range(5)), "b": [run_with(range(14)), run_with(range(18))]}
    expected = tt.compare(runs, tt.read_qrels(files / "qrels"), ["RR", "P@1"], margin=0.1)
    assert json.loads(done.stdout) == expected.to_dict()
    assert (files / "x.csv").read_text() == expected.to_csv()
    done = twotower(*arguments, "--format", "latex", cwd=files)
    assert done.stdout.count(r"\begin{tabular}") == 3


def test_csv_on_standard_output_reads_back(files):
    done = twotower("a=a", "b=b1", "--qrels", "qrels", "--format", "csv", cwd=files)
    assert [row["name"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["a", "b"]


def test_the_judgements_of_a_collection_serve_too(files):
    (files / "beir" / "qrels").mkdir(parents=True)
    (files / "beir" / "corpus.jsonl").write_text('{"_id": "good", "text": "x"}\n{"_id": "bad", "text": "y"}\n')
    rows = [json.dumps({"_id": f"q{i}", "text": f"t{i}"}) + "\n" for i in range(20)]
    (files / "beir" / "queries.jsonl").write_text("".join(rows))
    grades = "".join(f"q{i}\tgood\t1\n" for i in range(20))
    (files / "beir" / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\n" + grades)
    from_collection = twotower("a=a", "b=b1", "--collection", "beir", "--split", "dev", "--json", cwd=files)
    from_file = twotower("a=a", "b=b1", "--qrels", "qrels", "--json", cwd=files)
    assert from_collection.stdout == from_file.stdout != ""


def test_nothing_to_compare_is_a_failure_that_still_shows_the_table(files):
    done = twotower("a=a", "b=empty", "--qrels", "qrels", cwd=files)
    assert done.returncode == 1
    assert "| b | failed |" in done.stdout
    assert "nothing could be compared" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a=a", "b=b1", "--qrels", "qrels", "--baseline", "z"], "'z'"),
        (["a=a", "b", "--qrels", "qrels"], "NAME=RUN"),
        (["a=a", "=b1", "--qrels", "qrels"], "NAME=RUN"),
        (["a=a", "--qrels", "qrels"], "at least two"),
        (["a=a", "b=b1", "b=b1", "--qrels", "qrels"], "twice"),
        (["a=a", "b=b1"], "--qrels"),
        (["a=a", "b=b1", "--qrels", "qrels", "--collection", "x"], "either"),
        (["a=a", "b=b1", "--qrels", "qrels", "--split", "x"], "--split"),
        (["a=a", "b=twice", "--qrels", "qrels"], "twice, line 21"),
        (["a=a", "b=b1", "--qrels", "foreign"], "none of the 20 judged queries"),
        (["a=a", "b=b1", "--qrels", "single"], "two or more"),
        (["a=a", "b=b1", "--qrels", "qrels", "-m", "nope"], "nope"),
        (["a=a", "b=b1", "--qrels", "qrels", "--confidence", "2"], "confidence"),
        (["a=a", "b=b1", "--qrels", "qrels", "--margin", "0"], "margin"),
        (["a=a", "b=b1", "--qrels", "qrels", "--out", "none/x.md"], "there is no folder"),
    ],
)
def test_wrong_use_exits_with_2_and_says_why(files, arguments, said):
    lines = (files / "b1").read_text().splitlines(keepends=True)
    (files / "twice").write_text("".join(lines[:20] + lines[:1]))
    (files / "foreign").write_text((files / "qrels").read_text().replace("q", "z"))
    (files / "single").write_text((files / "qrels").read_text().split("\n")[0])
    done = twotower(*arguments, cwd=files)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
