"""Saved lexical indexes: the same answers after loading, and no trust in what the folder says."""

import numpy as np
import pytest

from twotower.errors import CorruptFileError, FileError, InvalidInputError
from twotower.index.bm25 import BM25Index
from twotower.index.tfidf import TfidfIndex
from twotower.storage import read_container, write_container
from twotower.text import Analyzer

TEXTS = ["Sweet sweet nurse! Love?", "Sweet sorrow", "", "How sweet is love?", "東京 Größe"]
QUERIES = ["sweet love", "nurse", "größe", "東京", "nothing"]


@pytest.fixture(params=[BM25Index, TfidfIndex])
def kind(request):
    return request.param


def assert_same_answers(a, b):
    left, right = a.search(QUERIES), b.search(QUERIES)
    assert np.array_equal(left.docs, right.docs)
    assert np.array_equal(left.scores, right.scores)
    assert left.doc_ids == right.doc_ids


@pytest.mark.parametrize("doc_ids", [None, ["a", "b", "ç", "", "e"]])
def test_round_trip(kind, tmp_path, doc_ids):
    index = kind.build(TEXTS, doc_ids)
    index.save(tmp_path / "index")
    loaded = kind.load(tmp_path / "index")
    assert len(loaded) == len(index)
    assert_same_answers(index, loaded)
    assert loaded.vocabulary.terms() == index.vocabulary.terms()
    assert loaded.analyzer.to_config() == index.analyzer.to_config()
    assert loaded.postings("sweet")[0] == index.postings("sweet")[0]
    loaded.save(tmp_path / "index")  # over its own mapped files
    assert_same_answers(index, loaded)
    assert_same_answers(index, kind.load(tmp_path / "index"))


def test_empty_index(kind, tmp_path):
    kind.build([]).save(tmp_path)
    assert kind.load(tmp_path).search("sweet") == []


def test_options_are_saved(tmp_path):
    BM25Index.build(TEXTS, variant="bm25l", k1=1.5, b=0.3, delta=0.25).save(tmp_path)
    loaded = BM25Index.load(tmp_path)
    assert (loaded.variant, loaded.k1, loaded.b, loaded.delta, loaded.log_base) == ("bm25l", 1.5, 0.3, 0.25, None)


def test_the_analyzer_is_saved(kind, tmp_path):
    kind.build(TEXTS, analyzer=Analyzer(stop_words=["nurse"], stemmer=None)).save(tmp_path)
    loaded = kind.load(tmp_path)
    assert loaded.analyzer.analyze("Nurse loves") == ["loves"]


def test_a_callable_analyzer_cannot_be_saved(kind, tmp_path):
    with pytest.raises(InvalidInputError, match="saved"):
        kind.build(TEXTS, analyzer=str.split).save(tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_another_kind(tmp_path):
    BM25Index.build(TEXTS).save(tmp_path)
    with pytest.raises(CorruptFileError):
        TfidfIndex.load(tmp_path)


def test_no_folder(kind, tmp_path):
    with pytest.raises(FileError):
        kind.load(tmp_path / "absent")


def _drop(name):
    return lambda meta, arrays: arrays.pop(name)


def _put(name, change):
    return lambda meta, arrays: arrays.update({name: change(arrays[name].copy())})


def _set(name, place, value):
    def change(array):
        array[place] = value
        return array

    return _put(name, change)


DAMAGES = {
    **{f"no {name}": _drop(name) for name in ("term_offsets", "docs", "tfs", "doc_lengths", "vocabulary", "doc_ids")},
    "dtype": _put("docs", lambda a: a.astype(np.int64)),
    "shape": _put("docs", lambda a: a[np.newaxis]),
    "offset falls": _set("term_offsets", 1, 100),
    "document out of range": _set("docs", 0, 99),
    "documents fall": _set("docs", 1, 0),
    "tf of zero": _set("tfs", 0, 0),
    "length too short": _set("doc_lengths", 0, 1),
    "a document too few": _put("doc_lengths", lambda a: a[:-1]),
    "a term too few": _put("vocabulary_offsets", lambda a: a[:-1]),
    "vocabulary not UTF-8": _set("vocabulary", 0, 0xFF),
    "no analyzer": lambda meta, arrays: meta.pop("analyzer"),
    "analyzer malformed": lambda meta, arrays: meta.update(analyzer={"stop_words": 3}),
    "no scoring": lambda meta, arrays: meta.pop("scoring"),
    "scoring malformed": lambda meta, arrays: meta.update(scoring=[1]),
}
SCORING_DAMAGES = [{}, {"k1": -1}, {"k1": "1"}, {"variant": "none"}, {"delta": 3.0}, {"extra": 1}]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_with_valid_checksums(kind, tmp_path, damage):
    index = kind.build(TEXTS, list("abcde"))
    index.save(tmp_path / "good")
    meta, arrays = read_container(tmp_path / "good", kind.kind)
    meta, arrays = dict(meta), dict(arrays)
    damage(meta, arrays)
    write_container(tmp_path / "bad", kind.kind, meta, arrays)
    with pytest.raises(CorruptFileError):
        kind.load(tmp_path / "bad")


@pytest.mark.parametrize("change", SCORING_DAMAGES, ids=str)
def test_malformed_bm25_options(tmp_path, change):
    BM25Index.build(TEXTS).save(tmp_path / "good")
    meta, arrays = read_container(tmp_path / "good", "bm25")
    meta["scoring"] = {**meta["scoring"], **change} if change else {}
    write_container(tmp_path / "bad", "bm25", meta, arrays)
    with pytest.raises(CorruptFileError):
        BM25Index.load(tmp_path / "bad")
