"""BM25F: scores against plain Python, fields and their analyzers, explanations, and no trust in a saved folder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index import BM25FIndex, BM25Index
from twotower.index.native import core
from twotower.storage import read_container, write_container
from twotower.text import FieldAnalyzers
from twotower.types import Document
from weighted_oracles import BM25FOracle

TERMS = st.lists(st.sampled_from("abcdef"), max_size=8)
QUERIES = st.lists(st.lists(st.sampled_from("abcdefxyz"), max_size=6), min_size=1, max_size=3)
UNIT = st.floats(0, 1)
PAGES = [
    {"title": "Love", "text": "Sweet sweet nurse"},
    {"title": "", "text": "Sweet sorrow"},
    {"text": "How sweet is love?"},
    {"title": "Nurse!", "text": "", "url": "left aside"},
]


@settings(max_examples=120, deadline=None)
@given(data=st.data(), n_fields=st.integers(1, 3), queries=QUERIES, k1=st.floats(0, 3))
def test_scores_are_those_of_plain_python(data, n_fields, queries, k1):
    names = ["one", "two", "three"][:n_fields]
    documents = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, TERMS)), max_size=10))
    weights = {field: data.draw(st.floats(0.01, 10)) for field in names}
    b = {field: data.draw(UNIT) for field in names}
    index = BM25FIndex.build(documents, fields=weights, b=b, k1=k1)
    oracle = BM25FOracle(documents, weights, b, k1)
    n = len(documents)
    for algorithm in ["auto", *core.query_algorithms()]:
        for k in (1, 3, n + 2):
            hits = index.search(queries, k, algorithm=algorithm)
            for q, query in enumerate(queries):
                expected = oracle.rank(query, k)
                padding = k - len(expected)
                assert hits.docs[q].tolist() == [doc for _, doc in expected] + [-1] * padding
                assert hits.scores[q].tolist() == [float(score) for score, _ in expected] + [-np.inf] * padding


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(TERMS, max_size=12), queries=QUERIES, k1=st.floats(0, 3), b=UNIT)
def test_one_field_is_bm25_to_a_unit_in_the_last_place(documents, queries, k1, b):
    fielded = BM25FIndex.build([{"text": terms} for terms in documents], fields={"text": 1.0}, k1=k1, b=b)
    plain = BM25Index.build(documents, k1=k1, b=b)
    everything = np.tile(np.arange(len(documents)), (len(queries), 1))
    np.testing.assert_array_max_ulp(fielded.score(queries, everything), plain.score(queries, everything), 1)


def test_worked_by_hand():
    """k1 = 1, w = (2, 1), b = .5; "a" in one of three documents: idf = ln(1 + 2.5 / 1.5).

    Its title has 1.5 times the mean length 2/3, so tf' = 2 / 1.25; its text 1.8 times 5/3, so tf' = 2 / 1.4.
    """
    documents = [
        {"title": ["a"], "text": ["a", "a", "b"]},
        {"title": [], "text": ["b"]},
        {"title": ["b"], "text": ["b"]},
    ]
    index = BM25FIndex.build(documents, fields={"title": 2.0, "text": 1.0}, b=0.5, k1=1.0)
    tf = 1.6 + 2 / 1.4
    [hit] = index.search([["a"]])[0]
    assert hit.doc == 0
    assert hit.score == pytest.approx(0.9808292530117262 * tf / (1 + tf), rel=1e-6)
    [part] = index.explain(["a"], "0").terms
    assert (part.tf, part.df) == (3, 1)
    assert part.fields["title"].weighted_tf == pytest.approx(1.6)
    assert part.fields["text"].weighted_tf == pytest.approx(2 / 1.4)
    assert part.fields["title"].score == pytest.approx(hit.score * 1.6 / tf, rel=1e-6)
    assert (part.fields["text"].tf, part.fields["text"].length) == (2, 3)


def test_a_weight_lifts_its_field():
    order = {}
    for weight in (0.1, 10.0):
        index = BM25FIndex.build(PAGES, ["a", "b", "c", "d"], fields={"title": weight, "text": 1.0})
        order[weight] = [hit.doc_id for hit in index.search("nurse")]
    assert order == {0.1: ["a", "d"], 10.0: ["d", "a"]}


def test_documents_of_a_collection():
    documents = [Document("Sweet sorrow", "Love"), Document("nurse")]
    index = BM25FIndex.build(documents, ["x", "y"], fields={"text": 1.0, "title": 3.0})
    assert [hit.doc_id for hit in index.search("love")] == ["x"]
    assert index.postings("love")[1].tolist() == [[0, 1]]
    assert index.postings("unknown")[1].shape == (0, 2)
    assert repr(index) == "BM25FIndex(2 documents, 4 terms, 4 postings)"


def test_each_field_has_its_own_analyzer():
    analyzers = FieldAnalyzers({"title": "plain", "text": "english"})
    pages = [
        {"title": "nurses", "text": "they loved"},
        {"title": "love", "text": "nurses"},
        {"title": "x", "text": "loves"},
    ]
    index = BM25FIndex.build(pages, analyzer=analyzers)
    assert {hit.doc_id for hit in index.search("nurses")} == {"0", "1"}
    assert [part.term for part in index.explain("nurses loved", "0").terms] == [
        "nurses",
        "nurs",
        "love",
    ]  # no title has "loved"
    love = index.explain("love", "1").terms  # one form in both analyzers: one term, in the title
    assert [(part.term, part.tf, part.fields["title"].tf) for part in love] == [("love", 1, 1)]
    assert [len(index.explain("love love", "1").terms), len(index.explain(["love"], "1").terms)] == [2, 1]
    both = index.search(["nurses", "love"], 3)
    assert [hit.doc for hit in both[1]] == [hit.doc for hit in index.search("love", 3)]


def test_explanations_sum_to_the_score():
    index = BM25FIndex.build(PAGES, fields={"title": 2.0, "text": 1.0}, b={"title": 0.1, "text": 0.9})
    for hit in index.search("sweet love nurse"):
        explained = index.explain("sweet love nurse", hit.doc_id)
        assert explained.score == hit.score
        assert np.float32(sum(part.score for part in explained.terms)) == np.float32(hit.score)
        for part in explained.terms:
            assert sum(field.score for field in part.fields.values()) == pytest.approx(part.score)
            assert part.tf == sum(field.tf for field in part.fields.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": {}}, "at least one"),
        ({"fields": {"title": 0.0}}, "'title' is 0"),
        ({"fields": {"title": np.nan}}, "'title' is nan"),
        ({"fields": {"title": -1}}, "'title' is -1"),
        ({"fields": {"titel": 1}}, "no document has a field 'titel': there are 'text', 'title', 'url'"),
        ({"b": 1.5}, "b of field"),
        ({"b": {"title": 0.5}}, "text"),
        ({"b": {"title": 0.5, "text": np.nan}}, "nan"),
        ({"k1": -1}, "k1"),
        ({"k1": np.inf}, "k1"),
        ({"analyzer": FieldAnalyzers({"title": "plain"})}, "'text'"),
        ({"analyzer": "german-ish"}, "german-ish"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidInputError, match=message):
        BM25FIndex.build(PAGES, **options)


@pytest.mark.parametrize(
    ("documents", "options"),
    [
        ("text", {}),
        (PAGES[0], {}),
        (["text"], {}),
        ([7], {}),
        ([{"title": 7, "text": ""}], {}),
        ([{"title": "a", "text": None}], {}),
        ([{"title": "a", "text": ["a"]}, {"title": "a", "text": "b"}], {}),
        (PAGES, {"fields": ["title"]}),
        (PAGES, {"fields": {1: 1.0}}),
        (PAGES, {"fields": {"title": "2"}}),
        (PAGES, {"b": "0.4"}),
        (PAGES, {"k1": None}),
    ],
)
def test_types_that_are_refused(documents, options):
    with pytest.raises(InputTypeError):
        BM25FIndex.build(documents, **options)


def test_build_to_is_refused_with_the_way_that_works(tmp_path):
    with pytest.raises(InputTypeError, match="save"):
        BM25FIndex.build_to(tmp_path, PAGES)


@pytest.mark.parametrize("fields", [{"title": 2.0, "text": 1.0}, {"text": 1.0, "title": 2.0}, {"text": 3.0}])
@pytest.mark.parametrize("analyzer", ["english", FieldAnalyzers({"title": "plain"}, "english")])
def test_round_trip(tmp_path, fields, analyzer):
    index = BM25FIndex.build(
        PAGES, list("abcd"), fields=fields, b={f: 0.3 + len(f) / 10 for f in fields}, analyzer=analyzer
    )
    index.save(tmp_path)
    loaded = BM25FIndex.load(tmp_path)
    loaded.save(tmp_path)
    queries = ["sweet love", "nurse", "nothing", "Nurse sweet"]
    for one in (loaded, BM25FIndex.load(tmp_path)):
        expected, hits = index.search(queries), one.search(queries)
        assert np.array_equal(hits.docs, expected.docs)
        assert np.array_equal(hits.scores, expected.scores)
        assert hits.doc_ids == expected.doc_ids
        assert list(one.fields.items()) == list(fields.items())
        assert one.b == index.b
        assert one.explain("sweet love", "a") == index.explain("sweet love", "a")
        assert one.memory() == index.memory()


def saved(tmp_path):
    BM25FIndex.build(PAGES).save(tmp_path)
    return read_container(tmp_path, "bm25f")


@pytest.mark.parametrize(
    "change",
    [
        lambda meta, arrays: arrays.pop("combinations"),
        lambda meta, arrays: arrays.update(combinations=arrays["combinations"][:-1]),
        lambda meta, arrays: arrays.update(combinations=arrays["combinations"].ravel()),
        lambda meta, arrays: arrays.update(combinations=np.zeros_like(arrays["combinations"])),
        lambda meta, arrays: arrays.update(combinations=arrays["combinations"] * 9),
        lambda meta, arrays: arrays.pop("field_lengths"),
        lambda meta, arrays: arrays.update(field_lengths=core.pack_integers(np.ones(3, np.uint32))),
        lambda meta, arrays: arrays.update(field_lengths=core.pack_integers(np.ones(8, np.uint32))),
        lambda meta, arrays: meta.pop("analyzers"),
        lambda meta, arrays: meta.update(fields=["title"]),
        lambda meta, arrays: meta.update(fields=["title", 7]),
        lambda meta, arrays: meta.update(fields=["title", "body"]),
        lambda meta, arrays: meta.pop("scoring"),
        lambda meta, arrays: meta.update(scoring={"fields": {"title": 1.0}}),
        lambda meta, arrays: meta.update(scoring={"fields": {"title": 1.0, "text": "1"}}),
        lambda meta, arrays: meta.update(scoring={"k2": 1.0}),
    ],
)
def test_folders_that_do_not_fit_are_refused(tmp_path, change):
    meta, arrays = saved(tmp_path)
    assert len(BM25FIndex.load(tmp_path)) == 4
    change(meta, arrays)
    write_container(tmp_path, "bm25f", meta, arrays)
    with pytest.raises(CorruptFileError):
        BM25FIndex.load(tmp_path)


def test_options_of_one_call_are_those_of_an_index_built_with_them():
    index = BM25FIndex.build(PAGES)
    given = {"fields": {"text": 1.0, "title": 3.0}, "b": {"title": 0.1, "text": 0.9}, "k1": 2.0}
    other = BM25FIndex.build(PAGES, **given)
    for query in ("love", "sweet nurse", "sorrow love"):
        ours, theirs = index.search([query], 3, **given), other.search([query], 3)
        assert ours.docs.tolist() == theirs.docs.tolist()
        assert ours.scores.tolist() == theirs.scores.tolist()
        for hit in ours[0]:
            assert index.explain(query, hit.doc_id, **given) == other.explain(query, hit.doc_id)
    assert index.search("love", 3, b=0.4) == index.search("love", 3)
    with pytest.raises(InvalidInputError, match=r"fields are \['body'\]: give the weights of \['text', 'title'\]"):
        index.search("love", fields={"body": 1.0}, b=0.5)


@pytest.mark.parametrize("fields", [None, {"title": 1.0}, "title", {"x": 1.0}])
def test_fields_of_one_call_are_those_of_the_index(fields):
    index = BM25FIndex.build(PAGES, fields={"title": 2.0, "text": 1.0})
    with pytest.raises(InvalidInputError, match=r"fields are .*: give the weights of \['text', 'title'\]"):
        index.search("love", fields=fields)
    with pytest.raises(InputTypeError, match="keeps no texts"):
        index.text("0")
