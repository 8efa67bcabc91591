"""Triples and plain Python values become collections."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twotower as tt
from twotower.data import Triple, collection_from_triples, collection_from_values
from twotower.errors import DataFormatError, InvalidInputError

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
TRIPLES = st.lists(st.builds(Triple, TEXTS, TEXTS, st.none() | TEXTS), max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("triples")


@given(triples=TRIPLES)
def test_triples_read_back_from_jsonl(triples, folder):
    tt.write_triples(triples, folder / "t.jsonl")
    assert list(tt.read_triples(folder / "t.jsonl")) == triples


@given(triples=TRIPLES)
def test_triples_read_back_from_tsv_or_are_refused(triples, folder):
    if any(character in text for triple in triples for text in triple if text for character in "\t\n\r"):
        with pytest.raises(InvalidInputError, match=r"\.jsonl"):
            tt.write_triples(triples, folder / "t.tsv")
    else:
        tt.write_triples(triples, folder / "t.tsv")
        assert list(tt.read_triples(folder / "t.tsv")) == triples


def test_a_collection_from_triples():
    rows = [
        ("what is salt", "Salt is white.", "Snow is white."),
        ["What  is salt", "It is NaCl."],
        ("snow", "snow is white."),
    ]
    collection = tt.load_collection(rows)
    assert [document.text for document in collection.corpus.values()] == [
        "Salt is white.",
        "Snow is white.",
        "It is NaCl.",
    ]
    salt, snow = collection.queries
    white, cold, chemical = collection.corpus
    assert collection.qrels == {"train": {salt: {white: 1, cold: 0, chemical: 1}, snow: {cold: 1}}}
    assert collection.candidates == {salt: [white, cold, chemical], snow: [cold]}
    assert collection.pairs("train") == [(salt, white), (salt, chemical), (snow, cold)]


def test_triples_of_a_file_by_its_name_and_fields(tmp_path):
    rows = [Triple("q", "yes", "no")]
    for name in ("t.tsv", "t.jsonl"):
        tt.write_triples(rows, tmp_path / name)
        collection = tt.load_collection(tmp_path / name, split="valid")
        assert collection.name == "t"
        assert collection.fingerprint() == collection_from_triples(rows, split="valid").fingerprint()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("only",), "triple 2: must be .query, relevant. or"),
        ("ab", "triple 2: must be"),
        (("q", 5), "triple 2, positive: must be a string, got int 5"),
        (("q", "b", "x\ud800"), "triple 2, negative: lone surrogate"),
        (("q", "c", "B"), "triple 2: query .* have grade 0, but 1 at triple 1"),
    ],
)
def test_a_bad_triple_is_named(row, message):
    with pytest.raises(DataFormatError, match=message):
        collection_from_triples([("q", "b"), row])


def test_bad_triple_files(tmp_path):
    (tmp_path / "t.tsv").write_text("a\tb\tc\nalone\n")
    with pytest.raises(DataFormatError, match=r"t\.tsv, line 2: must have 2 or 3 fields"):
        list(tt.read_triples(tmp_path / "t.tsv"))
    (tmp_path / "t.jsonl").write_text(json.dumps({"query": "a"}) + "\n")
    with pytest.raises(DataFormatError, match=r"t\.jsonl, line 1: no field 'positive': it has 'query'"):
        list(tt.read_triples(tmp_path / "t.jsonl"))
    for ending in ("t.txt", "t"):
        with pytest.raises(InvalidInputError, match=r"\.tsv or \.jsonl"):
            tt.read_triples(tmp_path / ending)


def test_a_collection_from_any_shape_of_values():
    by_id = collection_from_values(
        {"0": "red shoes", "1": tt.Document("blue", "hat")}, {"0": "hat"}, {"test": {"0": {"1": 1}}}
    )
    mappings = ({"text": "red shoes"}, {"title": "hat", "text": "blue"})
    by_place = tt.load_collection({"corpus": iter(mappings), "queries": ["hat"], "qrels": {"test": {"0": {"1": 1}}}})
    assert by_id.fingerprint() == by_place.fingerprint()
    named = collection_from_values([{"_id": "x", "text": "a"}, "b"])
    assert list(named.corpus) == ["x", "1"]
    assert collection_from_values([]).corpus == {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"corpus": "one text"}, "corpus: must be a mapping or an iterable of texts, got one string"),
        ({"corpus": [5]}, r"corpus\[0\]: must be a string, got int 5"),
        ({"corpus": {5: "a"}}, r"corpus\[5\], id: must be a string, got int 5"),
        ({"corpus": ["a", {"_id": "0", "text": "b"}]}, r"corpus\[1\]: id '0' comes twice"),
        ({"corpus": ["a"], "queries": [None]}, r"queries\[0\]: must be a string"),
        (
            {"corpus": ["a"], "queries": ["q"], "qrels": {"test": {"0": 1}}},
            r"qrels\['test'\]\['0'\]: must be an object",
        ),
        ({"corpus": ["a"], "queries": ["q"], "qrels": {"test": {"1": {"0": 1}}}}, "unknown query '1'"),
        ({"corpus": ["a"], "queries": ["q"], "qrels": {"test": {"0": {"9": 1}}}}, "unknown document '9'"),
        (
            {"corpus": ["a"], "queries": ["q"], "qrels": {"test": {"0": {"0": 1.0}}}},
            "must be an integer, got float 1.0",
        ),
        ({"texts": ["a"]}, "must have the key 'corpus'"),
    ],
)
def test_bad_values_are_named(values, message):
    with pytest.raises(InvalidInputError, match=message):
        tt.load_collection(values)
