"""Training of byte-level BPE on corpora small enough for plain code: what it learns, takes and refuses."""

import random
import re

import numpy as np
import pyarrow as pa
import pytest

import twotower as tt
from text.bpe_oracle import random_string
from text.training_oracle import learn_bpe
from text.wordpiece_oracle import differences, oracle_of
from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.bpe import BYTE_OF
from twotower.text.bpe_document import PATTERNS
from twotower.text.native import NativeLearner, NativeRequest, NativeWordCounter, NativeWordCounts, SplitRule
from twotower.text.text_columns import native_texts
from twotower.text.train_bpe import SPECIAL_TOKENS as SPECIAL

TEXTS = [
    "Sweet love",
    " lovely sweetness!",
    "",
    "sweetly  loved\n\n",
    "  ",
    "love's sweet 12345",
    "naïve 中文 \x00",
] * 3
CHAR_OF = {byte: char for char, byte in BYTE_OF.items()}


def counted(texts, rule=SplitRule.GPT2, nfc=False, prefix=False, special=()):
    counter = NativeWordCounter.of_byte_level(rule, nfc, prefix, list(special), 1 << 30)
    views = native_texts(list(texts), "text")
    counter.add(views, 0, len(views), 0, 2)
    return {word.replace(b"\xff", b"\0"): count for word, count in counter.take().items()}


def tokens_of(tokenizer):
    return [tokenizer.id_to_token(number) for number in range(tokenizer.vocab_size)]


@pytest.mark.parametrize("seed", range(150))
def test_learner_equals_plain_code(seed):
    generator = random.Random(seed)
    letters = "abcé中 "[: generator.randrange(1, 7)]
    words = {
        "".join(generator.choices(letters, k=generator.choice([1, 2, 3, 5, 10, 30]))).encode(): generator.randrange(
            1, 5
        )
        for _ in range(generator.randrange(1, 40))
    }
    special = generator.choice([[], ["<s>", "</s>"], ["ab", "a"]])
    options = (generator.choice([262, 280, 330]), generator.choice([1, 2, 4]), generator.choice([1, 2, 3, 7, 100]))
    request = NativeRequest(special, options[0], 0, options[1], options[2], 256)
    counts = NativeWordCounts([(word.decode(), count) for word, count in words.items()])
    learner = NativeLearner.of_byte_level(counts, request)
    while learner.run(generator.randrange(1, 20)):
        pass
    tokens, merges = learn_bpe(words, special, *options, CHAR_OF)
    assert learner.tokens() == tokens
    assert learner.merges() == merges
    assert len({merge[:2] for merge in merges}) == len(merges)


@pytest.mark.parametrize("rule", [SplitRule.GPT2, SplitRule.GPT4, SplitRule.GPT4_ONE_DIGIT])
@pytest.mark.parametrize("nfc", [False, True])
def test_words_are_those_of_the_encoder(rule, nfc):
    tokenizers = pytest.importorskip("tokenizers")
    pattern = next(pattern for pattern, known in PATTERNS.items() if known == rule)
    splitter = tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
    normalizer = tokenizers.normalizers.NFC()
    generator = random.Random(1)
    texts = [random_string(generator) for _ in range(2000)]
    prefix = rule == SplitRule.GPT2
    expected = {}
    for text in texts:
        for part in filter(None, re.split("<mask>", text)):
            normal = normalizer.normalize_str(part) if nfc else part
            for word, _ in splitter.pre_tokenize_str(" " * (prefix and normal[0] != " ") + normal):
                expected[word.encode()] = expected.get(word.encode(), 0) + 1
    assert counted(texts, rule, nfc, prefix, ["<mask>"]) == expected


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"add_prefix_space": True},
        {"split": "gpt4", "nfc": True, "special_tokens": ["<|endoftext|>"]},
        {"split": "gpt4-one-digit", "special_tokens": []},
    ],
    ids=str,
)
def test_a_trained_tokenizer_encodes_as_its_file_does(options, tmp_path):
    tokenizer = tt.BPE.train(TEXTS, 300, progress=False, **options)
    special = list(options.get("special_tokens", SPECIAL))
    assert tokens_of(tokenizer)[: len(special)] == special
    assert tokenizer.vocab_size <= 300
    oracle = oracle_of(tokenizer, tmp_path)
    generator = random.Random(2)
    texts = [*TEXTS, "sweet<mask>LOVE <s><|endoftext|>", *(random_string(generator) for _ in range(300))]
    assert differences(tokenizer, oracle, texts) == []
    tokenizer.to_file(tmp_path / "tokenizer.json")
    again = tt.BPE.from_file(tmp_path / "tokenizer.json")
    assert again.encode_batch(texts).ids.tolist() == tokenizer.encode_batch(texts).ids.tolist()
    assert all(tokenizer.decode(tokenizer.encode(text)) == text for text in TEXTS if not options)


def test_frequent_words_become_one_token():
    tokenizer = tt.BPE.train(["sweet love"] * 5 + ["sweets"], 300, special_tokens=[])
    assert [tokenizer.id_to_token(number) for number in tokenizer.encode("sweet love")] == ["sweet", "Ġlove"]


def test_the_same_bytes_for_threads_orders_batches_and_columns(tmp_path, monkeypatch):
    generator = random.Random(3)
    texts = [random_string(generator) for _ in range(5000)]
    shuffled = generator.sample(texts, len(texts))
    offsets = np.cumsum([0, *(len(text.encode()) for text in texts)])

    def saved(column, **options):
        tt.BPE.train(column, 900, **options).to_file(tmp_path / "tokenizer.json")
        return (tmp_path / "tokenizer.json").read_bytes()

    expected = saved(texts, threads=1)
    for threads in (1, 2, 7):
        assert saved(texts, threads=threads) == expected
    monkeypatch.setattr("twotower.text.train_words._BATCH_CHARS", 1000)
    monkeypatch.setattr("twotower.text.train_words._MERGES", 7)
    for column in (iter(shuffled), np.array(texts, object), pa.array(texts), ("".join(texts).encode(), offsets)):
        assert saved(column, threads=2) == expected


def test_a_word_of_a_megabyte():
    tokenizer = tt.BPE.train(["a" * (1 << 20)], 400, special_tokens=[], max_token_length=500, min_frequency=1)
    assert {len(token) for token in tokens_of(tokenizer) if set(token) == {"a"}} >= {1 << n for n in range(9)}
    assert len(tokenizer.encode("a" * (1 << 20))) <= 1 << 12


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"vocabulary_size": 260},
            InvalidInputError,
            "is 260: there are 5 special tokens and 256 of the .* least 261$",
        ),
        ({"split": "bert"}, InvalidInputError, "split is 'bert': it must be one of 'gpt2'"),
        ({"split": "gpt4", "add_prefix_space": True}, InvalidInputError, "add_prefix_space goes with"),
        ({"max_token_length": 501}, InvalidInputError, "max_token_length is 501"),
        ({"min_frequency": 0}, InvalidInputError, "min_frequency is 0"),
        ({"max_words": 3}, InvalidInputError, "more than 3 distinct words"),
        ({"special_tokens": ["<s>", "<s>"]}, InvalidInputError, "comes twice"),
        ({"threads": 1.0}, InputTypeError, "threads is of type float"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        tt.BPE.train(TEXTS, **options)


def test_wrong_texts_are_refused():
    with pytest.raises(InvalidInputError, match="no word"):
        tt.BPE.train(["", ""], 300)
    with pytest.raises(InvalidInputError, match="text 1 has a lone surrogate"):
        tt.BPE.train(["a", "\ud800"], 300)
    with pytest.raises(InputTypeError, match="texts is one str"):
        tt.BPE.train("sweet", 300)
