"""The engine: what it finds, that saving and loading change nothing, and that a kill or damage never passes unseen."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import twotower as tt
from twotower.engine.bodies import Bodies
from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError
from twotower.storage import StringTable, pack_strings, read_container

TEXTS = ["Sweet sweet nurse! Love?", "Sweet sorrow", "How sweet is love?", "Nurse!"]


def collection():
    corpus = {f"d{i}": tt.Document(text, f"title {i}") for i, text in enumerate(TEXTS)}
    queries = {"q1": "sweet love", "q2": "nurse"}
    return tt.Collection("course", corpus, queries, {"valid": {"q1": {"d2": 1}, "q2": {"d3": 1}}})


def model():
    vocabulary = tt.Vocabulary.count(TEXTS, tt.Analyzer("english"))
    return tt.TwoTower.average(vocabulary, "english", dim=8)


@pytest.fixture(params=["bm25", "rrf", "linear"])
def engine(request):
    if request.param == "bm25":
        return tt.Engine.build(TEXTS)
    if request.param == "rrf":
        return tt.Engine.build(TEXTS, model=model())
    return tt.Engine.build(collection(), model=model())


@pytest.mark.parametrize("source", [TEXTS, collection()])
def test_an_engine_of_cut_vectors_is_saved_as_such(source, tmp_path):
    engine = tt.Engine.build(source, model=model(), dim=3)
    assert engine.searchers["dense"].index.dim == 3
    engine.save(tmp_path / "engine")
    again = tt.Engine.load(tmp_path / "engine")
    assert again.searchers["dense"].dim == 3
    queries = ["sweet love", "nurse", "sorrow"]
    assert again.search(queries, k=4) == engine.search(queries, k=4)
    assert again.searchers["dense"].encode(queries).shape == (3, 3)


def test_a_dim_asks_for_a_model_that_has_as_many():
    with pytest.raises(InvalidInputError, match="dim is 3, but BM25"):
        tt.Engine.build(TEXTS, dim=3)
    for dim in (0, 1, 9):
        with pytest.raises(InvalidInputError):
            tt.Engine.build(TEXTS, model=model(), dim=dim)


def test_plain_texts_are_numbered_and_found():
    hits = tt.Engine.build(TEXTS).search("sweet love", k=3)
    assert [hit.doc_id for hit in hits] == ["0", "2", "1"]
    assert hits[0].snippet == "Sweet sweet nurse! Love?"


def test_documents_and_dicts_keep_title_and_id():
    source = [{"text": "sweet love", "title": "A", "doc_id": "x"}, tt.Document("sorrow", "B"), "nothing else"]
    engine = tt.Engine.build(source)
    (hit,) = engine.search("sorrow")
    assert (hit.doc_id, hit.title, hit.snippet) == ("1", "B", "sorrow")
    assert engine.search("a sweet")[0].doc_id == "x"


def test_a_document_is_got_by_a_docid_that_there_is():
    engine = tt.Engine.build(TEXTS)
    assert engine.document(3) == tt.Document("Nurse!")
    for doc, error in ((-1, InvalidInputError), (4, InvalidInputError), ("0", InputTypeError), (True, InputTypeError)):
        with pytest.raises(error, match="doc"):
            engine.document(doc)


def test_the_parts_of_a_score_sum_to_it(engine):
    for hit in engine.search("sweet nurse", k=4):
        assert sum(hit.parts.values()) == pytest.approx(hit.score, rel=1e-5, abs=1e-6)


def test_several_queries_are_several_lists(engine):
    assert engine.search(["sweet love", "nurse"], k=2) == [
        engine.search("sweet love", k=2),
        engine.search("nurse", k=2),
    ]
    assert engine.search([], k=2) == []


@pytest.mark.parametrize("k", [0, 1, 4, 9])
def test_any_k_is_legal(engine, k):
    assert len(engine.search("sweet", k=k)) <= min(k, 4)


def test_an_empty_corpus_finds_nothing():
    assert tt.Engine.build([]).search("sweet") == []
    assert tt.Engine.build([], model=model()).search("sweet") == []


def test_saving_and_loading_change_nothing(engine, tmp_path):
    queries = ["sweet love", "nurse", "", "unknown words"]
    before = engine.search(queries, k=4)
    engine.save(tmp_path / "engine")
    assert tt.Engine.load(tmp_path / "engine").search(queries, k=4) == before


def test_texts_are_kept_once(tmp_path):
    built = tt.Engine.build([{"text": "b", "title": "a"}, {"text": " c d"}, {"text": "", "title": "e"}, {"text": ""}])
    built.save(tmp_path)
    assert "texts" not in read_container(tmp_path, "engine")[1]
    for engine in (built, tt.Engine.load(tmp_path)):
        assert list(engine.bm25.texts) == ["a b", " c d", "e ", ""]
        assert [engine.document(doc).text for doc in range(4)] == ["b", " c d", "", ""]
        assert [engine.document(doc).title for doc in range(4)] == ["a", "", "e", ""]


def test_engines_that_kept_texts_beside_the_index_are_read(tmp_path):
    source = collection()
    texts, titles = ([getattr(d, part) for d in source.corpus.values()] for part in ("text", "title"))
    bm25 = tt.BM25Index.build((d.full_text for d in source.corpus.values()), list(source.corpus))
    tt.Engine(StringTable(*pack_strings(texts)), StringTable(*pack_strings(titles)), bm25).save(tmp_path)
    assert "texts" in read_container(tmp_path, "engine")[1]
    old, new = tt.Engine.load(tmp_path), tt.Engine.build(source)
    assert old.search("sweet love") == new.search("sweet love")
    old.save(tmp_path / "again")
    assert tt.Engine.load(tmp_path / "again").document(1) == new.document(1)


def test_an_engine_without_texts_is_refused(tmp_path):
    bm25 = tt.BM25Index.build(["a", "b"])
    titles = StringTable(*pack_strings(["", ""]))
    tt.Engine(Bodies(["a", "b"], titles), titles, bm25).save(tmp_path / "bad")
    with pytest.raises(CorruptFileError, match="texts are missing"):
        tt.Engine.load(tmp_path / "bad")


def test_a_second_save_replaces_the_first(tmp_path):
    tt.Engine.build(TEXTS, model=model()).save(tmp_path)
    tt.Engine.build(["only this"]).save(tmp_path)
    assert len(tt.Engine.load(tmp_path)) == 1
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("parts-")]) == 1


def test_fusion_is_tuned_on_the_valid_split_only_where_there_is_one():
    assert tt.Engine.build(TEXTS, model=model()).fusion["fusion"] == "rrf"
    assert tt.Engine.build(collection(), model=model()).fusion["fusion"] == "linear"


def test_wrong_documents_are_refused():
    with pytest.raises(InputTypeError, match="one string"):
        tt.Engine.build("sweet love")
    with pytest.raises(InputTypeError, match="document 1"):
        tt.Engine.build(["a", 7])
    with pytest.raises(InvalidInputError, match=r"document 0.*'text'"):
        tt.Engine.build([{"title": "no text"}])
    with pytest.raises(InvalidInputError, match=r"document 1.*'x'"):
        tt.Engine.build([{"text": "a", "doc_id": "x"}, {"text": "b", "doc_id": "x"}])


def test_a_missing_engine_is_a_file_error(tmp_path):
    with pytest.raises(FileError):
        tt.Engine.load(tmp_path / "none")
    (tmp_path / "file").write_text("no engine")
    with pytest.raises((FileError, CorruptFileError)):
        tt.Engine.load(tmp_path / "file")
    with pytest.raises(FileError):
        tt.Engine.build(TEXTS).save(tmp_path / "file")


def test_missing_parts_are_reported(tmp_path):
    tt.Engine.build(TEXTS, model=model()).save(tmp_path / "engine")
    parts = next((tmp_path / "engine").glob("parts-*"))
    for name in ("bm25", "dense", "model"):
        shutil.move(parts / name, tmp_path / name)
        with pytest.raises((FileError, CorruptFileError)):
            tt.Engine.load(tmp_path / "engine")
        shutil.move(tmp_path / name, parts / name)
    assert len(tt.Engine.load(tmp_path / "engine")) == 4


def test_parts_of_different_engines_do_not_pass_as_one(tmp_path):
    tt.Engine.build(TEXTS).save(tmp_path / "a")
    tt.Engine.build(TEXTS[:2]).save(tmp_path / "b")
    mine, other = (next((tmp_path / name).glob("parts-*")) for name in "ab")
    shutil.rmtree(mine / "bm25")
    shutil.copytree(other / "bm25", mine / "bm25")
    with pytest.raises(CorruptFileError, match="do not belong together"):
        tt.Engine.load(tmp_path / "a")


SAVER = """
import sys, twotower as tt
engines = [tt.Engine.build(["old text"] * 50), tt.Engine.build(["new words"] * 70)]
print("ready", flush=True)
while True:
    for engine in engines:
        engine.save(sys.argv[1])
"""


def test_a_kill_leaves_the_old_engine_or_the_new(tmp_path):
    tt.Engine.build(["old text"] * 50).save(tmp_path / "engine")
    for delay in (0.005, 0.011, 0.02, 0.033, 0.05):
        child = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(tmp_path / "engine")], stdout=subprocess.PIPE, env=os.environ.copy()
        )
        child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        engine = tt.Engine.load(tmp_path / "engine")
        assert (len(engine), engine.document(0).text) in {(50, "old text"), (70, "new words")}


def test_a_model_of_another_engine_does_not_pass(tmp_path):
    vocabulary = tt.Vocabulary.count(TEXTS, tt.Analyzer("english"))
    other = tt.TwoTower.average(vocabulary, "english", dim=8, seed=5)
    tt.Engine.build(TEXTS, model=model()).save(tmp_path / "engine")
    parts = next((tmp_path / "engine").glob("parts-*"))
    other.save_pretrained(parts / "model")
    with pytest.raises(CorruptFileError, match="do not belong together"):
        tt.Engine.load(tmp_path / "engine")


def test_a_model_never_replaces_what_is_no_model(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileError, match="other files"):
        model().save_pretrained(tmp_path / "precious")
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "years of work"
    model().save_pretrained(tmp_path / "model")
    (tmp_path / "link").symlink_to(tmp_path / "model")
    model().save_pretrained(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert {path.stat().st_mode & 0o444 for path in (tmp_path / "model").iterdir()} == {
        (tmp_path / "model" / "config.json").stat().st_mode & 0o444
    }
