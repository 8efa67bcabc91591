"""Word vectors against a program in plain NumPy, the gradient against differences, refusals, files, real texts."""

import itertools
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twotower as tt
import word2vec_oracle as oracle
from real_data import require
from twotower.pretraining import word2vec
from twotower.pretraining.word_vectors import Word2VecOptions, WordVectors, vectors_of_ids
from twotower.text import TermIds


def random_texts(n_texts, n_terms, seed):
    generator = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(generator.integers(0, 15, n_texts))]).astype(np.int64)
    ids = np.minimum(generator.zipf(1.5, offsets[-1]) - 1, n_terms - 1).astype(np.int32)
    return TermIds(ids, offsets)


def by_oracle(found, n_terms, options):
    generator = np.random.default_rng(options.seed)
    inputs = (generator.random((n_terms, options.dim), np.float32) - np.float32(0.5)) / np.float32(options.dim)
    inputs = inputs.astype(np.float64)
    known = found.ids >= 0
    offsets = np.concatenate([[0], np.cumsum(known)])[found.offsets]
    settings = {
        "cbow": options.method == "cbow", "window": options.window, "negative_samples": options.negative, "epochs": options.epochs,
        "lr": options.rate, "min_lr": options.rate / 250, "subsample": options.subsample, "seed": options.seed,
    }  # fmt: skip
    tables = (inputs, np.zeros_like(inputs))
    if options.threads == 1:
        oracle.train(found.ids[known], offsets, *tables, **settings)
    else:
        oracle.train_in_copies(found.ids[known], offsets, *tables, options.threads, **settings)
    return inputs


@pytest.mark.parametrize("method", ["skipgram", "cbow"])
@settings(max_examples=12, deadline=None)
@given(
    dim=st.integers(1, 40), window=st.integers(1, 6), negative=st.integers(1, 6), seed=st.integers(0, 2**40),
    subsample=st.sampled_from([0.0, 1e-2, 0.1]),
)  # fmt: skip
def test_equals_the_oracle(method, dim, window, negative, seed, subsample):
    found = random_texts(40, 25, seed % 1000)
    found.ids[::17] = -1
    options = Word2VecOptions(method, dim, window, negative, 2, 0.1, subsample, seed)
    vectors = vectors_of_ids(found, 25, options, progress=False)
    expected = by_oracle(found, 25, options)
    assert np.abs(vectors - expected).max() < 2e-4 * max(1.0, np.abs(expected).max())
    assert np.abs(vectors - by_oracle(found, 25, replace(options, epochs=1, lr=0.1 / 3))).max() > 1e-3 / dim  # it moves


@pytest.mark.parametrize("method", ["skipgram", "cbow"])
@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("subsample", [0.0, 0.02])
def test_copies_of_threads_are_merged_as_the_oracle_does_it(method, threads, subsample):
    """One round an epoch, as so few words make: parts, steps that are counted, weights of the merge, copies that are equal again."""
    found = random_texts(150, 25, 8)
    options = Word2VecOptions(method, 9, 3, 2, 3, 0.2, subsample, 5, threads)
    vectors = vectors_of_ids(found, 25, options, progress=False)
    expected = by_oracle(found, 25, options)
    assert np.abs(vectors - expected).max() < 2e-4 * max(1.0, np.abs(expected).max())
    assert np.abs(vectors - by_oracle(found, 25, replace(options, threads=1))).max() > 1e-2


@pytest.mark.parametrize("n_inputs", [1, 4])
def test_the_step_is_down_the_gradient_of_the_objective(n_inputs):
    """Central differences of the objective in float64; rows differ, as two steps at one row are no gradient."""
    generator = np.random.default_rng(3)
    inputs, outputs = generator.normal(size=(6, 5)), generator.normal(size=(9, 5))
    in_rows, rows, labels = list(range(n_inputs)), [2, 5, 7, 8], np.array([1.0, 0.0, 1.0, 0.0])
    value = lambda a, b: oracle.objective(a[in_rows].mean(axis=0), b, rows, labels)  # noqa: E731
    moved_in, moved_out, lr, width = inputs.copy(), outputs.copy(), 1e-3, 1e-6
    oracle.step(moved_in, moved_out, in_rows, rows, labels, lr)
    for table, moved in ((inputs, moved_in), (outputs, moved_out)):
        for place in itertools.product(*map(range, table.shape)):
            kept = table[place]
            table[place] = kept + width
            above = value(inputs, outputs)
            table[place] = kept - width
            slope = (above - value(inputs, outputs)) / (2 * width)
            table[place] = kept
            assert moved[place] - kept == pytest.approx(-lr * slope, abs=1e-9)


def test_one_result_on_every_isa_and_with_every_number_of_threads_its_own(tmp_path):
    code = (
        "import hashlib, sys, numpy as np; from twotower.pretraining.word_vectors import *; from twotower.text import TermIds\n"
        "g = np.random.default_rng(0); ids = g.integers(0, 300, 60000).astype(np.int32)\n"
        "found = TermIds(ids, np.arange(0, 60001, 20))\n"
        "for threads in (1, 2): print(hashlib.sha256(vectors_of_ids(found, 300, Word2VecOptions(dim=20, epochs=1, threads=threads),"
        " progress=False)).hexdigest())"
    )
    answers = set()
    for isa in tt.backend().isas:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TWOTOWER_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        )
        answers.add(done.stdout)
    assert len(answers) == 1
    one, two = answers.pop().split()
    assert one != two


def test_words_that_share_neighbours_come_close():
    generator = np.random.default_rng(0)
    pairs = [("cat", "milk", "purr"), ("dog", "bone", "bark")]
    texts = [" ".join(generator.choice(pairs[n % 2], 6)) for n in range(2000)]
    for method in ("skipgram", "cbow"):
        vectors = word2vec(texts, method=method, dim=16, subsample=0, min_count=1, progress=False)
        assert vectors.similarity("cat", "milk") > 0.5 > vectors.similarity("cat", "bone")
        assert len(vectors) == 6
        assert "cat" in vectors
        assert "cow" not in vectors
        with pytest.raises(tt.errors.InvalidInputError, match="cow"):
            vectors.similarity("cat", "cow")


def test_rare_words_are_taken_out_before_neighbours_are_counted():
    with_rare = ["a b", "a rare b"] * 10
    with_rare[1] = "a once b"
    without = ["a b"] * 20
    once = word2vec(with_rare, dim=4, min_count=10, progress=False)
    assert once.terms == ["a", "b"]
    assert word2vec(with_rare, dim=4, min_count=9, progress=False).terms == ["a", "b", "rare"]  # 9 times: often enough
    np.testing.assert_array_equal(once.vectors, word2vec(without, dim=4, min_count=10, progress=False).vectors)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "glove"}, "skipgram, cbow"), ({"dim": 0}, "dim"), ({"dim": 2**20}, "dim"), ({"window": 0}, "window"),
        ({"negative": 0}, "negative"), ({"epochs": 0}, "epochs"), ({"lr": 0.0}, "lr"), ({"lr": float("nan")}, "lr"),
        ({"lr": -1.0}, "lr"), ({"subsample": -1.0}, "subsample"), ({"subsample": float("inf")}, "subsample"),
        ({"seed": -1}, "seed"), ({"threads": 0}, "threads"), ({"threads": 10**6}, "threads"), ({"min_count": 0}, "min_count"),
    ],
)  # fmt: skip
def test_hostile_options_are_refused(options, message):
    with pytest.raises(tt.errors.InvalidInputError, match=message):
        word2vec(["a b c"] * 9, **options)


@pytest.mark.parametrize("options", [{"dim": 2.0}, {"epochs": True}, {"lr": "fast"}, {"window": None}, {"seed": "x"}])
def test_wrong_types_are_refused(options):
    with pytest.raises(tt.errors.InputTypeError):
        word2vec(["a b c"] * 9, **options)


@pytest.mark.parametrize("texts", [[], [""], ["a a a a a a"], ["a b c"]])
def test_texts_without_two_frequent_words_are_refused(texts):
    with pytest.raises(tt.errors.InvalidInputError, match="fewer than two different words"):
        word2vec(texts, min_count=5)


def test_one_text_for_many_is_refused():
    with pytest.raises(tt.errors.InputTypeError, match="one str"):
        word2vec("a b c")


def test_a_run_that_diverges_is_an_error():
    with pytest.raises(tt.errors.TrainingError, match="smaller lr"):
        word2vec(["a b c d"] * 500, lr=1e9, dim=4, epochs=2, progress=False)


def test_the_text_form_gives_the_same_numbers_again(tmp_path):
    vectors = word2vec(["süß love süß sorrow"] * 20, dim=7, progress=False)
    vectors.save_text(tmp_path / "v.txt")
    first, *lines = (tmp_path / "v.txt").read_text(encoding="utf-8").splitlines()
    assert first == "3 7"
    assert [line.split(" ")[0] for line in lines] == vectors.terms == ["süß", "love", "sorrow"]
    again = np.array([line.split(" ")[1:] for line in lines], np.float64).astype(np.float32)
    np.testing.assert_array_equal(again, vectors.vectors)
    with pytest.raises(tt.errors.InvalidInputError, match="white space"):
        WordVectors(["a b"], np.zeros((1, 2), np.float32)).save_text(tmp_path / "w.txt")
    assert not (tmp_path / "w.txt").exists()


def test_ctrl_c_stops_and_other_threads_run_meanwhile():
    found = TermIds(np.arange(400_000, dtype=np.int32) % 1000, np.arange(0, 400_001, 100))
    ticks = []
    timer = threading.Timer(1.0, lambda: (ticks.append(1), os.kill(os.getpid(), signal.SIGINT)))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        vectors_of_ids(found, 1000, Word2VecOptions(dim=256, epochs=1000), progress=False)
    assert ticks == [1]


@pytest.mark.data
def test_real_texts_teach_what_words_mean():
    collection = tt.load_collection(require("scifact"))
    texts = [document.full_text for document in collection.corpus.values()]
    vectors = word2vec(texts, dim=50, epochs=1, progress=False)
    assert vectors.similarity("breast", "prostate") > vectors.similarity("breast", "zebrafish") + 0.2
