"""`twotower report` as a user runs it: from files to a page, and what it says when something is wrong."""

import json
import subprocess
import sys

import pytest

import twotower as tt
from real_data import require
from twotower.training.log import History, write_history


def twotower(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "twotower", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def folder(tmp_path):
    tt.write_run({"q1": {"a": 2.0, "b": 1.0}, "q2": {"b": 1.0}}, tmp_path / "good.trec")
    tt.write_run({"q1": {"b": 2.0}}, tmp_path / "bad.trec")
    tt.write_run({"x": {"b": 2.0}}, tmp_path / "foreign.trec")
    tt.write_qrels({"q1": {"a": 1}, "q2": {"b": 1, "c": 1}}, tmp_path / "qrels.txt")
    write_history(History([2.0, 1.0], [0.5], [2], 1), tmp_path / "metrics.jsonl")
    return tmp_path


def test_from_run_files_and_qrels(folder):
    out = folder / "page.html"
    done = twotower("report", f"one={folder}/good.trec", f"{folder}/bad.trec", "--qrels", folder / "qrels.txt",
                    "--history", f"curve={folder}", "-m", "AP", "--baseline", "bad", "--out", out, "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert [(run["name"], run["means"]["AP"]["mean"]) for run in figures["runs"]] == [("one", 0.75), ("bad", 0.0)]
    assert figures["comparison"]["differences"][0]["difference"] == 0.75
    assert figures["learning"]["curve"]["best_epoch"] == 1
    assert f"wrote {out}" in done.stderr
    page = out.read_text(encoding="utf-8")
    assert "twotower report" in page
    assert "--baseline bad" in page


def test_a_collection_brings_texts_and_reasons(tmp_path):
    cranfield = require("cranfield")
    done = twotower("evaluate", cranfield, "--out", tmp_path / "bm25.trec", "--threads", 1)
    assert done.returncode == 0, done.stderr
    done = twotower(
        "report",
        tmp_path / "bm25.trec",
        "--collection",
        cranfield,
        "--worst",
        3,
        "--out",
        tmp_path / "p.html",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    [run] = json.loads(done.stdout)["runs"]
    assert run["name"] == "bm25"
    assert run["means"]["nDCG@10"]["mean"] == pytest.approx(0.3417, abs=5e-5)  # docs/results.md
    assert len(run["worst"]) == 3
    assert all(query["text"] and query["reason"]["exact"] for query in run["worst"])
    assert (tmp_path / "p.html").stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a={}/good.trec"], 2, "either --collection"),
        (["a={}/good.trec", "--qrels", "{}/qrels.txt", "--collection", "x"], 2, "either --collection"),
        (["--qrels", "{}/qrels.txt"], 2, "NAME=RUN"),
        (["={}/good.trec", "--qrels", "{}/qrels.txt"], 2, "NAME=PATH"),
        (["a={}/good.trec", "a={}/bad.trec", "--qrels", "{}/qrels.txt"], 2, "two run files are named 'a'"),
        (["a={}/foreign.trec", "--qrels", "{}/qrels.txt"], 2, "none of the 2 judged queries"),
        (["a={}/good.trec", "--qrels", "{}/qrels.txt", "--baseline", "b"], 2, "no run is named 'b': choose one of a"),
        (["a={}/good.trec", "--qrels", "{}/qrels.txt", "--history", "h={}/qrels.txt"], 1, "qrels.txt:1: no line that training wrote"),
        (["a={}/good.trec", "--qrels", "{}/qrels.txt", "--history", "h={}/none"], 1, "cannot read"),
        (["a={}/none.trec", "--qrels", "{}/qrels.txt"], 1, "none.trec"),
        (["a={}/good.trec", "--qrels", "{}/qrels.txt", "-m", "nDGC"], 2, "nDGC"),
        (["a={}/good.trec", "--collection", "{}/nowhere"], 1, "nowhere"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(folder, arguments, code, message):
    done = twotower("report", *(argument.format(folder) for argument in arguments), "--out", folder / "page.html")
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "page.html").exists()


def test_out_is_checked_before_any_work(folder):
    done = twotower("report", "a=none.trec", "--qrels", "none", "--out", folder / "nowhere" / "page.html")
    assert done.returncode == 2
    assert "no folder" in done.stderr
