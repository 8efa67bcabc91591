"""`twotower audit`, run as a user runs it."""

import json
import subprocess
import sys

import pytest

import planted
import twotower as tt


def twotower(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "twotower", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def written(collection, folder):
    """Write a collection as a BEIR folder."""
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": d, "title": document.title, "text": document.text} for d, document in collection.corpus.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "queries.jsonl").write_text(
        "\n".join(json.dumps({"_id": q, "text": t}) for q, t in collection.queries.items())
    )
    for split, qrels in collection.qrels.items():
        lines = [f"{q}\t{d}\t{grade}" for q, judged in qrels.items() for d, grade in judged.items()]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]))
    return folder


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    collection, _ = planted.plant_queries(planted.clean(), "exact", 10)
    folder = written(collection, tmp_path_factory.mktemp("audit") / "leaky")
    tt.write_run({q: {next(iter(j)): 1.0} for q, j in collection.qrels["test"].items()}, folder / "perfect.trec")
    return folder


def test_a_page(leaky):
    done = twotower("audit", leaky, "--no-training", "--run", f"perfect={leaky / 'perfect.trec'}")
    assert done.returncode == 0, done.stderr
    assert "- PROBLEM, query leaks: 10 of 100 test queries (10.0 %)" in done.stdout
    assert "- PROBLEM, saturation: saturated: BM25 has nDCG@10 1.000" in done.stdout
    assert "checking: query leaks" in done.stderr


def test_json_table_and_strict(leaky):
    done = twotower("audit", leaky, "--no-training", "--json", "--strict", "--check", "query leaks")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["verdict"] == "problem"
    assert len(finding["affected"]) == 10
    done = twotower("audit", leaky, "--table", "--strict", "--check", "shared sources")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "| shared sources | ok |"


def test_training_and_a_given_model(leaky, tmp_path):
    done = twotower("audit", leaky, "--seeds", 1, "--check", "twins", "--json", "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert "average - average, shuffled" in json.loads(done.stdout)["findings"][0]["figures"]
    done = twotower("train", leaky, "--epochs", 1, "--out", tmp_path / "model", "--threads", 1)
    assert done.returncode == 0, done.stderr
    done = twotower("audit", leaky, "--seeds", 1, "--check", "twins", "--model", tmp_path / "model", "--json")
    assert "model - model, shuffled" in json.loads(done.stdout)["findings"][0]["figures"], done.stderr


def test_groups_from_a_file(leaky, tmp_path):
    groups = tmp_path / "groups.tsv"
    groups.write_text("doc0\tpage\ndoc180\tpage\n")
    done = twotower("audit", leaky, "--no-training", "--check", "shared sources", "--groups", groups, "--json")
    assert json.loads(done.stdout)["findings"][0]["affected"] == ["query180"]
    groups.write_text("doc0 page\n")
    done = twotower("audit", leaky, "--groups", groups)
    assert done.returncode == 2
    assert "line 1" in done.stderr


@pytest.mark.parametrize(
    "options",
    [["--seen", "no-such"], ["--check", "vibes"], ["--run", "x"], ["--split", "train"], ["--recipe", "no-such"],
     ["--no-training", "--recipe", "average"], ["--derived-from", "x"], ["--train", "no-such"], ["-m", "fun"]],
)  # fmt: skip
def test_wrong_use_exits_with_2_and_says_what_to_do(leaky, options):
    done = twotower("audit", leaky, *options)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr) > 20
