"""`twotower index`: what it prints about a build, and its memory limit."""

import json
import subprocess
import sys

import click
import pytest

import twotower as tt
from twotower.cli.index import number_of_bytes
from twotower.index.bm25 import BM25Index


def twotower(*arguments):
    command = [sys.executable, "-m", "twotower", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "beir").mkdir()
    rows = [{"_id": f"d{n}", "title": "", "text": f"sweet love number{n % 5}"} for n in range(40)]
    (tmp_path / "beir" / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "beir" / "queries.jsonl").write_text("")
    (tmp_path / "beir" / "qrels").mkdir()
    (tmp_path / "beir" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    return tmp_path / "beir"


def test_json_says_what_was_built_and_what_it_weighs(corpus, tmp_path):
    done = twotower("index", corpus, "--out", tmp_path / "engine", "--json", "--threads", 1, "--memory-limit", "200MB")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["documents"], report["terms"], report["postings"]) == (40, 7, 120)
    files = [path for path in (tmp_path / "engine").rglob("*") if path.is_file()]
    disk = report["disk_bytes"]
    assert report["bytes"] == sum(path.stat().st_size for path in files) == disk["texts"] + disk["bm25"]
    assert sum(disk["bm25_arrays"].values()) < disk["bm25"]
    assert disk["bm25_arrays"]["texts"] == report["memory_bytes"]["texts"] > 0
    loaded = BM25Index.load(next((tmp_path / "engine").glob("parts-*")) / "bm25")
    assert report["memory_bytes"] == loaded.memory()
    assert report["memory_bytes"]["docs"] == 4 * 120
    assert report["seconds"] > 0
    assert report["mb_per_s"] > 0
    assert report["peak_memory_bytes"] > 10_000_000
    assert "40 documents: about 7 terms, 120 postings" in done.stderr


def test_files_of_others_do_not_count(corpus, tmp_path):
    (tmp_path / "engine" / "parts-mine" / "bm25").mkdir(parents=True)
    for name in ("notes.txt", "twotower.txt", "parts-mine/bm25/notes.txt"):
        (tmp_path / "engine" / name).write_text("x" * 1_000_000)
    done = twotower("index", corpus, "--out", tmp_path / "engine", "--json", "--threads", 1)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["bytes"] == report["disk_bytes"]["texts"] + report["disk_bytes"]["bm25"] < 100_000


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("0", "memory_limit is 0 bytes: a build needs"),
        ("1MB", "memory_limit is 1000000 bytes: a build needs"),
        ("1e9TiB", "give at most 4611686018427387904"),
        ("9" * 400, "more bytes than any machine has"),
    ],
)
def test_a_limit_out_of_range_is_a_slip_that_shows_before_reading(corpus, tmp_path, limit, message):
    done = twotower("index", corpus, "--out", tmp_path / "engine", "--memory-limit", limit)
    assert done.returncode != 0
    assert message in done.stderr
    assert "reading" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not any((tmp_path / "engine").glob("*"))


@pytest.mark.parametrize(
    ("text", "n"),
    [("2GB", 2 * 10**9), ("512MiB", 2**29), ("1.5e9", 1_500_000_000), (" 7 kb ", 7000), ("9", 9), ("3TiB", 3 * 2**40)],
)
def test_numbers_of_bytes(text, n):
    assert number_of_bytes(None, None, text) == n


@pytest.mark.parametrize("text", ["", "GB", "2 G B", "-1", "1..2", "2XB", "nan", "1e999"])
def test_no_numbers_of_bytes(text):
    with pytest.raises(click.BadParameter, match="write it like 2GB"):
        number_of_bytes(None, None, text)


def test_cut_vectors_need_a_model_and_are_searched_as_such(corpus, tmp_path):
    model = tt.TwoTower.average(tt.Vocabulary(["sweet", "love"]), "english", dim=8)
    model.save_pretrained(tmp_path / "model")
    given = ("index", corpus, "--out", tmp_path / "engine", "--threads", 1, "--dim", 4)
    done = twotower(*given)
    assert done.returncode == 2
    assert "give --model" in done.stderr
    done = twotower(*given, "--model", tmp_path / "model")
    assert done.returncode == 0, done.stderr
    assert tt.Engine.load(tmp_path / "engine").searchers["dense"].index.dim == 4
    done = twotower("search", tmp_path / "engine", "sweet love", "--json")
    assert done.returncode == 0, done.stderr
    assert "d0" in done.stdout
