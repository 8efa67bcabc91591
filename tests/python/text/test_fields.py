"""One analyzer for each field: choice, batches, saving, errors; and that no text is query syntax."""

import copy
import json
import pickle

import pytest

import twotower as tt
from twotower import Analyzer, FieldAnalyzers, Vocabulary
from twotower.errors import InputTypeError, InvalidInputError, VersionWarning

FIELDS = FieldAnalyzers({"title": "plain", "body": Analyzer("german")}, default="english")


def test_each_field_has_its_analyzer():
    document = {"title": "Die Häuser", "body": "Die Häuser", "notes": "The houses"}
    assert FIELDS.analyze(document) == {"title": ["die", "häuser"], "body": ["haus"], "notes": ["hous"]}
    assert FIELDS.fields == ("title", "body")
    assert FIELDS["notes"].analyze("houses") == ["hous"]
    assert FIELDS.analyze_query("Häuser") == {"title": ["häuser"], "body": ["haus"]}
    assert FIELDS.analyze_query("Houses", ["notes"]) == {"notes": ["hous"]}


def test_columns_share_one_vocabulary():
    vocabulary = Vocabulary()
    columns = {"title": ["Haus", "Hund"], "body": ["die Häuser", ""]}
    found = FIELDS.term_ids(columns, vocabulary, grow=True, threads=2)
    assert vocabulary.terms() == ["haus", "hund"]
    assert {field: terms.ids.tolist() for field, terms in found.items()} == {"title": [0, 1], "body": [0]}
    with pytest.raises(InvalidInputError, match=r"columns differ in length: \{'title': 1, 'body': 2\}"):
        FIELDS.term_ids({"title": ["a"], "body": ["b", "c"]}, Vocabulary(), grow=True)


def test_terms_of_fields_make_an_index():
    documents = [{"title": "Häuser", "body": "im Wald"}, {"title": "Wald", "body": "ohne Haus"}]
    terms = [[*found["title"], *found["body"]] for found in map(FIELDS.analyze, documents)]
    index = tt.BM25Index.build(terms)
    assert index.search([FIELDS.analyze_query("Haus")["body"]], k=1).docs.tolist() == [[1]]


def test_config_survives_json_and_copies():
    config = json.loads(json.dumps(FIELDS.to_config()))
    again = FieldAnalyzers.from_config(config)
    assert again.to_config() == config
    assert repr(again) == repr(FIELDS).replace("'german'", repr("german"))
    for other in (again, copy.deepcopy(FIELDS), pickle.loads(pickle.dumps(FIELDS))):
        assert other.analyze({"body": "Häuser", "x": "houses"}) == {"body": ["haus"], "x": ["hous"]}
    config["fields"]["title"]["unicode_version"] = "3.0.0"
    with pytest.warns(VersionWarning, match="Unicode 3"):
        FieldAnalyzers.from_config(config)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: FieldAnalyzers({"a": "plain"})["b"], InvalidInputError, "no analyzer for field 'b': there are a, no"),
        (lambda: FieldAnalyzers({}), InvalidInputError, "neither a field nor a default"),
        (lambda: FieldAnalyzers(["a"]), InputTypeError, "fields is of type list"),
        (lambda: FieldAnalyzers({1: "plain"}), InputTypeError, "field 1 is of type int"),
        (lambda: FieldAnalyzers({"a": "klingon"}), InvalidInputError, "unknown analyzer 'klingon'"),
        (lambda: FIELDS.analyze("text"), InputTypeError, "document is of type str"),
        (lambda: FIELDS.analyze({"title": 7}), InputTypeError, "is of type int"),
        (lambda: FieldAnalyzers.from_config([]), InputTypeError, "config is of type list"),
        (lambda: FieldAnalyzers.from_config({"version": 1}), InvalidInputError, "it must have default, fields"),
        (lambda: FieldAnalyzers.from_config({**FIELDS.to_config(), "version": 2}), InvalidInputError, "version 2"),
        (lambda: FieldAnalyzers.from_config({**FIELDS.to_config(), "fields": []}), InputTypeError, "fields is of type"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


HOSTILE = [
    '+sweet -love "sweet nurse"~2',
    "title:sweet AND (love OR nurse) NOT sorrow",
    "swe*t sw?et /s.*t/ sweet~0.8 love^5",
    "[a TO z] {a TO z} \\+\\- && || !love",
    "sweet:love) ((( \" ' ] } ~ ^ * ? : \\",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_free_text_is_never_query_syntax(query):
    plain = Analyzer("plain")
    letters_alone = "".join(char if char.isalnum() else " " for char in query)
    assert plain.analyze(query) == letters_alone.lower().split()
    texts = ["sweet love", "nurse and sorrow", "to or not"]
    index = tt.BM25Index.build(texts, analyzer="plain")
    by_text, by_terms = index.search([query], k=3), index.search([letters_alone.lower().split()], k=3)
    assert by_text.docs.tolist() == by_terms.docs.tolist()
    assert by_text.scores.tolist() == by_terms.scores.tolist()
