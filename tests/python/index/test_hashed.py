"""Hashed n-grams: n-grams and bins by plain Python and scikit-learn's hash, scores by the definition and as a sparse matrix."""

import json
import pickle
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.utils import murmurhash3_32

from real_data import require
from smart_oracle import LogCountOracle
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.index import BM25Index, HashedNgramIndex
from twotower.index.hashed_ngrams import HashedNgrams
from twotower.index.native import core
from twotower.storage import read_container, write_container
from twotower.text import Analyzer
from twotower.text.analyzers import STOP_WORDS

STOP = set(STOP_WORDS["english"])
TEXTS = [
    "How sweet is love?",
    "Sweet sorrow, sweet love",
    "The nurse (sweet) sorrow",
    "",
    "of the",
    "A ring",
    "Night",
    "Day",
]


def plain_ngrams(text, most):
    """N-grams without a stop word or punctuation mark, of ASCII letters and digits, written out."""
    tokens, word = [], ""
    for character in text.lower() + " ":
        if character.isalnum():
            word += character
            continue
        tokens += [word] if word else []
        tokens += [] if character.isspace() else [character]
        word = ""
    grams = []
    for first in range(len(tokens)):
        for last in range(first + 1, min(first + most, len(tokens)) + 1):
            some = tokens[first:last]
            if all(token.isalnum() and token not in STOP for token in some):
                grams.append(" ".join(some))
    return grams


def bins_of(grams, bins):
    return [f"{murmurhash3_32(gram, positive=True) % bins:x}" for gram in grams]


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet="abc the of,.$-_\n09", max_size=60),
    ngram=st.integers(1, 4),
    bins=st.sampled_from([1, 7, 2**24, 2**31 - 1]),
)
def test_ngrams_and_bins(text, ngram, bins):
    hashed = HashedNgrams(Analyzer("plain", stop_words="english"), ngram, bins)
    grams = plain_ngrams(text, ngram)
    assert hashed.ngrams(text) == grams
    assert hashed.analyze(text) == bins_of(grams, bins)


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.text(alphabet=st.characters(categories=["L"]), min_size=1, max_size=9), max_size=6))
def test_the_hash_is_that_of_scikit_learn_on_utf8(words):
    hashed = HashedNgrams(Analyzer("plain", stop_words=None), 3)
    text = " ".join(words)
    assert hashed.analyze(text) == bins_of(hashed.ngrams(text), 2**24)


def test_texts_are_in_one_normal_form():
    hashed = HashedNgrams(ngram=1)
    assert hashed.analyze("caf\u00e9") == hashed.analyze(unicodedata.normalize("NFD", "caf\u00e9"))


def check(index, queries, k=5):
    documents = index.analyzer.analyze_batch(TEXTS)
    oracle = LogCountOracle(documents)
    for algorithm in ("auto", *core.query_algorithms()):
        for threads in (1, 2, 0):
            hits = index.search(queries, k, threads, algorithm=algorithm)
            for q, query in enumerate(queries):
                expected = oracle.rank(index.analyzer.analyze(query), k)
                assert [(hit.score, hit.doc) for hit in hits[q]] == [(float(score), doc) for score, doc in expected]


@pytest.mark.parametrize("bins", [1, 3, 2**24])
def test_scores(bins):
    queries = ["sweet love", "sweet sorrow sweet sorrow", "nobody", "", "the of", "night love sorrow"]
    check(HashedNgramIndex.build(TEXTS, bins=bins), queries)
    assert len(HashedNgramIndex.build(TEXTS, bins=bins).vocabulary) <= bins


@settings(max_examples=60, deadline=None)
@given(
    documents=st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), min_size=1, max_size=9),
    query=st.lists(st.sampled_from("abcdefghxyz"), max_size=6),
)
def test_random_corpora(documents, query):
    index, oracle = HashedNgramIndex.build(documents), LogCountOracle(documents)
    for algorithm in ("auto", *core.query_algorithms()):
        hits = index.search([query], 4, algorithm=algorithm)[0]
        assert [(hit.score, hit.doc) for hit in hits] == [(float(s), doc) for s, doc in oracle.rank(query, 4)]
    parts = [part.score for part in index.explain(query, "0").terms if part.tf]
    assert parts == oracle.parts(query, 0)


def test_against_a_sparse_matrix_of_real_texts():
    """The product of count matrices as DrQA's program makes it, 50 queries of scifact."""
    folder = require("scifact")
    texts = [json.loads(line)["text"] for line in (folder / "corpus.jsonl").read_text().splitlines()[:1000]]
    queries = [json.loads(line)["text"] for line in (folder / "queries.jsonl").read_text().splitlines()[:50]]
    index, bins = HashedNgramIndex.build(texts), 2**24

    def counts(some):
        rows = [Counter(int(name, 16) for name in names) for names in index.analyzer.analyze_batch(some)]
        data = [(n, i, bin_) for i, row in enumerate(rows) for bin_, n in row.items()]
        values, columns, places = zip(*data, strict=True)
        return sparse.csr_matrix((np.array(values, float), (columns, places)), shape=(len(some), bins))

    documents, asked = counts(texts), counts(queries)
    df = np.asarray((documents > 0).sum(0)).ravel()
    idf = sparse.diags(np.maximum(np.log((len(texts) - df + 0.5) / (df + 0.5)), 0))
    product = (asked.log1p() @ idf @ (documents.log1p() @ idf).T).toarray()
    hits = index.search(queries, 5)
    for q, row in enumerate(product):
        np.testing.assert_allclose([hit.score for hit in hits[q]], np.sort(row)[::-1][:5], rtol=1e-5)
        np.testing.assert_allclose([hit.score for hit in hits[q]], row[[hit.doc for hit in hits[q]]], rtol=1e-5)


def test_explanations_name_ngrams():
    index = HashedNgramIndex.build(TEXTS)
    explained = index.explain("sweet sorrow", "1")
    assert [part.term for part in explained.terms] == ["sweet", "sweet sorrow", "sorrow"]
    assert np.float32(sum(part.score for part in explained.terms)) == explained.score
    together = HashedNgramIndex.build(TEXTS, bins=1).explain("sweet sorrow sweet", "1")
    assert [part.term for part in together.terms] == ["sweet | sweet sorrow | sorrow | sorrow sweet"]


def test_saved_and_loaded(tmp_path):
    index = HashedNgramIndex.build(TEXTS, list("abcdefgh"), analyzer="english", ngram=3, bins=5000)
    index.save(tmp_path / "a")
    HashedNgramIndex.build_to(tmp_path / "b", TEXTS, list("abcdefgh"), analyzer="english", ngram=3, bins=5000)
    for folder in ("a", "b"):
        loaded = HashedNgramIndex.load(tmp_path / folder)
        assert (loaded.analyzer.ngram, loaded.analyzer.bins) == (3, 5000)
        assert loaded.search("sweet sorrow") == index.search("sweet sorrow")
    limited = HashedNgramIndex.build(iter(TEXTS), memory_limit=200 << 20, analyzer="english", ngram=3, bins=5000)
    assert limited.vocabulary == index.vocabulary


def test_bm25_over_hashed_ngrams(tmp_path):
    analyzer = HashedNgrams(bins=1000)
    BM25Index.build(TEXTS, analyzer=analyzer).save(tmp_path)
    loaded = BM25Index.load(tmp_path)
    assert repr(loaded.analyzer) == repr(analyzer)
    assert (
        loaded.search("sweet sorrow")
        == BM25Index.build(analyzer.analyze_batch(TEXTS)).search([analyzer.analyze("sweet sorrow")])[0]
    )
    assert pickle.loads(pickle.dumps(analyzer)).analyze("a ring") == analyzer.analyze("a ring")


@pytest.mark.parametrize(
    "change",
    [
        {"hashed_ngrams": 3},
        {"hashed_ngrams": {"ngram": 2, "bins": 5}},
        {"hashed_ngrams": {"ngram": 0, "bins": 5, "words": Analyzer("plain").to_config()}},
        {"hashed_ngrams": {"ngram": 2, "bins": 2**40, "words": Analyzer("plain").to_config()}},
        {"hashed_ngrams": {"ngram": 2, "bins": 5, "words": {}}},
        Analyzer("plain").to_config(),
    ],
)
def test_malformed_descriptions(tmp_path, change):
    HashedNgramIndex.build(TEXTS).save(tmp_path / "good")
    meta, arrays = read_container(tmp_path / "good", "hashed")
    write_container(tmp_path / "bad", "hashed", {**meta, "analyzer": change}, arrays)
    with pytest.raises(CorruptFileError):
        HashedNgramIndex.load(tmp_path / "bad")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ngram": 0}, "ngram is 0"),
        ({"ngram": 9}, "ngram is 9"),
        ({"bins": 0}, "bins is 0"),
        ({"bins": 2**31}, "bins is"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(InvalidInputError, match=message):
        HashedNgramIndex.build(TEXTS, **options)


def test_bad_texts():
    with pytest.raises(InvalidInputError, match="text 1 has a lone surrogate"):
        HashedNgramIndex.build(["a", "b\ud800"])
    with pytest.raises(InputTypeError, match="text 1 is of type int"):
        HashedNgramIndex.build(["a", 3])
    with pytest.raises(InputTypeError, match="one str"):
        HashedNgrams().term_ids("a", HashedNgramIndex.build(TEXTS).vocabulary, False)
    with pytest.raises(InvalidInputError, match="offsets"):
        core.hash_ngrams(np.zeros(1, np.int32), np.array([0, 1]), np.zeros(3, np.uint8), np.array([0, 4]), 2, 5)


@pytest.mark.parametrize("option", ["ngram", "bins"])
def test_hashed_ngrams_bring_their_own_options(option, tmp_path):
    with pytest.raises(InvalidInputError, match="which has ngram and bins: give them there alone"):
        HashedNgramIndex.build(TEXTS, analyzer=HashedNgrams(), **{option: 3})
    with pytest.raises(InvalidInputError, match="give them there alone"):
        HashedNgramIndex.build_to(tmp_path / "index", TEXTS, analyzer=HashedNgrams(), **{option: 3})
