"""The chapters of examples/ run as printed, on a small collection, and say what they are there to say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from small_collection import translated

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CHAPTERS = {
    "01_tokenise.py": ["150 documents, 150 queries", "['reader', 'were', 'read', 'who', 'read'", "pieces in all"],
    "02_embed.py": ["the tower and NumPy differ by"],
    "03_encode.py": ["average: cosine of a text and the same text backwards 1.000", "tied 2,112, untied 4,224"],
    "04_loss.py": ["refused: towers with one output dimension", "| trained |", "trained - untrained"],
    "05_search.py": ["BM25: doc", "| hybrid |", "hybrid - bm25"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A BEIR folder in which queries share their words with the documents."""
    collection = translated()
    place = tmp_path_factory.mktemp("beir")
    (place / "qrels").mkdir()
    with (place / "corpus.jsonl").open("w") as file:
        for doc_id, document in collection.corpus.items():
            file.write(json.dumps({"_id": doc_id, "title": document.title, "text": document.text}) + "\n")
    with (place / "queries.jsonl").open("w") as file:
        for query_id, text in collection.queries.items():
            file.write(json.dumps({"_id": query_id, "text": text.replace("q", "d")}) + "\n")
    for split, judged in collection.qrels.items():
        rows = [f"{query}\t{doc}\t{grade}\n" for query, docs in judged.items() for doc, grade in docs.items()]
        (place / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows))
    return place


def test_every_chapter_is_run():
    assert sorted(CHAPTERS) == sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_chapter_runs(name, folder):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, folder], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    for part in CHAPTERS[name]:
        assert part in done.stdout
