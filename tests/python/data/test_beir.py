"""BEIR folders: the real ones, and every way a row can be wrong."""

import gzip
import lzma

import pytest

import twotower as tt
from real_data import require
from twotower.errors import CorruptFileError, DataFormatError, FileError, InvalidInputError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "corpus.jsonl").write_text(
        '{"_id": "a", "title": "Salt", "text": "White."}\n\n'
        '{"_id": "b", "text": ""}\n{"_id": "c", "title": null, "text": "C"}\r\n'
    )
    (tmp_path / "queries.jsonl").write_text(
        '{"_id": "1", "text": "what is salt", "metadata": {}}\n{"_id": "2", "text": "x"}\n'
    )
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t2\n1\tb\t0\n")
    (tmp_path / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n2\tc\t1\n")
    return tmp_path


def test_a_folder(folder):
    collection = tt.load_collection(folder)
    assert collection.name == folder.name
    assert list(collection.corpus) == ["a", "b", "c"]
    assert collection.corpus["a"] == tt.Document("White.", "Salt")
    assert collection.corpus["c"].title == ""
    assert collection.queries == {"1": "what is salt", "2": "x"}
    assert collection.qrels == {"test": {"1": {"a": 2, "b": 0}}, "train": {"2": {"c": 1}}}


def test_one_split_keeps_the_corpus_whole(folder):
    collection = tt.load_collection(str(folder), split="test")
    assert list(collection.qrels) == ["test"]
    assert len(collection.corpus) == 3
    with pytest.raises(InvalidInputError, match="no split 'dev': it has test, train"):
        tt.load_collection(folder, split="dev")


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed_files_are_the_same_collection(folder, ending, compress):
    plain = tt.load_collection(folder).fingerprint()
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        (folder / (name + ending)).write_bytes(compress((folder / name).read_bytes()))
        (folder / name).unlink()
    assert tt.load_collection(folder).fingerprint() == plain
    damaged = (folder / f"corpus.jsonl{ending}").read_bytes()[:-12]
    (folder / f"corpus.jsonl{ending}").write_bytes(damaged)
    with pytest.raises(CorruptFileError, match=r"corpus\.jsonl.*damaged"):
        tt.load_collection(folder)


def test_a_corpus_alone_is_legal(folder):
    (folder / "queries.jsonl").unlink()
    for path in folder.glob("qrels/*"):
        path.unlink()
    collection = tt.load_collection(folder)
    assert len(collection.corpus) == 3
    assert collection.queries == {}
    assert collection.qrels == {}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", b'{"_id": "a", "text": "x"}\n{"_id": "b"}\n', r"corpus\.jsonl, line 2: no field 'text'"),
        ("corpus.jsonl", b'{"_id": "a", "text": 5}\n', r"line 1, field 'text': must be a string, got int 5"),
        ("corpus.jsonl", b'{"_id": 7, "text": "x"}\n', r"line 1, field '_id': must be a string, got int 7"),
        ("corpus.jsonl", b'{"_id": "a", "text": "x"\n', r"line 1: not JSON: .* \(column \d+\)|line 1: not JSON: .*"),
        ("corpus.jsonl", b"[1]\n", r"line 1: must be an object with named fields, got list"),
        ("corpus.jsonl", b'{"_id": "a", "text": "x\xff"}\n', r"line 1, byte 24: invalid UTF-8 \(0xff\)"),
        ("corpus.jsonl", b'{"_id": "a", "text": "\\ud800"}\n', r"line 1, field 'text': lone surrogate"),
        ("corpus.jsonl", b"[" * 200_000, r"line 1: no row of data: .*recursion"),
        (
            "corpus.jsonl",
            b'{"_id": "a", "text": "x"}\n\n{"_id": "a", "text": "y"}\n',
            r"corpus\.jsonl, line 3: id 'a' stands already at .*corpus\.jsonl, line 1",
        ),
        ("queries.jsonl", b'{"_id": "1", "text": null}\n', r"queries\.jsonl, line 1, field 'text': must be a string"),
        ("qrels/test.tsv", b"1\ta\t2\n", r"test\.tsv, line 1: must be the header"),
        ("qrels/test.tsv", b"query-id\tcorpus-id\tscore\n1 a 2\n", r"test\.tsv, line 2: must have 3 fields"),
        ("qrels/test.tsv", b"query-id\tcorpus-id\tscore\n1\ta\t1.0\n", r"line 2: grade '1\.0' must be an integer"),
        ("qrels/test.tsv", b"query-id\tcorpus-id\tscore\n9\ta\t1\n", r"line 2: unknown query '9'"),
        ("qrels/test.tsv", b"query-id\tcorpus-id\tscore\n1\tz\t1\n", r"line 2: unknown document 'z'"),
        (
            "qrels/test.tsv",
            b"query-id\tcorpus-id\tscore\n1\ta\t1\n1\ta\t1\n1\ta\t2\n",
            r"line 4: query '1' and document 'a' have grade 2, but 1 at .*line 2",
        ),
    ],
)
def test_a_bad_row_is_named(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(DataFormatError, match=message):
        tt.load_collection(folder)


def test_a_byte_order_mark_is_no_part_of_the_data(folder):
    plain = tt.load_collection(folder).fingerprint()
    for path in (folder / "corpus.jsonl", folder / "qrels" / "test.tsv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert tt.load_collection(folder).fingerprint() == plain


def test_folders_that_are_none(tmp_path):
    with pytest.raises(FileError, match=r"neither a corpus\.jsonl"):
        tt.load_collection(tmp_path)
    with pytest.raises(InvalidInputError, match="has no configurations"):
        tt.load_collection(tmp_path, config="v1.1")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "n_documents", "judged"),
    [
        ("scifact", 5183, {"train": 809, "test": 300}),
        ("cranfield", 1400, {"test": 225}),
        ("cacm", 3204, {"test": 52}),
        ("msmarco-passage-32k", 32276, {"train": 1300, "valid": 200, "test": 350, "dl19": 43, "dl20": 54}),
    ],
)
def test_real_collections(name, n_documents, judged):
    collection = tt.load_collection(require(name))
    assert len(collection.corpus) == n_documents
    assert {split: len(qrels) for split, qrels in collection.qrels.items()} == judged


@pytest.mark.data
def test_a_real_corpus_alone_and_compressed():
    collection = tt.load_collection(require("pubmed-titles"))
    assert len(collection.corpus) == 33_272
    assert collection.qrels == {}
