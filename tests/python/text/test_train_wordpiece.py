"""Training of WordPiece on corpora small enough for plain code: what it learns, takes and refuses."""

import _thread
import random
import threading

import numpy as np
import pyarrow as pa
import pytest

import twotower as tt
from text.training_oracle import cut, learn_wordpiece, prune
from text.wordpiece_oracle import SCALARS, differences, oracle_of, random_text
from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.native import NativeLearner, NativeRequest, NativeWordCounter, NativeWordCounts, prune_vocabulary
from twotower.text.wordpiece_file import SPECIAL_TOKENS as SPECIAL

TEXTS = ["Sweet love", "lovely sweetness!", "", "sweetly loved", "  ", "love is sweet", "naïve Ünïcode 中文 words"] * 3


def tokens_of(tokenizer):
    return [tokenizer.id_to_token(number) for number in range(tokenizer.vocab_size)]


def counted(texts, threads=1, special=(), lowercase=True):
    counter = NativeWordCounter.of_wordpiece(lowercase, lowercase, 100, list(special), 1 << 30)
    views = tt.text.text_columns.native_texts(list(texts), "text")
    counter.add(views, 0, len(views), 0, threads)
    return dict(counter.take().items())


def random_words(generator):
    letters = "abcdé中"[: generator.randrange(1, 7)]
    return {
        "".join(generator.choices(letters, k=generator.choice([1, 2, 3, 5, 10, 30]))): generator.choice(
            [1, 1, 2, 3, 10]
        )
        for _ in range(generator.randrange(1, 40))
    }


@pytest.mark.parametrize("seed", range(300))
def test_learner_and_pruner_equal_plain_code(seed):
    generator = random.Random(seed)
    words = random_words(generator)
    special = ["[PAD]", "[UNK]", *generator.choice([[], ["ab", "##ab", "a"]])]
    size, n_candidates = generator.choice([30, 40, 60]), generator.choice([0, 90, 200])
    frequency, width = generator.choice([1, 2, 3, 5]), generator.choice([1, 2, 3, 5, 8, 100])
    limit = generator.choice([2, 3, 1000])
    expected, merges = learn_wordpiece(words, special, max(size, n_candidates), frequency, width, limit)
    native = NativeWordCounts(list(words.items()))
    request = NativeRequest(special, size, n_candidates, frequency, width, limit)
    learner = NativeLearner.of_wordpiece(native, request, "##")
    while learner.run(generator.randrange(1, 20)):
        pass
    assert learner.tokens() == expected
    assert learner.merges() == merges
    kept = prune_vocabulary(native, expected, learner.n_fixed(), size, "##")
    assert kept == prune(words, expected, learner.n_fixed(), size)


def test_runs_of_one_letter_count_the_merges_they_allow():
    def merged(words, n):
        learner = NativeLearner.of_wordpiece(NativeWordCounts(words), NativeRequest([], 1000, 0, 2, 100, 10), "##")
        learner.run(n)
        return learner.tokens()[learner.n_fixed() :]

    # xaaa has one pair ##a ##a and not two, so 5 x b are more than 4 x aa.
    assert merged([("xaaa", 4), ("xb", 5)], 1) == ["xb"]
    assert merged([("xaaaa", 3), ("xb", 5)], 1) == ["##aa"]
    assert merged([("a" * 9, 2)], 9) == ["##aa", "##aaaa", "a##aaaa".replace("#", ""), "a" * 9]


def test_words_are_those_of_the_encoder():
    generator = random.Random(1)
    texts = [random_text(generator) for _ in range(2000)]
    tokenizers = pytest.importorskip("tokenizers")
    for lowercase in (True, False):
        normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lowercase)
        splitter = tokenizers.pre_tokenizers.BertPreTokenizer()
        expected = {}
        for text in texts:
            for part in text.split("[SEP]"):
                for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(part)):
                    if len(word) <= 100:
                        expected[word.encode()] = expected.get(word.encode(), 0) + 1
        assert counted(texts, special=["[SEP]"], lowercase=lowercase) == expected


def test_every_scalar_value_is_counted_as_it_is_encoded():
    tokenizers = pytest.importorskip("tokenizers")
    normalizer, splitter = tokenizers.normalizers.BertNormalizer(), tokenizers.pre_tokenizers.BertPreTokenizer()
    texts = ["".join(f"a{chr(code)} " for code in SCALARS[i : i + 4000]) for i in range(0, len(SCALARS), 4000)]
    expected = {}
    for text in texts:
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)):
            expected[word.encode()] = expected.get(word.encode(), 0) + 1
    assert counted(texts) == expected


def test_a_trained_tokenizer_encodes_as_its_file_does(tmp_path):
    tokenizer = tt.WordPiece.train(TEXTS, 60, special_tokens=(*SPECIAL, "<doc>"), progress=False)
    assert tokens_of(tokenizer)[:6] == [*SPECIAL, "<doc>"]
    assert tokenizer.vocab_size <= 60
    oracle = oracle_of(tokenizer, tmp_path)
    generator = random.Random(2)
    texts = [*TEXTS, "sweet<doc>LOVE [SEP] <DOC>", *(random_text(generator) for _ in range(300))]
    assert differences(tokenizer, oracle, texts) == []
    tokenizer.to_file(tmp_path / "tokenizer.json")
    again = tt.WordPiece.from_file(tmp_path / "tokenizer.json")
    assert again.encode_batch(texts).ids.tolist() == tokenizer.encode_batch(texts).ids.tolist()


def test_pieces_cover_every_word_of_the_texts():
    tokenizer = tt.WordPiece.train(TEXTS, 45, limit_alphabet=26, min_frequency=1, candidates=3)
    kept = set(tokens_of(tokenizer))
    for word, pieces in (("sweetness", 1), ("loved", 1)):
        assert len(cut(word, kept)) >= pieces
    assert tokenizer.vocab_size == 45


@pytest.mark.parametrize("candidates", [1, 2.0])
def test_the_same_bytes_for_threads_orders_batches_and_columns(candidates, tmp_path, monkeypatch):
    generator = random.Random(3)
    texts = [random_text(generator) for _ in range(5000)]
    shuffled = generator.sample(texts, len(texts))
    joined = "".join(texts).encode()
    offsets = np.cumsum([0, *(len(text.encode()) for text in texts)])

    def saved(column, **options):
        options = {"limit_alphabet": 300, "candidates": candidates} | options
        tt.WordPiece.train(column, 2000, **options).to_file(tmp_path / "tokenizer.json")
        return (tmp_path / "tokenizer.json").read_bytes()

    expected = saved(texts, threads=1)
    for threads in (1, 2, 7):
        assert saved(texts, threads=threads) == expected
    monkeypatch.setattr("twotower.text.train_words._BATCH_CHARS", 1000)
    monkeypatch.setattr("twotower.text.train_words._MERGES", 7)
    columns = [iter(shuffled), (text for text in texts), np.array(texts, object), pa.array(texts), set(texts) and texts]
    for column in [*columns, pa.chunked_array([texts[:10], texts[10:]]), (joined, offsets)]:
        assert saved(column, threads=2) == expected


def test_special_tokens_are_not_learnt_from():
    tokenizer = tt.WordPiece.train(["a[SEP]b" * 50, "[sep] x"] * 3, 40)
    assert "s" in tokens_of(tokenizer)  # of "[sep]", which is no special token
    assert not any("ab" in token for token in tokens_of(tokenizer))
    assert "S" not in tokens_of(tokenizer)


def test_alphabet_is_limited_to_the_frequent_characters():
    tokens = tokens_of(tt.WordPiece.train(["aaa bb z", "bb ab"], 30, limit_alphabet=2, min_frequency=1))
    assert tokens[5:9] == ["a", "b", "##a", "##b"]
    assert not any("z" in token for token in tokens)


def test_hostile_texts():
    letters = [chr(97 + i) for i in range(26)]
    tokenizer = tt.WordPiece.train(["a" * (1 << 20), "the thing", *letters, " " * (1 << 20), "\u3000\n\t "], 40)
    assert "##aa" not in tokens_of(tokenizer)  # a word too long for the encoder
    assert tokenizer.encode("a" * 101, add_special_tokens=False) == [1]
    long_words = NativeWordCounts([("a" * (1 << 20), 1), ("ab" * (1 << 19), 3)])
    learner = NativeLearner.of_wordpiece(long_words, NativeRequest([], 200, 0, 1, 1 << 30, 10), "##")
    while learner.run(1000):
        pass
    lengths = sorted({len(token.removeprefix("##")) for token in learner.tokens()})
    assert {1 << n for n in range(18)} <= set(lengths)
    random.seed(0)
    mixed = NativeWordCounts([("".join(random.choices("abcd", k=1 << 20)), 1)])
    learner = NativeLearner.of_wordpiece(mixed, NativeRequest([], 3000, 0, 2, 100, 10), "##")
    while learner.run(1000):
        pass
    assert len(learner) == 3000


def test_a_million_distinct_words_and_their_limit():
    n = 1_000_000
    numbers = np.char.add("w", np.arange(n).astype(str))
    texts = [" ".join(numbers[i : i + 1000]) for i in range(0, n, 1000)]
    tokenizer = tt.WordPiece.train(texts, 500, max_words=n)
    assert tokenizer.vocab_size == 500
    with pytest.raises(InvalidInputError, match=f"more than {n - 1} distinct words: raise max_words"):
        tt.WordPiece.train(texts, 500, max_words=n - 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"vocabulary_size": 20},
            InvalidInputError,
            r"vocabulary_size is 20: there are 5 special tokens and \d+ of the",
        ),
        ({"vocabulary_size": 0}, InvalidInputError, "vocabulary_size is 0"),
        ({"vocabulary_size": 1.5}, InputTypeError, "vocabulary_size is of type float"),
        ({"min_frequency": 0}, InvalidInputError, "min_frequency is 0"),
        ({"limit_alphabet": 0}, InvalidInputError, "limit_alphabet is 0"),
        ({"max_token_length": 0}, InvalidInputError, "max_token_length is 0"),
        ({"max_words": 0}, InvalidInputError, "max_words is 0"),
        ({"max_words": 3}, InvalidInputError, "more than 3 distinct words"),
        ({"threads": -1}, InvalidInputError, "threads is -1"),
        ({"threads": True}, InputTypeError, "threads is of type bool"),
        ({"candidates": 0.5}, InvalidInputError, "candidates is 0.5"),
        ({"candidates": float("nan")}, InvalidInputError, "candidates is nan"),
        ({"candidates": "2"}, InputTypeError, "candidates is of type str"),
        ({"special_tokens": "[UNK]"}, InputTypeError, "special_tokens is of type str"),
        ({"special_tokens": ["[UNK]", 1]}, InputTypeError, "special token 1 is of type int"),
        ({"special_tokens": [*SPECIAL, "[PAD]"]}, InvalidInputError, r"'\[PAD\]' comes twice"),
        ({"special_tokens": [*SPECIAL, ""]}, InvalidInputError, "special token 5 is empty"),
        ({"special_tokens": [*SPECIAL, "\ud800"]}, InvalidInputError, "lone surrogate"),
        ({"special_tokens": ["[UNK]", "[CLS]"]}, InvalidInputError, r"no '\[SEP\]'"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        tt.WordPiece.train(TEXTS, **options)


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("sweet love", InputTypeError, "texts is one str"),
        (7, InputTypeError, "texts is of type int"),
        (["a", 7], InputTypeError, "text 1 is of type int"),
        ([], InvalidInputError, "no word"),
        (["", "  ", "\u0300"], InvalidInputError, "no word"),
        (
            (text for text in ["a"] * 5000 + ["b\ud800"]),
            InvalidInputError,
            r"text 5000 has a lone surrogate.*character 1",
        ),
        ((["a"] * 5000 + [None]), InputTypeError, "text 5000 is of type NoneType"),
        (pa.array(["a", None]), InvalidInputError, "text 1 is null"),
        ((b"ab\xff", np.array([0, 2, 3])), InvalidInputError, "text 1"),
    ],
)
def test_wrong_texts_are_refused(texts, error, message):
    with pytest.raises(error, match=message):
        tt.WordPiece.train(texts, 50)


def test_a_failing_stream_fails_with_its_own_error():
    def stream():
        yield "sweet"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        tt.WordPiece.train(stream(), 50)


def test_control_c_stops_the_count_and_the_learning():
    text = "sweet love " * (1 << 22)
    for run in (lambda: counted([text] * 40), lambda: slow_learner().run(1 << 30)):
        timer = threading.Timer(0.2, _thread.interrupt_main)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            run()
        timer.join()


def slow_learner():
    generator = random.Random(4)
    words = [("".join(generator.choices("abcdefgh", k=90)), 1) for _ in range(30_000)]
    return NativeLearner.of_wordpiece(NativeWordCounts(words), NativeRequest([], 1 << 22, 0, 1, 100, 10), "##")
