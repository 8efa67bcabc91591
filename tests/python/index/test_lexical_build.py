"""Building: the same index for every thread count, batch, memory limit and way, and nothing left behind."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_data import require
from twotower.errors import FileError, InputTypeError, InvalidInputError
from twotower.index.bm25 import BM25Index
from twotower.index.native import core
from twotower.index.tfidf import TfidfIndex
from twotower.text import Analyzer, Vocabulary

LEAST = 4096 * 2 * 20 * 7 + 900_000  # bytes: works for 7 threads and small vocabularies
NAMES = ("term_offsets", "docs", "tfs", "doc_lengths")


def build_in_batches(ids, offsets, n_terms, batch, limit, threads, folder):
    builder = core.LexicalBuilder(limit, threads, folder)
    for first in range(0, max(1, len(offsets) - 1), batch):
        ends = offsets[first : first + batch + 1]
        builder.add(ids[ends[0] : ends[-1]], ends - ends[0], n_terms)
    return builder, builder.finish()


def flat(documents):
    offsets = np.zeros(len(documents) + 1, np.int64)
    np.cumsum([len(document) for document in documents], out=offsets[1:])
    return np.array([term for document in documents for term in document], np.int32), offsets


def assert_equals_oracle(ids, offsets, n_terms, tmp_path, batch=4096, limit=0, threads=1):
    builder, counts = build_in_batches(ids, offsets, n_terms, batch, limit, threads, tmp_path)
    expected = core.build_inverted_arrays(ids, offsets, n_terms)
    for name, found, right in zip(NAMES, builder.arrays(), expected, strict=True):
        np.testing.assert_array_equal(found, right, err_msg=name)
    packed, group_ends = core.pack_postings(*expected[:3], threads)
    docs, tfs = core.unpack_postings(packed, group_ends, expected[0], threads)
    np.testing.assert_array_equal(docs, expected[1])
    np.testing.assert_array_equal(tfs, expected[2])
    assert counts.n_postings == len(expected[1])
    return counts


@settings(max_examples=60, deadline=None)
@given(
    documents=st.lists(st.lists(st.integers(-1, 9), max_size=20), max_size=30),
    batch=st.integers(1, 7),
    threads=st.sampled_from([1, 2, 7]),
    limit=st.sampled_from([0, LEAST]),
)
def test_small_corpora(tmp_path_factory, documents, batch, threads, limit):
    ids, offsets = flat(documents)
    assert_equals_oracle(ids, offsets, 10, tmp_path_factory.getbasetemp(), batch, limit, threads)


@pytest.fixture(scope="module")
def many():
    """80,000 documents, more than a block has: frequent and rare terms, a huge tf, empty documents, unknown terms."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(0, 12, 80_000)
    lengths[17] = 100_000
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    ids = np.minimum(rng.zipf(1.3, offsets[-1]), 3_001).astype(np.int32) - 2
    ids[offsets[17] : offsets[18] - 700] = 5
    return ids, offsets


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("limit", [0, LEAST, 3_000_000, 10**9])
def test_many_documents(tmp_path, many, threads, limit):
    counts = assert_equals_oracle(*many, 3_000, tmp_path, 4096, limit, threads)
    assert counts.spilled_bytes > 0 or limit != LEAST
    assert counts.spilled_bytes == 0 or 0 < limit < 10**9


def test_every_list_in_one_document_and_every_document_in_one_list(tmp_path):
    for documents, n_terms in ([[*range(500)]], 500), ([[0]] * 500, 1), ([[0] * 300] * 129, 1), ([], 0), ([[]], 3):
        ids, offsets = flat(documents)
        assert_equals_oracle(ids, offsets, n_terms, tmp_path)


def test_numbers_beyond_every_width():
    values = np.array([0, 1, 2**32 - 1, 5] * 40 + [2**31] * 128 + [0] * 128 + [7, 2**32 - 1], np.uint32)
    for n in (0, 1, 127, 128, 129, len(values)):
        np.testing.assert_array_equal(core.unpack_integers(core.pack_integers(values[:n])), values[:n])


@pytest.fixture(scope="module")
def texts():
    import json

    with (require("scifact") / "corpus.jsonl").open() as file:
        return [f"{row['title']} {row['text']}" for row in map(json.loads, file)]


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.data
@pytest.mark.parametrize("kind", [BM25Index, TfidfIndex])
def test_build_to_writes_what_build_and_save_write(tmp_path, texts, kind):
    names = [f"d{n}" for n in range(len(texts))]
    kind.build(texts, names).save(tmp_path / "saved")
    seen = []
    report = kind.build_to(tmp_path / "built", iter(texts), iter(names), threads=2, progress=seen.append)
    kind.build_to(tmp_path / "limited", iter(texts), names, threads=7, memory_limit=120 << 20)
    built = bytes_of(tmp_path / "built")
    own = {name: data for name, data in bytes_of(tmp_path / "saved").items() if name != "twotower.manifest"}
    assert built.items() >= own.items()
    assert built == bytes_of(tmp_path / "limited")
    assert seen == [4096, len(texts)]
    assert report.documents == len(texts)
    assert sum(report.disk_bytes.values()) <= sum(map(len, built.values())) < 1.02 * sum(report.disk_bytes.values())
    loaded = kind.load(tmp_path / "built")
    assert report.postings == len(loaded._content.postings["docs"])
    assert list(loaded.doc_ids) == names


def test_a_text_that_is_no_text_leaves_the_old_index(tmp_path):
    folder = tmp_path / "index"
    BM25Index.build(["sweet love"]).save(folder)
    before = bytes_of(folder)
    with pytest.raises(InputTypeError, match="text 1"):
        BM25Index.build_to(folder, ["sweet", 3])
    with pytest.raises(InvalidInputError, match="comes twice"):
        BM25Index.build_to(folder, ["sweet", "love"], ["a", "a"])
    with pytest.raises(InvalidInputError, match="saved"):
        BM25Index.build_to(folder, ["sweet"], analyzer=str.split)
    with pytest.raises(InvalidInputError, match="k1"):
        BM25Index.build_to(folder, ["sweet"], k1=-1)
    assert bytes_of(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_a_limit_too_small_names_the_least_that_works(tmp_path):
    with pytest.raises(InvalidInputError, match=r"memory_limit is 1000 bytes: a build needs \d+"):
        BM25Index.build(["sweet"], memory_limit=1000)
    with pytest.raises(InputTypeError, match="memory_limit"):
        BM25Index.build(["sweet"], memory_limit="2GB")
    builder = core.LexicalBuilder(10_000, 1, tmp_path)
    ids, offsets = flat([[0, 1, 2]])
    with pytest.raises(InvalidInputError, match="the least that works for these is") as caught:
        builder.add(ids, offsets, 3)
    least = int(str(caught.value).split("is ")[2].split(";")[0])
    core.LexicalBuilder(least, 1, tmp_path).add(ids, offsets, 3)
    with pytest.raises(InvalidInputError, match="the least"):
        core.LexicalBuilder(least - 1, 1, tmp_path).add(ids, offsets, 3)


def test_the_least_that_works_counts_the_documents_that_come():
    texts = ["a b"] * 1000
    with pytest.raises(InvalidInputError, match=r"after 1000 documents \(distinct terms: 1\): the least") as caught:
        BM25Index.build(texts, memory_limit=96 << 20, threads=1)
    least = int(str(caught.value).split("these is ")[1].split(";")[0])
    assert len(BM25Index.build(texts, memory_limit=np.int64(least), threads=1)) == 1000


@pytest.mark.parametrize(
    ("limit", "error"),
    [
        (2**62 + 1, InvalidInputError),
        (2**64, InvalidInputError),
        (-1, InvalidInputError),
        (0, InvalidInputError),
        (True, InputTypeError),
        (np.bool_(True), InputTypeError),
        (1e9, InputTypeError),
    ],
)
def test_memory_limits_out_of_range(limit, error):
    with pytest.raises(error, match="memory_limit is"):
        BM25Index.build(["sweet"], memory_limit=limit)
    assert len(BM25Index.build(["sweet"], memory_limit=2**62)) == 1


def test_no_folder_for_the_temporary_file(tmp_path, many):
    builder = core.LexicalBuilder(LEAST, 1, tmp_path / "absent")
    with pytest.raises(FileError, match="temporary file"):
        builder.add(*many, 3_000)


def test_a_vocabulary_that_shrinks_is_refused(tmp_path):
    builder = core.LexicalBuilder(0, 1, tmp_path)
    builder.add(*flat([[4]]), 5)
    with pytest.raises(InvalidInputError, match="smaller"):
        builder.add(*flat([[1]]), 4)


ENDLESS = """
    import itertools, signal, sys
    from twotower.index.bm25 import BM25Index
    signal.signal(signal.SIGINT, signal.default_int_handler)
    words = [f"w{n}" for n in range(5000)]
    def texts():
        for n in itertools.count():
            if n == 700_000:
                print("spilling", flush=True)
            yield words[n % 4999] + " " + words[n * 7 % 5000] + " " + words[n * 11 % 5000]
    def terms():
        return (text.split() for text in texts())
    BM25Index.build_to(sys.argv[1], terms(), threads=2, memory_limit=104 << 20)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_build_that_is_ended_leaves_nothing_behind_and_the_old_index(tmp_path, how):
    BM25Index.build(["sweet love"]).save(tmp_path / "index")
    before = bytes_of(tmp_path / "index")
    command = [sys.executable, "-c", textwrap.dedent(ENDLESS), tmp_path / "index"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"spilling\n"
            own = f"{tmp_path}/.twotower-build"
            assert any(name.startswith(own) and name.endswith("(deleted)") for name in _open_files(process.pid))
            process.send_signal(how)
            _, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode != 0
    assert how == signal.SIGKILL or b"KeyboardInterrupt" in error
    assert bytes_of(tmp_path / "index") == before
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def _open_files(pid):
    return [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]


def test_batches_of_lists_of_terms_number_documents_through(tmp_path):
    index = BM25Index.build(([str(n), "all"] for n in range(5000)), threads=1)
    assert len(index.postings("all")[0]) == 5000
    with pytest.raises(InputTypeError, match="text 4999"):
        BM25Index.build([["a"]] * 4999 + ["b"])


def test_ids_of_a_stream_are_those_of_a_list():
    texts = [f"t{n % 50} t{n % 7}" for n in range(5000)]
    vocabulary, streamed = Vocabulary(), Vocabulary()
    whole = Analyzer("plain").term_ids(texts, vocabulary, grow=True)
    parts = list(streamed.stream_ids([text.split() for text in texts], grow=True))
    np.testing.assert_array_equal(np.concatenate([part.ids for part in parts]), whole.ids)
    assert vocabulary == streamed


def test_a_deleted_working_directory_is_an_error_of_files(tmp_path):
    (tmp_path / "gone").mkdir()
    code = (
        "import os, twotower as tt\nos.rmdir(os.getcwd())\n"
        "try: tt.BM25Index.build_to('x', ['a'])\nexcept tt.errors.FileError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "gone", capture_output=True, text=True)
    assert "give a whole path" in done.stdout, done.stderr
