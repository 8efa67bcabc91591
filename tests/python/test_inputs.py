"""The promises about input, line by line, over every index that makes them.

k, corpora, queries, documents, ids, runs, vectors and text: what is legal has a stated answer, what is not raises an error that names
what came. The rooms' own tests go deeper.
"""

import numpy as np
import pytest

import twotower as tt
from twotower.errors import DataFormatError, InputTypeError, InvalidInputError
from twotower.index import INDEXES
from twotower.registry import resolve

VECTORS = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 0.0]], np.float32)
TEXTS = ["sweet love", "sorrow", ""]
DENSE = ("flat", "flat_codes", "hnsw")
VECTOR = (*DENSE, "sparse")  # of vectors, not of texts


def documents(name, texts):
    """Return texts as the index of that name takes documents."""
    if name == "bm25f":
        return [{"title": "", "text": text} for text in texts]
    return [as_vector(text) for text in texts] if name == "sparse" else texts


def as_vector(text):
    return dict.fromkeys(text.split(), 1.0)


def build(name, n=3, doc_ids=None):
    source = VECTORS[:n] if name in DENSE else documents(name, TEXTS[:n])
    return resolve(INDEXES, name, "index").build(source, doc_ids)


def query(name):
    if name in DENSE:
        return np.array([1.0, 0.5], np.float32)
    return as_vector("sweet sorrow") if name == "sparse" else "sweet sorrow"


def queries(name):
    return np.array([[1.0, 0.5]], np.float32) if name in DENSE else [query(name)]


every_index = pytest.mark.parametrize("name", INDEXES)
dense_index = pytest.mark.parametrize("name", DENSE)
text_index = pytest.mark.parametrize("name", [name for name in INDEXES if name not in VECTOR])
lexical_index = pytest.mark.parametrize("name", [name for name in INDEXES if name not in DENSE])


@every_index
def test_k_0_gives_empty_hits(name):
    assert build(name).search(query(name), k=0) == []
    assert build(name).search(queries(name), k=0).docs.shape == (1, 0)


@every_index
@pytest.mark.parametrize("k", [-1, 1.5, "3", None, True])
def test_k_negative_or_no_integer_is_a_value_error(name, k):
    with pytest.raises(ValueError, match="k"):
        build(name).search(query(name), k=k)


@every_index
def test_k_above_n_pads(name):
    hits = build(name).search(queries(name), k=7)
    assert hits.docs.shape == hits.scores.shape == (1, 7)
    assert (hits.docs[0, 3:] == -1).all()
    assert np.isneginf(hits.scores[hits.docs == -1]).all()
    assert hits.doc_ids[0][-1] is None


@every_index
def test_k_beyond_memory_is_refused(name):
    with pytest.raises(ValueError, match="k"):
        build(name).search(queries(name), k=2**62)


@every_index
def test_an_empty_corpus_is_valid_and_finds_nothing(name, tmp_path):
    index = build(name, n=0)
    assert len(index) == 0
    assert index.search(query(name), k=3) == []
    index.save(tmp_path / "index")
    assert type(index).load(tmp_path / "index").search(query(name), k=3) == []


@lexical_index
@pytest.mark.parametrize("text", ["", "  \n", "unknown", "the", "?!"])
def test_an_empty_query_or_one_without_a_known_term_has_no_hits(name, text):
    asked = as_vector(text) if name == "sparse" else text
    assert build(name).search(asked) == []
    assert build(name).search([asked]).docs.shape == (1, 10)


@dense_index
def test_the_zero_query_scores_0_in_docid_order(name):
    hits = build(name).search(np.zeros(2, np.float32), k=3)
    assert [(hit.doc, hit.score) for hit in hits] == [(0, 0.0), (1, 0.0), (2, 0.0)]


@lexical_index
def test_an_empty_document_is_legal_and_never_a_hit(name):
    asked = as_vector("sweet love sorrow") if name == "sparse" else "sweet love sorrow"
    assert {hit.doc for hit in build(name).search(asked, k=3)} == {0, 1}


@every_index
def test_equal_scores_come_in_docid_order(name):
    source = VECTORS if name in DENSE else documents(name, ["sweet", "sorrow", "sweet"])
    index = resolve(INDEXES, name, "index").build(source)
    asked = np.array([1.0, 0.0], np.float32) if name in DENSE else {"sweet": 1.0} if name == "sparse" else "sweet"
    assert [hit.doc for hit in index.search(asked, k=2)] == [0, 2]


@every_index
def test_a_doc_id_that_comes_twice_is_named(name):
    with pytest.raises(ValueError, match="'twin'"):
        build(name, doc_ids=["twin", "other", "twin"])


@every_index
def test_doc_ids_that_are_no_strings_or_too_few_are_refused(name):
    with pytest.raises(TypeError, match="int"):
        build(name, doc_ids=[1, 2, 3])
    with pytest.raises(ValueError, match="2"):
        build(name, doc_ids=["a", "b"])


def test_a_document_twice_in_a_run_is_refused_with_line_and_id(tmp_path):
    path = tmp_path / "run.trec"
    path.write_text("q Q0 d1 1 2.0 x\nq Q0 d2 2 1.0 x\nq Q0 d1 3 0.5 x\n")
    with pytest.raises(DataFormatError, match=r"(?s)3.*d1|d1.*3"):
        tt.read_run(path)


def test_a_judged_query_missing_from_the_run_counts_0():
    assert tt.evaluate({}, {"q": {"d": 1}}, ["AP"]) == {"AP": 0.0}


@dense_index
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named_by_row_and_column(name, bad):
    vectors = VECTORS.copy()
    vectors[1, 0] = vectors[2, 1] = bad
    with pytest.raises(ValueError, match=r"1.*0"):
        resolve(INDEXES, name, "index").build(vectors)
    with pytest.raises(ValueError, match=r"1.*0"):
        build(name).search(vectors)


@dense_index
def test_a_wrong_dimension_is_named_with_the_right_one(name):
    with pytest.raises(ValueError, match=r"3.*2|2.*3"):
        build(name).search(np.zeros((1, 3), np.float32))


@dense_index
@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(np.float64),
        lambda x: x.astype(np.float16),
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: x.astype(">f4"),
        lambda x: x.tolist(),
    ],
    ids=["float64", "float16", "Fortran", "strided", "big-endian", "list"],
)
def test_other_layouts_of_the_same_numbers_give_the_same_answer(name, convert):
    index = resolve(INDEXES, name, "index").build(convert(VECTORS))
    expected = build(name).search(VECTORS, k=3)
    hits = index.search(convert(VECTORS), k=3)
    assert (hits.docs == expected.docs).all()
    assert (hits.scores == expected.scores).all()


@dense_index
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, object, "U3"])
def test_integers_and_objects_are_type_errors(name, dtype):
    with pytest.raises(TypeError):
        resolve(INDEXES, name, "index").build(VECTORS.astype(dtype))
    with pytest.raises(TypeError):
        build(name).search(VECTORS.astype(dtype))


def test_invalid_utf_8_in_a_file_is_named_by_file_line_and_byte(tmp_path):
    (tmp_path / "corpus.jsonl").write_bytes(b'{"_id": "a", "text": "fine"}\n{"_id": "b", "text": "\xff"}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "fine"}\n')
    with pytest.raises(ValueError, match=r"(?s)corpus\.jsonl.*2.*23"):
        tt.load_collection(tmp_path)


@lexical_index
def test_a_lone_surrogate_in_a_string_is_a_value_error(name):
    with pytest.raises(ValueError, match=r"surrogate|UTF-8|Unicode"):
        resolve(INDEXES, name, "index").build(documents(name, ["fine", "broken \ud800"]))
    with pytest.raises(ValueError, match=r"surrogate|UTF-8|Unicode"):
        build(name).search(as_vector("broken \ud800") if name == "sparse" else "broken \ud800")


@text_index
@pytest.mark.parametrize("text", [7, None, b"bytes", ["nested", 7]])
def test_texts_that_are_no_strings_are_type_errors(name, text):
    with pytest.raises(InputTypeError):
        resolve(INDEXES, name, "index").build(documents(name, ["fine", text]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_named_by_vector_and_term(bad):
    vectors = [{"sweet": 1.0}, {"love": 1.0, "sorrow": bad}]
    with pytest.raises(ValueError, match=r"\[1\].*'sorrow'"):
        tt.SparseIndex.build(vectors)
    with pytest.raises(ValueError, match=r"\[1\].*'sorrow'"):
        build("sparse").search(vectors)


@every_index
def test_score_of_padding_is_minus_infinity_and_of_a_stranger_an_error(name):
    index = build(name)
    scores = index.score(queries(name), np.array([[0, -1]]))
    assert np.isfinite(scores[0, 0])
    assert np.isneginf(scores[0, 1])
    with pytest.raises(InvalidInputError, match="3"):
        index.score(queries(name), np.array([[3]]))


@every_index
def test_score_equals_search(name):
    index = build(name)
    hits = index.search(queries(name), k=3)
    assert (index.score(queries(name), hits.docs) == hits.scores).all()


@pytest.mark.parametrize("grade", [2**31, -(2**31), 2**63, 10**30])
def test_a_grade_beyond_range_is_refused(grade):
    with pytest.raises(InvalidInputError, match=r"'q'.*'d'"):
        tt.evaluate({"q": {"d": 1.0}}, {"q": {"d": grade, "e": -1}}, ["AP"])
