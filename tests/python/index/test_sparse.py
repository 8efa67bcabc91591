"""Sparse vectors: scores against plain Python, every form of input, what is refused, and no trust in a saved folder."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError
from twotower.index import SparseIndex
from twotower.index.native import core
from twotower.index.sparse_vectors import MOST_IDS
from twotower.storage import read_container, write_container
from weighted_oracles import SparseOracle

WEIGHTS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, 2.0**50, -(2.0**50), 1e-45, 1e-60]), st.floats(-(2.0**50), 2.0**50)
)
VECTORS = st.dictionaries(st.sampled_from("abcdefgh"), WEIGHTS, max_size=8)
DOCUMENTS = [{"sweet": 1.5, "love": 0.5}, {"sorrow": 2.0, "sweet": 0.25}, {}, {"love": -1.0}]
QUERIES = [{"sweet": 1.0, "love": 2.0}, {"sorrow": 0.5, "unknown": 9.0}, {}, {"love": -1.0}]


@settings(max_examples=150, deadline=None)
@given(documents=st.lists(VECTORS, max_size=12), queries=st.lists(VECTORS, min_size=1, max_size=4))
def test_scores_are_those_of_plain_python(documents, queries):
    index, oracle = SparseIndex.build(documents), SparseOracle(documents)
    n = len(documents)
    everything = np.tile(np.arange(n), (len(queries), 1))
    scores = index.score(queries, everything)
    for algorithm in ["auto", *core.query_algorithms()]:
        for k in (1, 3, n + 2):
            hits = index.search(queries, k, algorithm=algorithm)
            for q, query in enumerate(queries):
                expected = oracle.rank(query, k)
                padding = k - len(expected)
                assert hits.docs[q].tolist() == [doc for _, doc in expected] + [-1] * padding
                assert hits.scores[q].tolist() == [float(score) for score, _ in expected] + [-np.inf] * padding
    for q, query in enumerate(queries):
        expected = dict.fromkeys(range(n), 0.0) | {doc: float(score) for score, doc in oracle.rank(query, n)}
        assert scores[q].tolist() == list(expected.values())


def as_rows(documents, names):
    return [{names.index(term): weight for term, weight in vector.items()} for vector in documents]


NAMES = ["sweet", "love", "sorrow", "unknown"]
IDS = as_rows(DOCUMENTS, NAMES)


def csr(rows, n_columns=4, dtype=np.float64):
    matrix = scipy.sparse.lil_array((len(rows), n_columns), dtype=dtype)
    for i, row in enumerate(rows):
        for term, weight in row.items():
            matrix[i, term] = weight
    return matrix.tocsr()


@pytest.mark.parametrize(
    "convert",
    [
        lambda rows: rows,
        lambda rows: [list(row.items()) for row in rows],
        lambda rows: [tuple(row.items()) for row in rows],
        iter,
        csr,
        lambda rows: scipy.sparse.csr_matrix(csr(rows)),
        lambda rows: csr(rows).tocoo(),
        lambda rows: csr(rows).tocsc(),
        lambda rows: csr(rows, dtype=np.float32),
        lambda rows: (csr(rows).indptr.astype(np.int64), csr(rows).indices.astype(np.uint16), csr(rows).data),
        lambda rows: (csr(rows).indptr, csr(rows).indices, csr(rows).data.astype(">f4")),
    ],
    ids=["dicts", "pairs", "tuples", "iterator", "array", "matrix", "COO", "CSC", "float32", "arrays", "big-endian"],
)
def test_every_form_of_vectors_gives_the_same_answer(convert):
    expected = SparseIndex.build(DOCUMENTS).search(QUERIES, 4)
    hits = SparseIndex.build(convert(IDS)).search(convert(as_rows(QUERIES, NAMES)), 4)
    assert np.array_equal(hits.docs, expected.docs)
    assert np.array_equal(hits.scores, expected.scores)


def test_a_dict_is_one_query():
    index = SparseIndex.build(DOCUMENTS, ["a", "b", "c", "d"])
    assert [(hit.doc_id, hit.score) for hit in index.search({"sweet": 1.0, "love": 2.0})] == [
        ("a", 2.5),
        ("b", 0.25),
        ("d", -2.0),
    ]


def test_a_weight_of_0_is_as_if_the_term_was_not_there():
    index = SparseIndex.build([{"a": 0.0, "b": 1.0}, {"a": -0.0}, {"a": 1e-60}])
    assert index.postings("a")[0] == []
    assert index.search({"a": 1.0}) == []
    assert [hit.doc for hit in index.search({"b": 1.0, "a": 1.0})] == [0]
    assert index.search({"b": 0.0}) == []


def test_weights_are_kept_bit_for_bit():
    weights = np.random.default_rng(0).lognormal(0, 9, 1000).astype(np.float32)
    index = SparseIndex.build([{"a": weight} for weight in weights.tolist()])
    assert np.array_equal(index.postings("a")[1], weights)
    assert index.postings("b")[0] == []


def test_terms_that_no_document_has_match_nothing():
    index = SparseIndex.build([{3: 1.0}])
    assert index.search([{2: 1.0}, {4: 1.0}, {10**9: 1.0}, {3: 1.0}], 1).docs[:, 0].tolist() == [-1, -1, -1, 0]
    assert index.search(csr([{7: 1.0}, {3: 1.0}], 9), 1).docs[:, 0].tolist() == [-1, 0]


def test_explain_gives_the_products():
    index = SparseIndex.build(DOCUMENTS, ["a", "b", "c", "d"])
    explained = index.explain({"love": 2.0, "unknown": 1.0, "sorrow": 3.0, "sweet": 0.1}, "a")
    assert [(part.term, part.document_weight, part.df) for part in explained.terms] == [
        ("love", 0.5, 2),
        ("sorrow", 0.0, 1),
        ("sweet", 1.5, 2),
    ]
    assert explained.terms[2].score == float(np.float32(0.1)) * 1.5
    assert explained.score == np.float32(sum(part.score for part in explained.terms))
    assert SparseIndex.build(IDS).explain([(1, 2.0)], "0").terms[0].term == 1


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([{"a": 1.0}, {"b": np.nan}], r"vectors\[1\] gives term 'b' the weight nan"),
        ([{}, {"a": 1.0, "b": -np.inf}], r"vectors\[1\] gives term 'b' the weight -inf"),
        ([{"a": 2e15}], r"vectors\[0\] gives term 'a' the weight 2"),
        ([{"a": 10**400}], "beyond"),
        ([[("a", 1.0), ("b", 1.0), ("a", 2.0)]], r"vectors\[0\] has the term 'a' twice"),
        ([{-1: 1.0}], "-1"),
        ([{2**40: 1.0}], str(2**40)),
        ([{MOST_IDS: 1.0}], f"{MOST_IDS}"),
        ((np.array([0, 2]), np.array([5, 5]), np.ones(2)), "term 5 twice"),
        ((np.array([0, 2]), np.array([5, 6]), np.array([1, np.nan])), r"vectors\[0\] gives term .*6.* the weight nan"),
        ((np.array([0, 2]), np.array([5, 6]), np.array([1, np.inf], np.float16)), "inf"),
        ((np.array([0, 1]), np.array([5, 6]), np.ones(2)), "indptr"),
        ((np.array([0, 2, 1, 2]), np.array([5, 6]), np.ones(2)), "indptr"),
        ((np.array([1, 2]), np.array([5, 6]), np.ones(2)), "indptr"),
        ((np.zeros(0, int), np.zeros(0, int), np.zeros(0)), "indptr"),
        ((np.array([0, 2]), np.array([5, -6]), np.ones(2)), "-6"),
        ((np.array([0, 2]), np.array([5]), np.ones(2)), "1 indices and 2 weights"),
    ],
)
def test_values_that_are_refused(vectors, message):
    with pytest.raises(InvalidInputError, match=message):
        SparseIndex.build(vectors)
    if "index" not in message and "16777216" not in message:
        named = message.replace("vectors", "queries")
        words = isinstance(vectors, list) and not isinstance(next(iter(vectors[-1])), int)
        index = SparseIndex.build(DOCUMENTS if words else IDS)
        if isinstance(vectors, list) or "term 5" not in message:
            with pytest.raises(InvalidInputError, match=named):
                index.search(vectors)


def test_a_repeated_term_of_a_query_is_refused():
    with pytest.raises(InvalidInputError, match="vector 1 has term 3 twice"):
        SparseIndex.build([{3: 1.0}]).search((np.array([0, 1, 3]), np.array([3, 3, 3]), np.ones(3)))


def test_a_column_beyond_the_matrix_is_refused():
    class Matrix:
        indptr, indices, data, shape = np.array([0, 1]), np.array([4]), np.ones(1), (1, 4)

    with pytest.raises(InvalidInputError, match="term id 4"):
        SparseIndex.build(Matrix())


@pytest.mark.parametrize(
    "vectors",
    [
        "sweet love",
        7,
        None,
        {"sweet": 1.0},
        ["sweet"],
        [b"sweet"],
        [["sweet"]],
        [[("sweet", 1.0, 2.0)]],
        [{"sweet": "1"}],
        [{"sweet": None}],
        [{"sweet": True}],
        [{"sweet": 1j}],
        [{1.5: 1.0}],
        [{True: 1.0}],
        [{("a",): 1.0}],
        [{"sweet": 1.0, 3: 1.0}],
        [{"sweet": 1.0}, {3: 1.0}],
        [{3: 1.0}, {"sweet": 1.0}],
        [[(["a"], 1.0)]],
        (np.array([0, 1]), np.array([0]), np.array([1])),
        (np.array([0, 1]), np.array([0.0]), np.array([1.0])),
        (np.array([0.0, 1.0]), np.array([0]), np.array([1.0])),
        (np.array([[0, 1]]), np.array([0]), np.array([1.0])),
        np.eye(3),
    ],
)
def test_types_that_are_refused(vectors):
    with pytest.raises(InputTypeError):
        SparseIndex.build(vectors)
    if not isinstance(vectors, dict):
        for documents in (DOCUMENTS, IDS):
            with pytest.raises(InputTypeError):
                SparseIndex.build(documents).search(vectors)


def test_queries_are_of_the_same_kind_as_documents():
    words, ids = SparseIndex.build(DOCUMENTS), SparseIndex.build(IDS)
    with pytest.raises(InputTypeError, match="string"):
        words.search({1: 1.0})
    with pytest.raises(InputTypeError, match="integer id"):
        ids.search({"sweet": 1.0})
    with pytest.raises(InputTypeError, match="matrix"):
        words.search(csr(IDS))


def test_a_term_with_lone_surrogates_is_refused():
    with pytest.raises(ValueError, match=r"surrogate|UTF-8|Unicode"):
        SparseIndex.build([{"a\ud800": 1.0}])


def test_threads_and_filters_change_no_score():
    random = np.random.default_rng(3)
    mask = random.random((500, 60)) < 0.2
    index = SparseIndex.build(
        (np.concatenate([[0], mask.sum(1).cumsum()]), np.nonzero(mask)[1], random.random(mask.sum()))
    )
    queries = [dict(zip(range(60), random.random(60).tolist(), strict=True)) for _ in range(20)]
    everything = index.search(queries, 500)
    two = index.search(queries, 500, threads=2)
    assert np.array_equal(everything.docs, two.docs)
    some = index.search(queries, 10, where=np.arange(500) % 5 == 0)
    for q in range(20):
        allowed = [(hit.doc, hit.score) for hit in everything[q] if hit.doc % 5 == 0]
        assert [(hit.doc, hit.score) for hit in some[q]] == allowed[:10]
    with pytest.raises(InvalidInputError, match="algorithm"):
        index.search(queries, algorithm="fastest")


def test_an_index_is_copied_as_itself_and_not_pickled():
    index = SparseIndex.build(DOCUMENTS)
    assert copy.copy(index) is index
    assert copy.deepcopy(index) is index
    with pytest.raises(InputTypeError, match="save"):
        pickle.dumps(index)
    assert repr(index) == "SparseIndex(4 documents, 3 terms, 5 postings)"


@pytest.mark.parametrize("doc_ids", [None, ["a", "b", "ç", ""]])
@pytest.mark.parametrize("documents", [DOCUMENTS, IDS, [{}] * 4])
def test_round_trip(tmp_path, documents, doc_ids):
    index = SparseIndex.build(documents, doc_ids)
    index.save(tmp_path)
    queries = QUERIES if documents is DOCUMENTS else as_rows(QUERIES, NAMES)
    loaded = SparseIndex.load(tmp_path)
    loaded.save(tmp_path)  # over its own mapped files
    for one in (loaded, SparseIndex.load(tmp_path)):
        expected, hits = index.search(queries, 4), one.search(queries, 4)
        assert np.array_equal(hits.docs, expected.docs)
        assert np.array_equal(hits.scores, expected.scores)
        assert hits.doc_ids == expected.doc_ids
        assert repr(one) == repr(index)
    assert loaded.memory() == index.memory()


def saved(tmp_path):
    SparseIndex.build(DOCUMENTS, ["a", "b", "c", "d"]).save(tmp_path)
    return read_container(tmp_path, "sparse")


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("weights"),
        lambda arrays: arrays.update(weights=arrays["weights"][:-1]),
        lambda arrays: arrays.update(weights=arrays["weights"].astype(np.float64)),
        lambda arrays: arrays.update(weights=np.full_like(arrays["weights"], np.nan)),
        lambda arrays: arrays.update(weights=np.zeros_like(arrays["weights"])),
        lambda arrays: arrays.update(weights=np.full_like(arrays["weights"], 1e30)),
        lambda arrays: arrays.pop("doc_id_lengths"),
        lambda arrays: arrays.update(doc_id_lengths=core.pack_integers(np.array([1, 1, 1], np.uint32))),
        lambda arrays: arrays.update(vocabulary_lengths=core.pack_integers(np.array([5, 10], np.uint32))),
        lambda arrays: arrays.update(vocabulary=np.full_like(arrays["vocabulary"], 0xFF)),
        lambda arrays: arrays.update(dfs=core.pack_integers(np.array([2, 2, 2], np.uint32))),
        lambda arrays: arrays.update(
            zip(
                ("postings", "group_ends"),
                core.pack_postings(
                    np.array([0, 2, 4, 5]), np.array([0, 1, 0, 3, 1], np.uint32), np.full(5, 2, np.uint32), 1
                ),
                strict=True,
            )
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, change):
    meta, arrays = saved(tmp_path)
    assert len(SparseIndex.load(tmp_path)) == 4
    change(arrays)
    write_container(tmp_path, "sparse", meta, arrays)
    with pytest.raises(CorruptFileError):
        SparseIndex.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"format": 9}, {"documents": 1}, {"documents": -1}, {"documents": True}, {"documents": "4"}, {"terms": "words"}],
)
def test_metadata_that_does_not_fit_is_refused(tmp_path, change):
    meta, arrays = saved(tmp_path)
    write_container(tmp_path, "sparse", meta | change, arrays)
    with pytest.raises(CorruptFileError):
        SparseIndex.load(tmp_path)


def test_another_kind_of_folder_is_refused(tmp_path):
    with pytest.raises(FileError):
        SparseIndex.load(tmp_path / "nothing")
    write_container(tmp_path, "bm25", {}, {})
    with pytest.raises(CorruptFileError):
        SparseIndex.load(tmp_path)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
@pytest.mark.parametrize("column", [2**31, 2**32, 2**32 + 1, 2**33 + 3, 2**62])
def test_a_column_far_beyond_is_unknown_to_a_query_and_refused_of_a_document(dtype, column):
    wide = (np.array([0, 2]), np.array([1, column], dtype), np.array([1.0, 9.0]))
    index = SparseIndex.build([{0: 1.0}, {1: 2.0}, {3: 4.0}])
    assert [(hit.doc, hit.score) for hit in index.search(wide)[0]] == [(1, 2.0)]
    with pytest.raises(InvalidInputError, match=f"term id {column}: ids of documents are below {MOST_IDS}"):
        SparseIndex.build(wide)


@pytest.mark.parametrize("term", [0, 7, 2**40])
def test_a_column_that_comes_twice_is_refused_known_or_not(term):
    index = SparseIndex.build([{0: 1.0}, {1: 2.0}])
    with pytest.raises(InvalidInputError, match=rf"1\D+{term} twice"):
        index.search((np.array([0, 1, 4]), np.array([term, term, 1, term]), np.ones(4)))
    assert len(index.search((np.array([0, 1, 2]), np.array([term, term]), np.ones(2)))) == 2


def test_a_matrix_of_one_dimension_is_refused():
    with pytest.raises(InvalidInputError, match=r"shape \[3\]: give two dimensions"):
        SparseIndex.build(scipy.sparse.coo_array(np.ones(3)))


def test_what_would_lose_its_mask_or_its_order_is_refused():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(InputTypeError, match="vectors is a masked array"):
        SparseIndex.build((np.array([0, 2]), np.array([0, 1]), masked))
    with pytest.raises(InputTypeError, match="vectors is a set, which has no order"):
        SparseIndex.build({(("a", 1.0),), (("b", 1.0),)})


def test_messages_name_ids_as_numbers():
    for vectors in (
        (np.array([0, 1]), np.array([5]), np.array([np.nan])),
        [{np.int64(5): np.nan}],
        [{np.int64(5): "x"}],
    ):
        with pytest.raises((InvalidInputError, InputTypeError), match="term 5 the weight"):
            SparseIndex.build(vectors)
