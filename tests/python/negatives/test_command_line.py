"""`twotower train --negatives`: names come from the registry, and a run takes them."""

import json
import subprocess
import sys

import pytest

from small_collection import translated
from twotower.negatives import NEGATIVES


@pytest.fixture
def folder(tmp_path):
    collection = translated(60)
    rows = [{"_id": doc_id, "title": d.title, "text": d.text} for doc_id, d in collection.corpus.items()]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"_id": query_id, "text": text} for query_id, text in collection.queries.items()]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "qrels").mkdir()
    for split, qrels in collection.qrels.items():
        lines = [f"{q}\t{d}\t{grade}\n" for q, judged in qrels.items() for d, grade in judged.items()]
        (tmp_path / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return tmp_path


def twotower(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "twotower", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_a_run_takes_them(folder):
    done = twotower("train", folder, "--epochs", "1", "--negatives", "random", "--threads", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert "average" in json.loads(done.stdout)["rows"]


def test_help_lists_them_and_an_unknown_one_is_refused(folder):
    shown = twotower("train", "--help").stdout
    assert all(name in " ".join(shown.split()) for name in NEGATIVES)
    done = twotower("train", folder, "--negatives", "hardest")
    assert done.returncode == 2
    assert "unknown negatives 'hardest': choose one of bm25" in done.stderr
