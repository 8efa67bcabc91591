"""Stored texts: the ones that were given, in memory and mapped, and no trust in what a folder says."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError
from twotower.index import BM25Index, HashedNgramIndex, TfidfIndex
from twotower.index.lexical_build import OUTSIDE_BYTES
from twotower.storage import StringTable, read_container, write_container

TEXTS = ["Sweet sweet nurse! Love?", "", "How sweet is love?", "東京 Größe \x00 😀"]
IDS = ["a", "b", "ç", ""]
KINDS = [BM25Index, TfidfIndex, HashedNgramIndex]


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(kind, tmp_path):
    index = kind.build(iter(TEXTS), IDS, store_texts=True)
    index.save(tmp_path / "saved")
    kind.build_to(tmp_path / "built", np.array(TEXTS), IDS, store_texts=True)
    report = kind.build_to(tmp_path / "limited", TEXTS, IDS, store_texts=True, memory_limit=OUTSIDE_BYTES + (10 << 20))
    assert report.disk_bytes["texts"] == sum(len(text.encode()) for text in TEXTS)
    for read in (index, *(kind.load(tmp_path / name) for name in ("saved", "built", "limited"))):
        assert list(read.texts) == TEXTS
        assert [read.text(doc_id) for doc_id in IDS] == TEXTS
        assert [read.texts[hit.doc] for hit in read.search("nurse")] == TEXTS[:1]
        assert read.memory()["texts"] == report.disk_bytes["texts"]
        assert read.memory()["text_lengths"] == 16
    saved = [read_container(tmp_path / name, kind.kind)[1] for name in ("saved", "built", "limited")]
    for arrays in saved[1:]:
        assert {name: array.tobytes() for name, array in arrays.items()} == {
            name: array.tobytes() for name, array in saved[0].items()
        }
    kind.load(tmp_path / "saved").save(tmp_path / "saved")  # over its own mapped file
    assert list(kind.load(tmp_path / "saved").texts) == TEXTS


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.text(max_size=20), max_size=8))
def test_any_text(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    BM25Index.build_to(folder, texts, store_texts=True, memory_limit=OUTSIDE_BYTES + (10 << 20))
    assert list(BM25Index.load(folder).texts) == texts


def test_an_index_without_texts(tmp_path):
    BM25Index.build(TEXTS, IDS).save(tmp_path)
    assert "texts" not in read_container(tmp_path, "bm25")[1]
    for index in (BM25Index.build(TEXTS, IDS), BM25Index.load(tmp_path)):
        assert index.texts is None
        assert "texts" not in index.memory()
        with pytest.raises(InvalidInputError, match="store_texts=True"):
            index.text("a")
    with pytest.raises(InvalidInputError, match="no document"):
        BM25Index.build(TEXTS, IDS, store_texts=True).text("nobody")


@pytest.mark.parametrize("build", [BM25Index.build, lambda *a, **o: BM25Index.build_to("never", *a, **o)])
def test_bad_input(build):
    with pytest.raises(InputTypeError, match="text 0 is of type list: stored texts"):
        build([["a"]], store_texts=True)
    with pytest.raises(InputTypeError, match="text 1 is of type int"):
        build(["a", 3], store_texts=True)
    with pytest.raises(InvalidInputError, match="text 1 cannot be saved as UTF-8"):
        build(["a", "\ud800"], store_texts=True)
    with pytest.raises(InputTypeError, match="store_texts is 'yes'"):
        build(["a"], store_texts="yes")


DAMAGES = {
    "no lengths": lambda arrays: arrays.pop("text_lengths"),
    "cut": lambda arrays: arrays.update(texts=arrays["texts"][:-1]),
    "not UTF-8": lambda arrays: arrays.update(texts=np.full_like(arrays["texts"], 0xFF)),
    "dtype": lambda arrays: arrays.update(texts=arrays["texts"].astype(np.int32)),
    "shape": lambda arrays: arrays.update(texts=arrays["texts"][np.newaxis]),
    "dtype of lengths": lambda arrays: arrays.update(text_lengths=arrays["text_lengths"].astype(np.int32)),
    "lengths cut": lambda arrays: arrays.update(text_lengths=arrays["text_lengths"][:-1]),
    "lengths of others": lambda arrays: arrays.update(text_lengths=arrays["doc_id_lengths"]),
    "inside a character": lambda arrays: arrays.update(texts=np.frombuffer(_shifted(arrays["texts"]), np.uint8)),
}


def _shifted(texts):
    raw = texts.tobytes()
    first = len(TEXTS[0].encode())
    return raw[: first - 1] + "é".encode() + raw[first + 1 :]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_with_valid_checksums(tmp_path, damage):
    BM25Index.build(TEXTS, IDS, store_texts=True).save(tmp_path / "good")
    meta, arrays = read_container(tmp_path / "good", "bm25")
    arrays = dict(arrays)
    damage(arrays)
    write_container(tmp_path / "bad", "bm25", meta, arrays)
    with pytest.raises(CorruptFileError):
        BM25Index.load(tmp_path / "bad")


def test_utf8_is_checked_across_pieces():
    good = ("a" + "😀" * (3 << 18)).encode()
    offsets = np.array([0, len(good)])
    assert len(StringTable(np.frombuffer(good, np.uint8), offsets)[0]) == 1 + (3 << 18)
    for bad in (good[:-1], good[:1048574] + b"\xff" + good[1048575:]):
        with pytest.raises(CorruptFileError, match="UTF-8"):
            StringTable(np.frombuffer(bad, np.uint8), np.array([0, len(bad)]))


MEMORY = """
    import sys
    import threading
    from pathlib import Path
    from twotower.index import BM25Index
    from twotower.index.lexical_build import OUTSIDE_BYTES

    def own_memory():  # without mapped files, which the system may take back at any time
        status = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

    def watch():
        while not done.wait(0.01):
            seen.append(own_memory())

    BM25Index.build_to(sys.argv[1], ["warm up"], store_texts=True)
    done, seen, before = threading.Event(), [], own_memory()
    watching = threading.Thread(target=watch)
    watching.start()
    limit = OUTSIDE_BYTES + (20 << 20)
    texts = (f"word{n % 100} " + "the " * 1250 for n in range(60_000))
    report = BM25Index.build_to(sys.argv[1], texts, store_texts=True, memory_limit=limit)
    done.set()
    watching.join()
    assert report.disk_bytes["texts"] > 280 << 20, report
    assert len(seen) > 10
    assert max(seen) - before < limit, (max(seen) - before, limit)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_texts_stay_within_the_memory_limit(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEMORY), tmp_path / "x"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert BM25Index.load(tmp_path / "x").texts[59_999].startswith("word99 the the")


def test_a_refused_spill_names_the_folder(tmp_path, monkeypatch):
    def refuse(**options):
        raise OSError("no space")

    monkeypatch.setattr("twotower.index.stored_texts.tempfile.TemporaryFile", refuse)
    with pytest.raises(FileError, match="no space"):
        BM25Index.build_to(tmp_path / "x", ["a"], store_texts=True, memory_limit=OUTSIDE_BYTES + (10 << 20))


FULL_DISK = """
    import resource, signal, sys
    from twotower.errors import FileError
    from twotower.index import BM25Index
    from twotower.index.lexical_build import OUTSIDE_BYTES

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    texts = ("the " * 1000 for n in range(1000))
    try:
        BM25Index.build_to(sys.argv[1], texts, store_texts=True, memory_limit=OUTSIDE_BYTES + (10 << 20))
    except FileError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_full_disk_is_one_error_and_no_noise(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), tmp_path / "x"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "the temporary file of the texts cannot be written" in done.stdout
    assert done.stderr == ""
    assert not (tmp_path / "x").exists()
