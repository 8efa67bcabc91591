"""Trained vocabularies on real texts: tokens a word of held-out texts against the trainers of `tokenizers`."""

import json

import pytest

import twotower as tt
from real_data import require
from text.wordpiece_oracle import differences, oracle_of

tokenizers = pytest.importorskip("tokenizers", reason="the peer is the package tokenizers")
pytestmark = pytest.mark.data
SIZES = [1_000, 6_000]


@pytest.fixture(scope="module", params=["scifact", "cranfield"])
def texts(request):
    with (require(request.param) / "corpus.jsonl").open(encoding="utf-8") as lines:
        found = [json.loads(line)["text"] for line in lines]
    return [text for n, text in enumerate(found) if n % 10], found[::10]


def wordpiece_of_peer(texts, size, path):
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=2, limit_alphabet=200, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path))
    return tt.WordPiece.from_file(path)


def bpe_of_peer(texts, size, path):
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path))
    return tt.BPE.from_file(path)


def n_tokens(tokenizer, texts):
    return len(tokenizer.encode_batch(texts, add_special_tokens=False).ids)


@pytest.mark.parametrize("size", SIZES)
def test_wordpiece_takes_no_more_tokens_than_the_peer(texts, size, tmp_path):
    train, held_out = texts
    peer = n_tokens(wordpiece_of_peer(train, size, tmp_path / "peer.json"), held_out)
    merges_alone = tt.WordPiece.train(train, size, limit_alphabet=200, candidates=1)
    tokenizer = tt.WordPiece.train(train, size, limit_alphabet=200)
    assert tokenizer.vocab_size == merges_alone.vocab_size == size
    assert abs(n_tokens(merges_alone, held_out) / peer - 1) < 0.002
    assert n_tokens(tokenizer, held_out) < peer
    assert differences(tokenizer, oracle_of(tokenizer, tmp_path), held_out) == []


@pytest.mark.parametrize("size", SIZES)
def test_bpe_takes_as_many_tokens_as_the_peer(texts, size, tmp_path):
    train, held_out = texts
    peer = n_tokens(bpe_of_peer(train, size, tmp_path / "peer.json"), held_out)
    tokenizer = tt.BPE.train(train, size, special_tokens=[])
    assert tokenizer.vocab_size == size
    assert abs(n_tokens(tokenizer, held_out) / peer - 1) < 0.002
    assert differences(tokenizer, oracle_of(tokenizer, tmp_path), held_out) == []
