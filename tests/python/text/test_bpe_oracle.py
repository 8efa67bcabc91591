"""Byte-level BPE equals the `tokenizers` package: all of Unicode, random strings, every family of files, real text.

The full product (every document, 100,000 strings for each family, large vocabularies) is the program in bpe_oracle.py.
"""

import itertools
import random

import numpy as np
import pytest

from real_data import ROOT, require
from text.bpe_oracle import families, load, random_string, train
from text.wordpiece_oracle import SCALARS, differences, documents

pytest.importorskip("tokenizers", reason="the oracle is the package tokenizers")
FAMILIES = (
    "GPT-2",
    "RoBERTa",
    "RoBERTa, a space first",
    "ModernBERT",
    "ModernBERT, a space first, trimmed",
    "Llama 3",
    "Qwen 2",
    "a Split of GPT-2",
    "no words",
)


@pytest.fixture(scope="module")
def files():
    """Return the files of all families over a vocabulary of 2,000 tokens, trained on random strings."""
    generator = random.Random(0)
    words = ["the", "of", "and", "love", "running", "international", "12", "привет", "слово", "한국어", "中文", "नमस्ते"]
    texts = [f"{random_string(generator)} {' '.join(generator.choices(words, k=8))}" for _ in range(3000)]
    return families(train(texts, 2000))


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request, files, tmp_path_factory):
    return load(files[request.param], tmp_path_factory.mktemp("oracle"))


def test_all_families_are_here(files):
    assert tuple(files) == FAMILIES


def test_random_strings(pair):
    generator = random.Random(1)
    texts = [random_string(generator) for _ in range(1000)]
    wrong = differences(*pair, texts)
    assert [texts[n] for n in wrong] == []


def test_every_scalar_value_alone(files, tmp_path):
    tokenizer, oracle = load(files["ModernBERT"], tmp_path)
    for begin in range(0, len(SCALARS), 100_000):
        texts = [chr(code) for code in SCALARS[begin : begin + 100_000]]
        assert differences(tokenizer, oracle, texts, spans=False) == []


@pytest.mark.parametrize("family", ["ModernBERT", "Llama 3"])
def test_every_scalar_value_inside_a_word(files, tmp_path, family):
    tokenizer, oracle = load(files[family], tmp_path)
    words = [f"ab{chr(code)}cd" for code in SCALARS]
    texts = [" ".join(words[i : i + 64]) for i in range(0, len(words), 64)]
    assert differences(tokenizer, oracle, texts, spans=False) == []


@pytest.mark.parametrize("max_length", [None, 4, 5, 17])
@pytest.mark.parametrize("add_special_tokens", [True, False])
def test_pairs_and_truncation(pair, max_length, add_special_tokens):
    tokenizer, oracle = pair
    generator = random.Random(4)
    texts = [random_string(generator)[: generator.randrange(60)] for _ in range(150)]
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


def test_padding(pair):
    tokenizer, oracle = pair
    generator = random.Random(5)
    texts = [random_string(generator)[:40] for _ in range(100)]
    pad = tokenizer.token_to_id("<pad>")
    for ours, theirs in (
        ({}, {}),
        ({"multiple_of": 8}, {"pad_to_multiple_of": 8}),
        ({"side": "left"}, {"direction": "left"}),
    ):
        try:
            oracle.enable_padding(pad_id=pad, pad_token="<pad>", **theirs)
            encodings = oracle.encode_batch(texts)
        finally:
            oracle.no_padding()
        padded = tokenizer.encode_batch(texts).padded(**ours)
        assert np.array_equal(padded.ids, [e.ids for e in encodings])
        assert np.array_equal(padded.attention_mask, [e.attention_mask for e in encodings])
        assert np.array_equal(padded.type_ids, [e.type_ids for e in encodings])


def test_decoding(pair):
    tokenizer, oracle = pair
    generator = random.Random(6)
    assert tokenizer.vocab_size == oracle.get_vocab_size()
    for _ in range(1000):
        ids = generator.choices(range(tokenizer.vocab_size), k=12)
        skip = generator.random() < 0.5
        assert tokenizer.decode(ids, skip) == oracle.decode(ids, skip)


@pytest.mark.data
def test_a_sample_of_the_real_documents(pair):
    require("scifact")
    texts = list(itertools.islice(documents(ROOT), 0, 800_000, 1601))
    assert differences(*pair, texts) == []
