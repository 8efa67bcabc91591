"""The verb `vocabulary`, run as a user runs it."""

import json
import subprocess
import sys

import pytest

import twotower as tt


def twotower(*arguments):
    command = [sys.executable, "-m", "twotower", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


TEXTS = ["Sweet love!", "lovely Sweetness", "How sweet is love?", "sorrow"] * 3


@pytest.fixture(params=["lines", "beir"])
def source(request, tmp_path):
    if request.param == "lines":
        path = tmp_path / "texts.txt"
        path.write_text("\n".join(TEXTS))
        return path
    rows = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(TEXTS)]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "love"}) + "\n")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td0\t1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "size", "options"), [("wordpiece", 60, ["--cased"]), ("wordpiece", 40, []), ("bpe", 275, [])]
)
def test_a_vocabulary_is_learnt_and_saved(source, kind, size, options, tmp_path):
    out = tmp_path / "tokenizer.json"
    done = twotower("vocabulary", source, "--out", out, "--kind", kind, "--size", size, "--json", *options)
    assert done.returncode == 0, done.stderr
    tokenizer = {"wordpiece": tt.WordPiece, "bpe": tt.BPE}[kind].from_file(out)
    assert json.loads(done.stdout) == {"file": str(out), "kind": kind, "tokens": tokenizer.vocab_size}
    sweet = tokenizer.token_to_id("Sweet" if options or kind == "bpe" else "sweet")
    assert sweet in tokenizer.encode("Sweet love")


def test_what_is_wrong_is_told(tmp_path):
    texts, out = tmp_path / "texts.txt", tmp_path / "tokenizer.json"
    texts.write_bytes(b"sweet love\nsorrow \xff\n")
    cases = [
        ([texts, "--out", tmp_path / "absent" / "tokenizer.json"], "there is no folder"),
        ([texts, "--out", out], "line 2, byte 7: not UTF-8"),
        ([tmp_path / "absent.txt", "--out", out], "cannot be read: No such file"),
    ]
    texts_of_few = tmp_path / "few.txt"
    texts_of_few.write_text("sweet love")
    cases.append(([texts_of_few, "--out", out, "--size", 7], "vocabulary_size is 7"))
    for arguments, message in cases:
        done = twotower("vocabulary", *arguments)
        assert done.returncode in (1, 2)
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert not out.exists()
