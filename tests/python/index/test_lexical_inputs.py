"""Every line of the input table, for both lexical indexes."""

import copy
import pickle

import numpy as np
import pytest

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index.bm25 import BM25Index
from twotower.index.bm25f import BM25FIndex
from twotower.index.build_estimate import estimate_build
from twotower.index.tfidf import TfidfIndex
from twotower.text import Analyzer
from twotower.types import Document

TEXTS = ["sweet love", "", "sweet sorrow", "!?"]


@pytest.fixture(params=[BM25Index, TfidfIndex])
def kind(request):
    return request.param


@pytest.fixture
def index(kind):
    return kind.build(TEXTS, ["a", "b", "c", "d"])


def test_k_zero(index):
    hits = index.search(["sweet", "love"], k=0)
    assert hits.docs.shape == (2, 0)
    assert index.search("sweet", k=0) == []


@pytest.mark.parametrize("k", [-1, 1.0, 1.5, "3", None, True, np.float32(2)])
def test_k_negative_or_not_an_integer(index, k):
    with pytest.raises(ValueError, match="k is"):
        index.search(["sweet"], k=k)


def test_k_numpy_integer(index):
    assert index.search(["sweet"], k=np.int64(1)).docs.tolist() == [[0]]


def test_k_above_n(index):
    hits = index.search(["sweet"], k=6)
    assert hits.docs.tolist() == [[0, 2, -1, -1, -1, -1]]
    assert hits.scores[0, 2:].tolist() == [-np.inf] * 4
    assert hits.doc_ids == [["a", "c", None, None, None, None]]
    assert len(index.search("sweet", k=6)) == 2


@pytest.mark.parametrize("threads", [-1, 1.5, None])
def test_threads(index, threads):
    with pytest.raises(ValueError, match="threads is"):
        index.search(["sweet"], threads=threads)


@pytest.mark.parametrize("texts", [[], iter([]), ["", ""], [[], []]], ids=["list", "iterator", "texts", "term lists"])
def test_empty_corpus(kind, texts):
    index = kind.build(texts)
    assert index.search("sweet") == []
    assert index.search(["sweet", ""], k=2).docs.tolist() == [[-1, -1], [-1, -1]]
    assert index.postings("sweet")[0] == []


def test_no_queries(index):
    assert index.search([]).docs.shape == (0, 10)
    assert index.score([], np.zeros((0, 3), np.int64)).shape == (0, 3)


@pytest.mark.parametrize("query", ["", "  ", "?!", "unknown words", "the of"])
def test_query_without_known_terms(index, query):
    assert index.search(query) == []
    assert index.search([query], k=1).scores.tolist() == [[-np.inf]]
    assert index.score([query], [[0, -1]]).tolist() == [[0.0, -np.inf]]
    assert index.explain(query, "a").terms == []


def test_empty_document_is_never_a_hit(index):
    assert len(index) == 4
    assert {hit.doc_id for hit in index.search("sweet love sorrow", k=4)} == {"a", "c"}


def test_duplicate_doc_id(kind):
    with pytest.raises(ValueError, match="'a' comes twice"):
        kind.build(["x", "y", "z"], ["a", "b", "a"])


def test_doc_ids_of_another_number(kind):
    with pytest.raises(ValueError, match="1 doc_ids for 2 documents"):
        kind.build(["x", "y"], ["a"])


def test_doc_ids_default_to_numbers(kind):
    assert [hit.doc_id for hit in kind.build(["x", "y"]).search("y")] == ["1"]


@pytest.mark.parametrize("texts", [{"a", "b"}, frozenset("ab")])
def test_texts_and_queries_without_an_order_are_refused(kind, index, texts):
    for call in (kind.build, index.search):
        with pytest.raises(InputTypeError, match=r"(texts|queries) is a (frozen)?set, which has no order: give a list"):
            call(texts)
    with pytest.raises(InputTypeError, match="documents is a set"):
        BM25FIndex.build({Document("x")})
    assert len(kind.build(dict.fromkeys("ab").keys())) == 2


def test_options_that_build_does_not_have(kind):
    with pytest.raises(
        InputTypeError, match=rf"{kind.__name__}\.build has no option 'k2': it takes texts, doc_ids, analyzer, "
    ):
        kind.build(["x"], k2=1)


@pytest.mark.parametrize("analyzer", [None, 3])
def test_the_message_about_an_analyzer_says_analyzer(kind, analyzer):
    with pytest.raises(InputTypeError, match="the name of an analyzer is of type"):
        kind.build(["x"], analyzer=analyzer)


@pytest.mark.parametrize("texts", ["one text", b"bytes", {"a": "b"}, None, 3])
def test_texts_of_a_wrong_type(kind, texts):
    with pytest.raises(TypeError, match="texts is"):
        kind.build(texts)


@pytest.mark.parametrize(
    ("texts", "where"),
    [
        (["x", 3], "text 1 "),
        ([None], "text 0 "),
        ([b"x"], "text 0 "),
        (["x", ["x"]], "text 1 "),
        ([["x"], "x"], "text 1 "),
        ([["x", 3]], "term 1 of text 0"),
    ],
)
def test_elements_of_a_wrong_type(kind, texts, where):
    with pytest.raises(TypeError, match=where):
        kind.build(texts)


@pytest.mark.parametrize(
    "queries", [b"bytes", None, 3, {"q": "sweet"}, [3], ["sweet", ["sweet"]], [["sweet"], "x"], [[3]]]
)
def test_queries_of_a_wrong_type(index, queries):
    with pytest.raises(TypeError, match=r"queries is one|query \d|term 0 of"):
        index.search(queries)


def test_lone_surrogate(kind, index):
    for texts in (["x", "\ud800"], [["x"], ["\ud800"]]):
        with pytest.raises(ValueError):
            kind.build(texts)
    with pytest.raises(ValueError):
        index.search(["sweet", "\udfff"])


def test_score_checks_docs(index):
    with pytest.raises(InvalidInputError, match=r"docs\[0, 1\] is 4"):
        index.score(["sweet"], [[0, 4]])
    with pytest.raises(InvalidInputError, match=r"docs\[0, 0\] is -2"):
        index.score(["sweet"], [[-2]])
    with pytest.raises(InvalidInputError, match="shape"):
        index.score(["sweet"], [0, 1])
    with pytest.raises(InputTypeError, match="float64"):
        index.score(["sweet"], [[0.0]])
    with pytest.raises(InputTypeError, match="queries is one str"):
        index.score("sweet", [[0]])


def test_score_agrees_with_search(index):
    hits = index.search(["sweet love", "sorrow"], k=3)
    assert np.array_equal(index.score(["sweet love", "sorrow"], hits.docs), hits.scores)


def test_explain_unknown_document(index):
    with pytest.raises(InvalidInputError, match="'z'"):
        index.explain("sweet", "z")


def test_texts_terms_and_iterators_agree(kind):
    analyzer = Analyzer("english")
    texts = ["Sweet sweet nurse! Love?", "Sweet sorrow", "How sweet is love?"] * 2000  # more than one chunk
    of_texts = kind.build(iter(texts))
    of_terms = kind.build((analyzer.analyze(text) for text in texts), analyzer=analyzer)
    queries = ["sweet love", "nurses"]
    for hits in (of_terms.search(queries), of_terms.search([analyzer.analyze(q) for q in queries])):
        assert np.array_equal(hits.docs, of_texts.search(queries).docs)
        assert np.array_equal(hits.scores, of_texts.search(queries).scores)
    assert of_terms.vocabulary.terms() == of_texts.vocabulary.terms()
    assert of_terms.search([("sweet", "love")]).docs.tolist() == of_texts.search(["sweet love"]).docs.tolist()


def test_one_string_in_one_list_out(index):
    [first, second] = index.search("sweet love")
    assert (first.doc_id, first.doc, second.doc_id) == ("a", 0, "c")
    assert isinstance(first.score, float)


def test_repr(kind, index):
    assert repr(index) == f"{kind.__name__}(4 documents, 3 terms, 4 postings)"


@pytest.mark.parametrize("algorithm", ["\ud800", "", "fast"])
def test_names_that_are_unknown_or_no_text(index, algorithm):
    with pytest.raises(InvalidInputError, match="exhaustive"):
        index.search("sweet", algorithm=algorithm)


def test_options_that_the_core_cannot_read():
    for name in ("k1", "b", "delta"):
        with pytest.raises(InvalidInputError, match=f"{name} is beyond"):
            BM25Index.build(TEXTS, variant="bm25l", **{name: 10**400})
    with pytest.raises(InvalidInputError, match=r"choose one of .*lucene"):
        BM25Index.build(TEXTS, variant="\ud800")
    with pytest.raises(InvalidInputError, match="choose one of e, 10"):
        BM25Index.build(TEXTS, variant="slide", log_base="\ud800")


@pytest.mark.parametrize("doc_id", [["a"], None, 0, b"a"])
def test_explain_a_document_of_a_wrong_type(index, kind, doc_id):
    for some in (index, kind.build(TEXTS)):
        with pytest.raises(InputTypeError, match="doc_id is"):
            some.explain("sweet", doc_id)


def test_score_of_ragged_docs(index):
    with pytest.raises(InvalidInputError, match="docs is not a rectangular array"):
        index.score(["sweet"], [[0], [1, 2]])


def test_progress_is_a_function(kind, tmp_path):
    for build in (kind.build, lambda texts, **rest: kind.build_to(tmp_path / "index", texts, **rest)):
        texts = iter(TEXTS)
        with pytest.raises(InputTypeError, match="progress is 5"):
            build(texts, progress=5)
        assert next(texts) == TEXTS[0]


def test_options_that_build_to_does_not_have(kind, tmp_path):
    with pytest.raises(InputTypeError, match=rf"build_to of {kind.__name__} has no option 'foo': it takes .*analyzer"):
        kind.build_to(tmp_path / "index", TEXTS, foo=1)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("folder", "error"),
    [(None, InputTypeError), (3, InputTypeError), ("\0", InvalidInputError), ("\ud800", InvalidInputError)],
)
def test_folders_that_are_no_paths(kind, index, folder, error):
    for use in (index.save, kind.load, lambda folder: kind.build_to(folder, TEXTS)):
        with pytest.raises(error, match="folder is"):
            use(folder)


def test_columns_of_strings_are_texts(kind):
    pyarrow = pytest.importorskip("pyarrow")
    texts = TEXTS * 3000  # more than one batch
    expected = kind.build(texts)
    for column in (np.array(texts), np.array(texts, object), pyarrow.array(texts), pyarrow.chunked_array([texts, []])):
        built = kind.build(column)
        assert len(built) == len(texts)
        assert np.array_equal(built.search(["sweet love"]).docs, expected.search(["sweet love"]).docs)
        assert estimate_build(column) == estimate_build(texts)
        assert len(expected.search(column[:2])) == 2
    with pytest.raises(InputTypeError, match="text 1 is of type NoneType"):
        kind.build(pyarrow.array(["sweet", None]))
    with pytest.raises(InputTypeError, match="shape"):
        kind.build(np.array([["sweet"]]))
    with pytest.raises(InputTypeError, match="text 0 is of type int"):
        kind.build(np.array([3]))


def test_an_index_is_not_pickled(kind, index):
    with pytest.raises(InputTypeError, match=rf"use save\(folder\), and {kind.__name__}.load"):
        pickle.dumps(index)
    assert copy.copy(index) is index
    assert copy.deepcopy([index])[0] is index


def test_callable_analyzer(kind):
    index = kind.build(["A-b c", "b"], analyzer=lambda text: text.split("-"))
    assert index.vocabulary.terms() == ["A", "b c", "b"]
    assert [hit.doc for hit in index.search("b c-x")] == [0]
