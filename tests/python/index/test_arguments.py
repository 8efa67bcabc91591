"""Every line of the table of inputs, for each dense index: what is legal has its stated answer, the rest is refused."""

import itertools
import re

import numpy as np
import pytest

from twotower.errors import InputTypeError, InvalidInputError
from twotower.index import INDEXES, BM25Index, FlatCodesIndex, FlatIndex, HNSWIndex, SparseIndex, TfidfIndex
from twotower.index.arguments import MAX_PADDED_CELLS, as_vectors, check_k
from twotower.index.doc_ids import DocIds, check_doc_ids

DENSE = pytest.mark.parametrize("cls", [FlatIndex, HNSWIndex])
EYE = np.eye(3, dtype=np.float32)


@DENSE
def test_k_0_gives_empty_hits(cls):
    hits = cls.build(EYE).search(EYE, k=0)
    assert hits.docs.shape == hits.scores.shape == (3, 0)
    assert cls.build(EYE).search(EYE[0], k=0) == []
    assert cls.build(EYE).search(EYE[0], k=np.int64(1))[0].doc == 0


@DENSE
@pytest.mark.parametrize("k", [-1, -(2**63), 1.0, 2.5, "3", None, True, np.True_, [1], np.float32(1)])
def test_k_below_0_or_no_integer_is_refused(cls, k):
    with pytest.raises(ValueError, match="k is "):
        cls.build(EYE).search(EYE, k=k)


@DENSE
def test_k_above_n_is_padded(cls):
    hits = cls.build(EYE).search(EYE[:1], k=5)
    assert hits.docs.tolist() == [[0, 1, 2, -1, -1]]
    assert hits.scores.tolist() == [[1, 0, 0, -np.inf, -np.inf]]
    assert hits.doc_ids == [["0", "1", "2", None, None]]
    assert len(hits[0]) == 3


@DENSE
@pytest.mark.parametrize("k", [2**31, 2**63, 10**30])
def test_padding_beyond_reason_is_refused_before_it_is_allocated(cls, k):
    with pytest.raises(ValueError, match="k=3 already returns every document"):
        cls.build(EYE).search(EYE, k=k)


def test_the_limit_of_padding():
    assert check_k(MAX_PADDED_CELLS, 1, 5) == MAX_PADDED_CELLS
    with pytest.raises(InvalidInputError):
        check_k(MAX_PADDED_CELLS, 2, 5)
    assert (
        check_k(MAX_PADDED_CELLS * 4, 9, MAX_PADDED_CELLS * 4) == MAX_PADDED_CELLS * 4
    )  # real results are not padding


@DENSE
def test_an_empty_corpus_finds_nothing(cls, tmp_path):
    index = cls.build(np.empty((0, 3), np.float32))
    for each in (index, (index.save(tmp_path), cls.load(tmp_path))[1]):
        assert len(each) == 0
        assert list(each.doc_ids) == []
        assert each.search(EYE, k=2).docs.tolist() == [[-1, -1]] * 3
        assert each.search(EYE[0]) == []
        assert each.score(EYE, np.full((3, 2), -1)).tolist() == [[-np.inf] * 2] * 3
    assert cls.build(np.empty((0, 3)), []).vectors.shape == (0, 3)


@DENSE
def test_no_queries_give_no_rows(cls):
    assert cls.build(EYE).search(np.empty((0, 3)), k=4).docs.shape == (0, 4)


@DENSE
def test_the_zero_query_scores_0_in_doc_id_order(cls):
    vectors = np.random.default_rng(0).standard_normal((50, 3))
    hits = cls.build(vectors).search(np.zeros((1, 3)), k=50, **({"ef": 200} if cls is HNSWIndex else {}))
    assert hits.docs.tolist() == [list(range(50))]
    assert (hits.scores == 0).all()


@DENSE
def test_a_zero_vector_is_a_legal_document(cls):
    hits = cls.build(np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])).search(np.array([[1.0, 1.0]]), k=3)
    assert hits.docs.tolist() == [[1, 0, 2]]


@DENSE
def test_a_doc_id_that_comes_twice_is_named(cls):
    with pytest.raises(ValueError, match="doc_id 'x' comes twice, at 0 and 2"):
        cls.build(EYE, ["x", "y", "x"])


@DENSE
@pytest.mark.parametrize("ids", [[1, 2, 3], ["a", "b", None], ["a", b"b", "c"], "abc", b"abc", 3, np.arange(3)])
def test_doc_ids_that_are_no_strings_are_refused(cls, ids):
    with pytest.raises(TypeError, match="doc_ids"):
        cls.build(EYE, ids)


@DENSE
@pytest.mark.parametrize("n", [0, 2, 4])
def test_another_number_of_doc_ids_is_refused(cls, n):
    with pytest.raises(ValueError, match=f"{n} doc_ids for 3 documents"):
        cls.build(EYE, [str(i) for i in range(n)])


@DENSE
def test_doc_ids_of_any_text_and_any_iterable(cls):
    ids = ["", "ü \n", "\U0001f600"]
    assert list(cls.build(EYE, iter(ids)).doc_ids) == ids
    assert list(cls.build(EYE, np.array(["a", "b", "c"])).doc_ids) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="UTF-8"):
        cls.build(EYE, ["a", "b", "\ud800"])


@DENSE
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named_with_row_and_column(cls, value):
    bad = np.zeros((9000, 3))
    bad[8500, 1] = bad[8999, 0] = value
    with pytest.raises(ValueError, match=r"vectors\[8500, 1\] is (nan|inf|-inf), which is not finite"):
        cls.build(bad)
    with pytest.raises(ValueError, match=r"queries\[8500, 1\]"):
        cls.build(EYE).search(bad)


@DENSE
def test_float64_beyond_float32_is_refused(cls):
    with pytest.raises(ValueError, match=r"vectors\[1, 0\] is -1e\+39, which is beyond the range of float32"):
        cls.build(np.array([[1.0], [-1e39]]))
    with pytest.raises(ValueError, match=r"queries\[0, 2\] is 1e\+300, which is beyond"):
        cls.build(EYE).search(np.array([0, 0, 1e300]))


@DENSE
@pytest.mark.parametrize("shape", [(2, 4), (4,), (0, 2)])
def test_another_dimension_is_refused_with_both(cls, shape):
    with pytest.raises(ValueError, match=f"queries has {shape[-1]} dimensions, the index has 3"):
        cls.build(EYE).search(np.zeros(shape))


@DENSE
@pytest.mark.parametrize("shape", [(), (3,), (1, 2, 3), (3, 0), (0, 0)])
def test_vectors_of_another_shape_are_refused(cls, shape):
    with pytest.raises(ValueError, match="vectors has shape"):
        cls.build(np.zeros(shape))


@DENSE
@pytest.mark.parametrize(
    "convert",
    [
        lambda v: v.astype(np.float64),
        lambda v: v.astype(np.float16),
        lambda v: v.astype(">f4"),
        lambda v: v.astype(">f8"),
        np.asfortranarray,
        lambda v: np.repeat(v, 2, axis=1)[:, ::2],
        lambda v: v[::-1][::-1],
        lambda v: v.tolist(),
        lambda v: v.astype(np.longdouble),
    ],
)
def test_other_floats_and_layouts_are_converted(cls, convert):
    vectors = np.random.default_rng(0).integers(-8, 8, (40, 6)).astype(np.float32)
    expected = cls.build(vectors).search(vectors, k=5)
    hits = cls.build(convert(vectors)).search(convert(vectors), k=5)
    assert (hits.docs == expected.docs).all()
    assert (hits.scores == expected.scores).all()


@DENSE
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, object, np.complex64, "U5", "M8[s]"])
def test_other_dtypes_are_refused(cls, dtype):
    bad = np.ones((3, 3)).astype(np.int64).astype(dtype)
    with pytest.raises(TypeError, match="vectors has dtype"):
        cls.build(bad)
    with pytest.raises(TypeError, match="queries has dtype"):
        cls.build(EYE).search(bad)


@DENSE
def test_what_is_no_array_is_refused(cls):
    for bad in (None, "text", {"a": 1}, object()):
        with pytest.raises(TypeError, match="vectors"):
            cls.build(bad)
    with pytest.raises(ValueError, match="rectangular"):
        cls.build([[1.0], [1.0, 2.0]])


@DENSE
def test_threads_are_checked(cls):
    for bad in (-1, 1025, 1.5, True):
        with pytest.raises(ValueError, match="threads is"):
            cls.build(EYE).search(EYE, threads=bad)


@DENSE
def test_docs_to_score_are_checked(cls):
    index = cls.build(EYE)
    assert index.score(EYE[:1], [[2, 0, -1]]).tolist() == [[0, 1, -np.inf]]
    assert index.score(EYE[:1], np.array([[2, 0]], np.uint8)).tolist() == [[0, 1]]
    for docs, error, problem in [
        ([[0, 3]], ValueError, r"docs\[0, 1\] is 3: the index has 3 documents"),
        ([[-2]], ValueError, r"docs\[0, 0\] is -2"),
        (np.array([[2**64 - 1]], np.uint64), ValueError, r"docs\[0, 0\] is 18446744073709551615"),
        ([0, 1], ValueError, r"docs has shape \[2\]"),
        ([[0], [1]], ValueError, r"docs has shape \[2, 1\]"),
        ([[0.0]], TypeError, "docs are float64"),
        ([[True]], TypeError, "docs are bool"),
    ]:
        with pytest.raises(error, match=problem):
            index.score(EYE[:1], docs)


def test_float32_that_needs_nothing_is_not_copied():
    assert as_vectors(EYE) is EYE


def test_numbered_doc_ids():
    ids = DocIds(12)
    assert list(ids) == [str(i) for i in range(12)]
    assert ids[-1] == "11"
    assert ids[2:4] == ["2", "3"]
    assert ids.index("11") == 11
    for wrong in ("12", "007", "-1", "", "٧", "1.0", "9" * 5000, 3):
        assert wrong not in ids
    with pytest.raises(InvalidInputError, match="no document has the doc_id '12'"):
        ids.index("12")
    with pytest.raises(IndexError):
        ids[12]


def test_given_doc_ids():
    ids = check_doc_ids(["b", "a"], 2)
    assert ids.index("a") == 1
    assert "c" not in ids
    with pytest.raises(InvalidInputError, match="no document has the doc_id 'c'"):
        ids.index("c")
    with pytest.raises(InputTypeError):
        check_doc_ids(7, 1)


def test_the_registry_names_every_index_and_an_unknown_attribute_is_none():
    import twotower.index

    assert set(INDEXES) >= {"flat", "hnsw"}
    assert twotower.index.FlatIndex is FlatIndex
    assert "HNSWIndex" in dir(twotower.index)
    with pytest.raises(AttributeError, match="Nothing"):
        _ = twotower.index.Nothing


def test_doc_ids_without_an_end_are_refused():
    taken = []
    endless = (taken.append(n) or str(n) for n in itertools.count())
    with pytest.raises(InvalidInputError, match="at least 4 doc_ids for 3 documents: give one a document"):
        check_doc_ids(endless, 3)
    assert len(taken) == 4


@pytest.mark.parametrize("doc_ids", [{"a", "b"}, frozenset("ab")])
def test_doc_ids_without_an_order_are_refused(doc_ids):
    with pytest.raises(InputTypeError, match=r"doc_ids is a (frozen)?set, which has no order: give a list"):
        check_doc_ids(doc_ids, 2)
    assert list(check_doc_ids(dict.fromkeys("ba").keys(), 2)) == ["b", "a"]


@pytest.mark.parametrize("k", [2**29, 2**62, 2**64, 10**30])
def test_a_k_beyond_the_padding_is_refused_without_queries_too(k):
    for index, none in (
        (FlatIndex.build(EYE), np.empty((0, 3))),
        (BM25Index.build(["a"]), []),
        (SparseIndex.build([{"a": 1.0}]), []),
    ):
        with pytest.raises(InvalidInputError, match="padded cells"):
            index.search(none, k)


@pytest.mark.parametrize("name", ["x\0y", "\0", "l2\0", "a\ud800"])
def test_a_name_is_shown_whole(name):
    shown = re.escape(repr(name))
    bm25 = BM25Index.build(["love"])
    for call in (
        lambda: FlatIndex.build(EYE, storage=name),
        lambda: FlatIndex.build(EYE, metric=name),
        lambda: bm25.search("love", algorithm=name),
        lambda: BM25Index.build(["love"], variant=name),
        lambda: TfidfIndex.build(["love"], smart=name),
    ):
        with pytest.raises(InvalidInputError, match=f"{shown}: choose one of"):
            call()


MASKED = np.ma.array(EYE, mask=EYE == 0)


def test_masked_arrays_are_refused():
    index = FlatIndex.build(EYE)
    for name, call in (
        ("vectors", lambda: FlatIndex.build(MASKED)),
        ("vectors", lambda: FlatCodesIndex.build(MASKED)),
        ("queries", lambda: index.search(MASKED)),
        ("queries", lambda: index.search(MASKED[0])),
        ("docs", lambda: index.score(EYE, np.ma.array([[0]] * 3))),
        ("where", lambda: index.search(EYE, where=np.ma.array([True, True, False], mask=[True, False, False]))),
    ):
        with pytest.raises(InputTypeError, match=f"{name} is a masked array: give a plain one"):
            call()
