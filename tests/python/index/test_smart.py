"""SMART's switches: golden values, every allowed combination against plain Python, scikit-learn, bad input, saving."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from real_data import require
from smart_oracle import DF, DOCUMENT_NORM, QUERY_NORM, TF, SmartOracle
from twotower.data import load_collection
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index import TfidfIndex
from twotower.index.native import core
from twotower.storage import read_container, write_container
from twotower.text import Analyzer

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "course_lexical.json").read_text())
PLAIN = Analyzer(stop_words=None, stemmer=None)
SPACES = Analyzer(str.split)
LTC = (0.746865, 0.077889, 0.357498, 0.0)
LNC = (0.740171, 0.271057, 0.653472, 0.0)
DOCUMENTS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), min_size=1, max_size=8)
QUERY = st.lists(st.sampled_from("abcdefghxyz"), max_size=6)
SIDES = [*map("".join, product(TF, DF, DOCUMENT_NORM))]
QUERY_SIDES = [*map("".join, product(TF, DF, QUERY_NORM))]


def options_of(smart, slope=None, alpha=0.375):
    return {"smart": smart, **({"alpha": alpha} if smart[2] == "b" else {}), **({"slope": slope} if slope else {})}


@pytest.mark.parametrize(("smart", "scores"), [("ltc.ltc", LTC), ("lnc.ltc", LNC)])
def test_golden(smart, scores):
    texts, ids = list(GOLDEN["documents"].values()), list(GOLDEN["documents"])
    index = TfidfIndex.build(texts, ids, analyzer=PLAIN, smart=smart)
    assert index.score(["sweet love"], [[0, 1, 2, 3]])[0] == pytest.approx(scores, abs=1e-6)
    for doc_id, score in zip(ids, scores, strict=True):
        assert sum(part.score for part in index.explain("sweet love", doc_id).terms) == pytest.approx(score, abs=1e-6)


def random_texts(random, n_docs=60):
    """Return documents of Zipf-like terms, one empty, one term in more than half of them."""
    ids = [(40 * random.random(random.integers(1, 30)) ** 3).astype(int) for _ in range(n_docs - 1)]
    return [[], *([f"t{t}" for t in row.tolist()] for row in ids)]


@pytest.mark.parametrize("documents_side", SIDES)
def test_every_combination(documents_side):
    number = SIDES.index(documents_side)
    random, log_base = np.random.default_rng(number), ("10", "e")[number // len(DOCUMENT_NORM) % 2]
    documents = random_texts(random, 30)
    texts = [" ".join(terms) for terms in documents]
    lengths = [len(text.encode()) for text in texts]
    queries = [["t0", "t3", "t3", "t3", "t7", "nobody", "nobody", "t0"], ["t1"], ["nobody"], [], ["t5", "t2"] * 9]
    built = TfidfIndex.build(texts, analyzer=SPACES, log_base=log_base, **options_of(documents_side + ".nnn"))
    oracle = SmartOracle(documents, documents_side + ".nnn", log_base, alpha=0.375, lengths=lengths)
    for query_side in QUERY_SIDES:
        smart = f"{documents_side}.{query_side}"
        oracle.queries_side = query_side
        everything = np.tile(np.arange(len(documents)), (len(queries), 1))
        hits = built.search(queries, 7, algorithm="exhaustive", **options_of(smart))
        scores = built.score(queries, everything, **options_of(smart))
        for q, query in enumerate(queries):
            ranked = oracle.rank(query, len(documents))
            assert [(hit.score, hit.doc) for hit in hits[q]] == [(float(s), doc) for s, doc in ranked[:7]], smart
            expected = dict.fromkeys(range(len(documents)), 0.0) | {doc: float(score) for score, doc in ranked}
            assert scores[q].tolist() == list(expected.values()), smart
        parts = [part.score for part in built.explain(queries[0], "9", **options_of(smart)).terms if part.tf]
        assert parts == oracle.parts(queries[0], 9), smart


@settings(max_examples=60, deadline=None)
@given(
    documents=DOCUMENTS,
    queries=st.lists(QUERY, min_size=1, max_size=3),
    sides=st.tuples(st.sampled_from(SIDES), st.sampled_from(QUERY_SIDES)),
    slope=st.floats(0.01, 1),
    alpha=st.floats(0, 0.99),
)
def test_random_corpora_by_every_algorithm(documents, queries, sides, slope, alpha):
    smart = ".".join(sides)
    texts = [" ".join(terms) for terms in documents]
    options = options_of(smart, slope if "u" in smart else None, alpha)
    index = TfidfIndex.build(texts, analyzer=SPACES, **options)
    oracle = SmartOracle(documents, smart, slope=slope, alpha=alpha, lengths=[len(text) for text in texts])
    for algorithm in ("auto", *core.query_algorithms()):
        for threads in (1, 2, 0):
            hits = index.search(queries, 3, threads, algorithm=algorithm)
            for q, query in enumerate(queries):
                expected = [(float(score), doc) for score, doc in oracle.rank(query, 3)]
                assert [(hit.score, hit.doc) for hit in hits[q]] == expected


@pytest.mark.parametrize("norm", ["l2", None])
@pytest.mark.parametrize(("letter", "options"), [("n", {}), ("l", {"sublinear_tf": True}), ("b", {"binary": True})])
def test_scikit_learn(letter, options, norm):
    """Without idf: its idf has a 1 added, which no letter has. Its logarithms are natural."""
    documents = random_texts(np.random.default_rng(0))
    vectorizer = TfidfVectorizer(analyzer=lambda terms: terms, norm=norm, use_idf=False, dtype=np.float64, **options)
    matrix = vectorizer.fit_transform(documents)
    queries = [["t0", "t3", "t3", "t7"], ["t1", "t2", "t2", "t2"]]
    side = letter + "n" + ("c" if norm else "n")
    index = TfidfIndex.build(documents, smart=f"{side}.{side}", log_base="e")
    scores = index.score(queries, np.tile(np.arange(len(documents)), (2, 1)))
    np.testing.assert_allclose(scores, (vectorizer.transform(queries) @ matrix.T).toarray(), rtol=1e-6)


@pytest.mark.parametrize("smart", ["ltc.ltc", "lnc.ltn", "Lnu.ltu", "dpu.apc", "btc.btn"])
def test_real_texts_by_a_dense_matrix(smart):
    """The index against a matrix of all weights, 100 queries of scifact."""
    collection = load_collection(require("scifact"))
    analyzer = Analyzer("english")
    documents = analyzer.analyze_batch([document.full_text for document in collection.corpus.values()])[:1500]
    queries = analyzer.analyze_batch(list(collection.queries.values())[:100])
    oracle, index = SmartOracle(documents, smart), TfidfIndex.build(documents, smart=smart)
    column = {term: i for i, term in enumerate(oracle.df)}
    matrix = np.zeros((len(documents), len(column)))
    for doc, (weights, norm) in enumerate(oracle.weights):
        for term, weight in weights.items():
            matrix[doc, column[term]] = weight / norm
    hits = index.search(queries, 10)
    for q, query in enumerate(queries):
        known = {term: query.count(term) for term in dict.fromkeys(query) if term in column}
        weights, norm = oracle.vector(known, oracle.queries_side)
        side = np.zeros(len(column))
        for term, weight in weights.items():
            side[column[term]] = weight / norm
        expected = np.sort(matrix @ side)[::-1][:10]
        np.testing.assert_allclose([hit.score for hit in hits[q]], expected[: len(hits[q])], rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smart": "ltc"}, "three letters"),
        ({"smart": "ltc-ltc"}, "three letters"),
        ({"smart": "xtc.ltc"}, "tf of documents is 'x', choose one of n, l, a, b, L, d"),
        ({"smart": "lxc.ltc"}, "df of documents is 'x', choose one of n, t, p"),
        ({"smart": "ltx.ltc"}, "norm of documents is 'x', choose one of n, c, u, b"),
        ({"smart": "ltc.xtc"}, "tf of queries"),
        ({"smart": "ltc.lxc"}, "df of queries"),
        ({"smart": "ltc.ltb"}, "norm of queries is 'b', choose one of n, c, u"),
        ({"smart": "ltb.ltc"}, "needs alpha"),
        ({"smart": "ltb.ltc", "alpha": 1.0}, "alpha is 1.0"),
        ({"smart": "ltb.ltc", "alpha": float("nan")}, "alpha is nan"),
        ({"smart": "ltu.ltc", "slope": 1.01}, "slope is 1.01"),
        ({"slope": 0.2}, "has no slope"),
        ({"alpha": 0.2}, "has no alpha"),
        ({"log_base": 2}, "must be 'e' or '10'"),
        ({"smart": "lt\udc00.ltc"}, "smart"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(InvalidInputError, match=message):
        TfidfIndex.build(["a b"], **options)
    with pytest.raises(InvalidInputError, match=message):
        TfidfIndex.build(["a b"]).search("a", **options)


@pytest.mark.parametrize(
    "options", [{"smart": 3}, {"smart": "ltu.ltn", "slope": "x"}, {"smart": "ltb.ltn", "alpha": True}]
)
def test_options_of_a_wrong_type(options):
    with pytest.raises(InputTypeError):
        TfidfIndex.build(["a b"], **options)


def test_byte_sizes_need_texts(tmp_path):
    options = {"smart": "lnb.ltn", "alpha": 0.5}
    with pytest.raises(InputTypeError, match="norm 'b' need strings"):
        TfidfIndex.build([["a"]], **options)
    with pytest.raises(InvalidInputError, match="build from texts"):
        TfidfIndex.build(["a"]).search("a", **options)
    TfidfIndex.build(["ä b"], **options).save(tmp_path)
    assert TfidfIndex.load(tmp_path).memory()["text_lengths"] == 4
    assert TfidfIndex.load(tmp_path).texts is None


@pytest.mark.parametrize("smart", ["ltc.ltc", "Lnu.ltu", "apb.dnc"])
def test_saved_and_loaded(tmp_path, smart):
    texts = [" ".join(terms) for terms in random_texts(np.random.default_rng(3))]
    options = options_of(smart, 0.4 if "u" in smart else None)
    analyzer = Analyzer(words="whitespace", stop_words=None, stemmer=None)
    index = TfidfIndex.build(texts, analyzer=analyzer, log_base="e", **options)
    index.save(tmp_path / "saved")
    TfidfIndex.build_to(tmp_path / "built", texts, analyzer=analyzer, log_base="e", **options)
    for folder in ("saved", "built"):
        loaded = TfidfIndex.load(tmp_path / folder)
        assert (loaded.smart, loaded.log_base, loaded.slope, loaded.alpha) == (
            smart,
            "e",
            options.get("slope"),
            options.get("alpha"),
        )
        expected, hits = index.search(["t0 t4 t4", "t2"]), loaded.search(["t0 t4 t4", "t2"])
        assert np.array_equal(expected.scores, hits.scores)
        assert np.array_equal(expected.docs, hits.docs)
    saved, built = (read_container(tmp_path / folder, "tfidf") for folder in ("saved", "built"))
    assert saved[0] == built[0]
    assert {name: array.tobytes() for name, array in saved[1].items()} == {
        name: array.tobytes() for name, array in built[1].items()
    }


def test_an_index_without_options_is_ltc(tmp_path):
    index = TfidfIndex.build(["a b", "b"])
    index.save(tmp_path / "new")
    meta, arrays = read_container(tmp_path / "new", "tfidf")
    for scoring, loads in (({}, True), ({"smart": "xxx.xxx"}, False), ({"other": 1}, False), ({"slope": 0.5}, False)):
        write_container(tmp_path / "old", "tfidf", {**meta, "scoring": scoring}, arrays)
        if loads:
            assert TfidfIndex.load(tmp_path / "old").smart == "ltc.ltc"
        else:
            with pytest.raises(CorruptFileError):
                TfidfIndex.load(tmp_path / "old")
