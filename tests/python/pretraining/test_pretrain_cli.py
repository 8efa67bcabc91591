"""`twotower pretrain`, then `twotower train --start`: through the command line, over files."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import twotower as tt
from twotower.cli import verbs


def write(folder, rows):
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def labelled(folder):
    """Write a collection in which the words x<t> and y<t> belong together; x<t> alone is asked for y<t>."""
    generator = np.random.default_rng(0)
    rows, queries, qrels = [], [], {"train": [], "valid": [], "test": []}
    for i in range(240):
        t = i % 12
        a, b = generator.choice(5, (2, 3))
        text = " ".join(f"X{t}v{j}" for j in a) + ". " + " ".join(f"Y{t}v{j}" for j in b) + "."
        rows.append({"_id": f"d{i}", "title": "", "text": text})
        queries.append({"_id": f"q{i}", "text": " ".join(f"x{t}v{j}" for j in a)})
        qrels["train" if i < 120 else "valid" if i < 180 else "test"].append(f"q{i}\td{i}\t1\n")
    write(folder, rows)
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    for split, lines in qrels.items():
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return folder


def call(*arguments):
    return CliRunner().invoke(verbs, [str(argument) for argument in arguments])


def test_from_raw_texts_to_a_tuned_tower(tmp_path):
    source = labelled(tmp_path / "data")
    out = tmp_path / "pretrained"
    done = call(
        "pretrain", source, "--out", out, "--step", "word2vec", "--step", "ict", "--dim", 16, "--epochs", 4, "--batch-size", 32,
        "--threads", 1, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert [step["step"] for step in document["steps"]] == ["word2vec", "ict"]
    assert document["steps"][1]["valid"] > 0.2
    model = tt.TwoTower.from_pretrained(out)
    assert model.out_dim == 16
    tuned = call("train", source, "--start", out, "--out", tmp_path / "tuned", "--epochs", 1, "--threads", 1, "--json")
    assert tuned.exit_code == 0, tuned.output
    rows = json.loads(tuned.stdout)["rows"]
    collection = tt.load_collection(source)
    index = tt.FlatIndex.build(
        model.encode_documents([d.full_text for d in collection.corpus.values()]), list(collection.corpus)
    )
    run = tt.search_split(tt.Dense(model, index), collection, "test", k=100)
    started = tt.evaluate(run, collection.qrels["test"], ["nDCG@10"])["nDCG@10"]
    assert rows["average, untrained"]["test"]["nDCG@10"] == [
        pytest.approx(started, abs=1e-6)
    ]  # it starts where we ended


def test_wrong_use_is_said_before_any_work(tmp_path):
    source = labelled(tmp_path / "data")
    assert call("pretrain", source).exit_code == 2
    assert call("pretrain", source, "--out", tmp_path / "m", "--step", "bert").exit_code == 2
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    assert call("pretrain", source, "--out", tmp_path / "full").exception is not None
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"
    assert call("train", source, "--start", tmp_path / "nothing").exception is not None
