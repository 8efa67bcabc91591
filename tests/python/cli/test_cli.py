"""The command line, run as a user runs it."""

import json
import os
import subprocess
import sys
import time

import pytest

import twotower as tt
from real_data import require
from twotower.cli import VERBS
from twotower.training.log import read_history

CORPUS = [{"_id": f"d{i}", "title": f"t{i}", "text": text} for i, text in enumerate(
    ["Sweet sweet nurse! Love?", "Sweet sorrow", "How sweet is love?", "Nurse!"] + [f"filler number {n}" for n in range(30)]
)]  # fmt: skip


def twotower(*arguments, stdin="", **environment):
    return subprocess.run(
        [sys.executable, "-m", "twotower", *map(str, arguments)],
        input=stdin, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def beir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collections") / "course"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CORPUS))
    queries = {"q1": "sweet love", "q2": "sorrow", "q3": "the nurse"}
    (folder / "queries.jsonl").write_text("".join(json.dumps({"_id": q, "text": t}) + "\n" for q, t in queries.items()))
    relevant = {"q1": "d2", "q2": "d1", "q3": "d3"}
    for split in ("train", "valid", "test"):
        rows = "".join(f"{q}\t{d}\t1\n" for q, d in relevant.items())
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + rows)
    return folder


@pytest.fixture(scope="module")
def engine(beir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines") / "engine"
    done = twotower("index", beir, "--out", folder, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["documents"] == len(CORPUS)
    assert report["bytes"] > 0
    return folder


def test_help_is_quick_and_names_every_verb():
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        done = twotower("--help")
        seconds.append(time.perf_counter() - started)
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in VERBS)
    # Speed belongs to benchmarks; this bound only catches an import of torch (seconds) from sneaking in.
    assert min(seconds) < 3.0, seconds


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_without_loading_torch(verb):
    code = (
        f"import sys; from twotower.cli import main\ntry: main(['{verb}', '--help'])\nexcept SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.rstrip().endswith("False"), done.stdout + done.stderr
    assert "--json" in done.stdout


def test_search_finds_and_shows(engine):
    done = twotower("search", engine, "sweet", "love", "-k", 2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("t0") < done.stdout.index("t2")
    assert "How sweet is love?" in done.stdout


def test_search_reads_queries_from_standard_input_and_prints_json(engine):
    done = twotower("search", engine, "--json", "-k", 1, stdin="sorrow\nnothing here matches\n")
    found = json.loads(done.stdout)
    assert [row["query"] for row in found] == ["sorrow", "nothing here matches"]
    assert [hit["doc_id"] for hit in found[0]["hits"]] == ["d1"]
    assert found[1]["hits"] == []


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_search_names_the_line_that_is_no_text(engine, locale):
    command = [sys.executable, "-m", "twotower", "search", str(engine)]
    environment = {**os.environ, "LC_ALL": locale}
    done = subprocess.run(command, input=b"sorrow\r\nsweet\nGr\xf6\xdfe\n", capture_output=True, env=environment)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"line 3 of standard input is not UTF-8 (invalid start byte at its byte 2)" in done.stderr
    done = subprocess.run(command, input="Größe\r\nsorrow".encode(), capture_output=True, env=environment)
    assert (done.returncode, done.stdout.count("»".encode())) == (0, 2), done.stderr


def test_evaluate_measures_bm25_an_engine_and_a_run_alike(beir, engine, tmp_path):
    run = tmp_path / "run.trec"
    built = json.loads(twotower("evaluate", beir, "--json", "--out", run).stdout)
    loaded = json.loads(twotower("evaluate", beir, "--engine", engine, "--json").stdout)
    from_run = json.loads(twotower("evaluate", beir, "--run", run, "--json").stdout)
    qrels = tmp_path / "qrels.txt"
    tt.write_qrels(tt.load_collection(beir).qrels["test"], qrels)
    from_files = json.loads(twotower("evaluate", "--run", run, "--qrels", qrels, "--json").stdout)
    keys = ("queries", "nDCG@10", "RR@10", "R@100", "AP")
    figures = [{key: rows[0][key] for key in keys} for rows in (built, loaded, from_run, from_files)]
    assert figures[0]["R@100"] == 1
    assert all(figure == figures[0] for figure in figures)


def test_train_saves_a_model_that_index_and_search_use(beir, tmp_path):
    done = twotower("train", beir, "--tower", "average", "--epochs", 1, "--out", tmp_path / "model", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {"random", "query-blind", "BM25", "average", "average, untrained", "average, shuffled", "hybrid"} == set(
        result["rows"]
    )
    history = read_history(tmp_path / "model" / "metrics.jsonl")
    assert len(history.losses) == len(history.valid) == history.best_epoch == 1
    done = twotower("index", beir, "--model", tmp_path / "model", "--out", tmp_path / "engine", "--json")
    assert json.loads(done.stdout)["fusion"]["fusion"] == "linear"
    (row,) = json.loads(twotower("search", tmp_path / "engine", "sorrow", "--json", "-k", 1).stdout)
    assert set(row["hits"][0]["parts"]) == {"bm25", "dense"}


def test_evaluate_ranks_inside_the_records():
    sample = require("msmarco-v1.1-sample200") / "sample.json"
    done = twotower("evaluate", sample, "--inside-records", "-m", "RR", "--json")
    assert done.returncode == 0, done.stderr
    figures = {(row["searcher"], row["split"]): row["RR"] for row in json.loads(done.stdout)}
    assert (
        figures["BM25", "test, inside the records"]
        > figures["random order, expected", "test, inside the records"]
        > 0.2
    )


def test_doctor_passes_its_own_checks():
    done = twotower("doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert all(report["checks"].values())


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-verb"], ["search"], ["index", "x"], ["evaluate"], ["evaluate", "--run", "x"], ["evaluate", "x", "--qrels", "y"],
        ["evaluate", "x", "--run", "y", "--inside-records"], ["search", "x", "-k", "-1"], ["demo", "extra"],
        ["train", "python-docs", "--tower", "no-such-tower"],
    ],
)  # fmt: skip
def test_wrong_use_exits_with_2_and_says_why(arguments):
    done = twotower(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr) > 10
    assert "Traceback" not in done.stderr


def test_an_unknown_tower_lists_those_there_are():
    done = twotower("train", "python-docs", "--tower", "no-such-tower")
    assert "average" in done.stderr
    assert "gru" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["search", "nowhere", "love"], ["index", "nowhere", "--out", "x"], ["evaluate", "nowhere"]]
)
def test_a_missing_file_exits_with_1_or_2_and_is_named(arguments, tmp_path):
    done = twotower(*arguments)
    assert done.returncode in (1, 2)
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_offline_a_hub_id_fails_within_seconds_and_says_what_to_do():
    started = time.perf_counter()
    done = twotower("evaluate", "microsoft/ms_marco", "--config", "v1.1", HF_HUB_OFFLINE="1")
    assert time.perf_counter() - started < 30
    assert done.returncode == 1
    assert "microsoft/ms_marco" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("threads", ["-1", "1025", "100000"])
def test_threads_beyond_reason_are_refused(engine, threads):
    done = twotower("search", engine, "love", "--threads", threads)
    assert done.returncode == 2
    assert "threads" in done.stderr


def test_out_is_checked_before_any_work(beir, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    for verb, out, code in (("index", "", 2), ("index", tmp_path / "file", 2), ("train", tmp_path / "precious", 1)):
        done = twotower(verb, beir, "--out", out)
        assert done.returncode == code, done.stderr
        assert "reading" not in done.stderr
    assert (tmp_path / "precious" / "thesis.txt").exists()


def test_closed_standard_input_is_no_traceback(engine):
    done = subprocess.run(
        f"{sys.executable} -m twotower search {engine} <&-", shell=True, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_a_grade_beyond_range_is_named_by_file_and_line(tmp_path):
    (tmp_path / "qrels").write_text("q 0 d 1\nq 0 e 99999999999999999999\n")
    (tmp_path / "run").write_text("q Q0 d 1 1 t\n")
    done = twotower("evaluate", "--run", tmp_path / "run", "--qrels", tmp_path / "qrels")
    assert done.returncode == 2
    assert "2" in done.stderr
    assert "9999" in done.stderr
    assert "Traceback" not in done.stderr
