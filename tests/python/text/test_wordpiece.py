"""WordPiece on vocabularies small enough to check by hand: what it takes, gives, refuses and saves."""

import _thread
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import twotower as tt
from text.small_wordpiece import CLS, ID, PAD, SEP, SPECIAL, TEXTS, UNK, WORDS, changed, ids, load, write
from twotower.errors import InputTypeError, InvalidInputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("wordpiece")


@pytest.fixture(scope="module")
def tokenizer(folder):
    return tt.WordPiece.from_file(write(folder, SPECIAL + WORDS))


@pytest.fixture(scope="module")
def document(tokenizer):
    return tokenizer._config.document


def test_tokens_by_hand(tokenizer):
    assert tokenizer.encode("Sweet lovely!") == [CLS, *ids("sweet", "love", "##ly", "!"), SEP]
    assert tokenizer.encode("unbelievable lovex", add_special_tokens=False) == [*ids("un", "##believ", "##able"), UNK]
    assert tokenizer.encode("É e\u0301", add_special_tokens=False) == ids("e", "e")
    assert tokenizer.encode("a中b\x00a", add_special_tokens=False) == ids("a", "中", "b", "##a")
    assert tokenizer.encode("a[SEP]b", add_special_tokens=False) == [ID["a"], SEP, ID["b"]]
    assert tokenizer.encode("") == [CLS, SEP]
    assert tokenizer.encode("a" * 100, add_special_tokens=False) == ids("a") + 99 * ids("##a")
    assert tokenizer.encode("a" * 101, add_special_tokens=False) == [UNK]


def test_pairs_types_and_template(tokenizer):
    batch = tokenizer.encode_batch(["sweet love", ""], pairs=["a", "b b"], spans="char")
    assert [row.tolist() for row in batch] == [
        [CLS, *ids("sweet", "love"), SEP, ID["a"], SEP],
        [CLS, SEP, *ids("b", "b"), SEP],
    ]
    assert batch.type_ids.tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1]
    assert batch.special_tokens_mask.tolist() == [1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1]
    assert batch.spans.tolist()[:6] == [[0, 0], [0, 5], [6, 10], [0, 0], [0, 1], [0, 0]]
    plain = tokenizer.encode_batch(["sweet"], pairs=["a"], add_special_tokens=False)
    assert plain.ids.tolist() == ids("sweet", "a")
    assert plain.type_ids.tolist() == [0, 1]
    assert tokenizer.encode("sweet", "a", add_special_tokens=False) == ids("sweet", "a")


def test_truncation_takes_from_the_longer_text_first(tokenizer):
    assert tokenizer.encode("a b a b", max_length=4) == [CLS, *ids("a", "b"), SEP]
    assert tokenizer.encode("a b", max_length=2) == [CLS, SEP]
    assert tokenizer.encode("a b", max_length=0, add_special_tokens=False) == []
    cases = {
        (5, 1, 7): (3, 1),
        (1, 5, 7): (1, 3),
        (5, 5, 8): (2, 3),
        (5, 4, 8): (3, 2),
        (2, 5, 8): (2, 3),
        (4, 4, 3): (0, 0),
    }
    for (first, second, length), (kept_first, kept_second) in cases.items():
        expected = [CLS, *kept_first * ids("a"), SEP, *kept_second * ids("b"), SEP]
        assert tokenizer.encode(first * "a ", second * "b ", max_length=length) == expected


def test_long_text_is_read_in_parts_and_as_far_as_needed(tokenizer):
    words = ["sweet", "lovely!", "中中", "a[MASK]b", "é" * 9] * 20_000
    text = " ".join(words)
    parts = [tokenizer.encode(word, add_special_tokens=False) for word in words[:5]]
    expected = [token for part in parts for token in part] * 20_000
    assert tokenizer.encode(text, add_special_tokens=False) == expected
    for length in (0, 1, 7, 100, 10_000):
        assert tokenizer.encode(text, max_length=length, add_special_tokens=False) == expected[:length]


def test_spans_in_characters_and_bytes(tokenizer):
    batch = tokenizer.encode_batch(["é 中lovely\U0001d4d0", "a\u0301a"], add_special_tokens=False, spans="char")
    assert batch.spans.tolist() == [[0, 1], [2, 3], [3, 10], [0, 1], [2, 3]]
    batch = tokenizer.encode_batch(["é 中lovely"], add_special_tokens=False, spans="byte")
    assert batch.spans.tolist() == [[0, 2], [3, 6], [6, 10], [10, 12]]


COLUMNS = {
    "list": list,
    "tuple": tuple,
    "NumPy objects": lambda texts: np.array(texts, object),
    "NumPy strings": np.array,
    "NumPy variable strings": lambda texts: np.array(texts, np.dtypes.StringDType()),
    "Arrow": pa.array,
    "Arrow, large": lambda texts: pa.array(texts, pa.large_string()),
    "Arrow, views": lambda texts: pa.array(texts, pa.string_view()),
    "Arrow, sliced": lambda texts: pa.array(["x", *texts, "y"]).slice(1, len(texts)),
    "Arrow, chunks": lambda texts: pa.chunked_array([texts[:2], [], texts[2:]]),
    "Arrow, no chunk": lambda texts: pa.chunked_array([pa.array(texts)]),
    "bytes": lambda texts: (b"".join(t.encode() for t in texts), np.cumsum([0, *(len(t.encode()) for t in texts)])),
}


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("threads", [1, 3])
def test_columns_of_every_kind(tokenizer, kind, threads):
    texts = TEXTS * 50
    expected = [tokenizer.encode(text) for text in texts]
    batch = tokenizer.encode_batch(COLUMNS[kind](texts), threads=threads)
    assert [row.tolist() for row in batch] == expected
    assert batch.ids.dtype == np.int32
    assert batch.offsets.dtype == np.int64


@pytest.mark.parametrize("kind", COLUMNS)
def test_empty_columns(tokenizer, kind):
    column = COLUMNS[kind]([]) if "Arrow" not in kind else pa.array([], pa.string())
    if kind == "NumPy strings":
        column = np.array([], "U1")
    batch = tokenizer.encode_batch(column)
    assert len(batch) == 0
    assert batch.ids.tolist() == []
    assert batch.offsets.tolist() == [0]
    assert batch.padded().ids.shape == (0, 0)


def test_bytes_may_leave_gaps_and_come_from_any_buffer(tokenizer):
    data = np.frombuffer(b"xxlove sweet", np.uint8)
    batch = tokenizer.encode_batch((data, np.array([2, 6, 12], np.int32)), add_special_tokens=False)
    assert batch.ids.tolist() == ids("love", "sweet")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_many_chunks_of_uneven_size_stay_in_order(tokenizer, threads):
    generator = np.random.default_rng(0)
    texts = [("a " * int(n)) for n in generator.integers(0, 3000, 2000)] + ["b " * 300_000, "", "a"]
    batch = tokenizer.encode_batch(texts, pairs=texts[::-1], threads=threads, spans="char")
    lengths = np.array([len(text.split()) for text in texts])
    assert np.array_equal(batch.lengths, lengths + lengths[::-1] + 3)
    assert batch[0].tolist() == [CLS, *int(lengths[0]) * ids("a"), SEP, ID["a"], SEP]
    assert np.array_equal(batch.spans, tokenizer.encode_batch(texts, pairs=texts[::-1], threads=1, spans="char").spans)


def test_padded_matrices(tokenizer):
    batch = tokenizer.encode_batch(["sweet love", "a"])
    assert batch.padded(length=5, side="left").ids.tolist() == [
        [PAD, CLS, *ids("sweet", "love"), SEP],
        [PAD, PAD, CLS, ID["a"], SEP],
    ]
    assert batch.padded(multiple_of=8).attention_mask.sum(axis=1).tolist() == [4, 3]
    assert batch.padded(multiple_of=8).ids.shape == (2, 8)
    with pytest.raises(InvalidInputError, match="length is 3, the longest text has 4 tokens"):
        batch.padded(length=3)
    with pytest.raises(InvalidInputError, match="multiple_of is 0"):
        batch.padded(multiple_of=0)
    with pytest.raises(InvalidInputError, match="side is 'middle'"):
        batch.padded(side="middle")


def test_vocabulary_and_decoding(tokenizer):
    assert tokenizer.vocab_size == len(SPECIAL + WORDS)
    assert (tokenizer.token_to_id("sweet"), tokenizer.token_to_id("sour")) == (ID["sweet"], None)
    assert tokenizer.id_to_token(np.int32(ID["##ly"])) == "##ly"
    assert tokenizer.decode(tokenizer.encode("Sweet lovely!")) == "sweet lovely!"
    assert tokenizer.decode([CLS, ID["a"]], skip_special_tokens=False) == "[CLS] a"
    assert tokenizer.decode(np.array(ids("##ly", "love"), np.int32)) == "##ly love"
    with pytest.raises(InvalidInputError, match="no token has id 99"):
        tokenizer.decode([99])
    with pytest.raises(InputTypeError, match="id is of type str"):
        tokenizer.id_to_token("a")


def test_bad_input_is_named(tokenizer):
    cases = [
        (("one text",), InputTypeError, "texts is one str"),
        ((b"one text",), InputTypeError, "texts is one bytes"),
        (({"a"},), InputTypeError, "texts is of type set"),
        ((7,), InputTypeError, "texts is of type int"),
        ((["a", 7],), InputTypeError, "text 1 is of type int"),
        ((["a", "b\ud800"],), InvalidInputError, r"text 1 has a lone surrogate, U\+D800, at character 1"),
        ((["a", "\U0001d4d0\udfff"],), InvalidInputError, r"text 1 has a lone surrogate, U\+DFFF, at character 1"),
        ((np.zeros(3),), InputTypeError, "texts is float64"),
        ((np.array([["a"]]),), InputTypeError, r"\(1, 1\)"),
        ((pa.array(["a", None]),), InvalidInputError, "text 1 is null"),
        ((pa.array([1, 2]),), InputTypeError, 'format "l"'),
        ((pa.array(["a"]).dictionary_encode(),), InputTypeError, 'format "dictionary"'),
        (((b"a\xff", [0, 1, 2]),), InvalidInputError, "text 1 is not valid UTF-8 at byte 0"),
        (((b"ab", [0, 3]),), InvalidInputError, "there are 2 bytes"),
        (((None, [0]),), InputTypeError, "texts is a tuple of NoneType and something else"),
        (((7, "a"),), InputTypeError, "texts is a tuple of int"),
        (((b"ab", [2, 1, 2]),), InvalidInputError, "offsets must not fall"),
        (((b"ab", [-1, 1]),), InvalidInputError, "offsets go from -1"),
        (((b"ab", []),), InputTypeError, "offsets is float64"),
        (((b"ab", np.zeros(0, int)),), InvalidInputError, "at least one"),
        ((["a"], -1), InvalidInputError, "max_length is -1"),
        ((["a"], 2.0), InputTypeError, "max_length is of type float"),
        ((["a"], 1), InvalidInputError, "max_length is 1: the special tokens alone are 2"),
        ((["a"], None, ["b", "c"]), InvalidInputError, "1 texts and 2 pairs"),
        ((["a"], None, ["b\ud800"]), InvalidInputError, "pair 0 has a lone surrogate"),
        ((["a"], None, None, True, -1), InvalidInputError, "threads is -1"),
        ((["a"], None, None, True, 1, "words"), InvalidInputError, "spans is 'words'"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            tokenizer.encode_batch(*arguments)
    with pytest.raises(InputTypeError, match="text is of type list"):
        tokenizer.encode(["a"])
    with pytest.raises(InputTypeError, match="pair is of type int"):
        tokenizer.encode("a", 3)
    for ids_given, kind in ((5, "int"), ("ab", "str"), (None, "NoneType")):
        with pytest.raises(InputTypeError, match=f"ids is of type {kind}: give a list"):
            tokenizer.decode(ids_given)
    for name in ("length", "multiple_of"):
        with pytest.raises(InputTypeError, match=f"{name} is of type str: it must be an integer"):
            tokenizer.encode_batch(["a"]).padded(**{name: "a"})


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_long_lists_keep_their_references(tokenizer, threads):
    """Each str must have as many references afterwards as before, however often it comes."""
    few = [f"sweet {n} lovely" for n in range(7)]
    texts = [few[n % 7] for n in range(70_000)] + [f"un{n % 100}" for n in range(30_000)]
    before = [sys.getrefcount(text) for text in (*few, texts[-1])]
    batch = tokenizer.encode_batch(texts, threads=threads)
    assert [sys.getrefcount(text) for text in (*few, texts[-1])] == before
    once = tokenizer.encode_batch([*few, *texts[70_000:]], threads=1)
    assert all(np.array_equal(batch[n], once[n % 7]) for n in range(0, 70_000, 997))
    assert all(np.array_equal(batch[70_000 + n], once[7 + n]) for n in range(0, 30_000, 997))
    texts[50_001] = 7
    with pytest.raises(InputTypeError, match="text 50001 is of type int"):
        tokenizer.encode_batch(texts, threads=threads)
    assert [sys.getrefcount(text) for text in (*few, texts[-1])][3:] == before[3:]


def test_a_list_may_lose_its_texts_while_it_is_read(tokenizer):
    """The references are the last ones of texts that another thread takes out of the list."""
    texts = [f"sweet lovely {n}" * 5 for n in range(60_000)]
    expected = tokenizer.encode_batch(texts, threads=1)
    remover = threading.Timer(0.002, texts.clear)
    remover.start()
    batch = tokenizer.encode_batch(texts, threads=2)
    remover.join()
    assert len(batch) in (0, 60_000)
    assert len(batch) == 0 or np.array_equal(batch.ids, expected.ids)


def test_memory_of_a_batch_is_its_own(tokenizer):
    """Large blocks of ids are used again: only those of arrays that are gone."""
    texts = ["sweet lovely unbelievable " * 3] * 250_000
    for threads in (1, 2):
        first = tokenizer.encode_batch(texts, threads=threads)
        kept = first.ids.copy()
        second = tokenizer.encode_batch(texts[::-1], threads=threads)
        other = tokenizer.encode_batch(["un"] * 900_000, threads=threads)
        assert np.array_equal(first.ids, kept)
        assert np.array_equal(second.ids, kept)
        del first, second
        third = tokenizer.encode_batch(texts, threads=threads)
        assert np.array_equal(third.ids, kept)
        assert (other.ids.reshape(900_000, -1) == other.ids[: len(other.ids) // 900_000]).all()


@pytest.mark.parametrize("size", [1 << 20])
def test_a_word_of_hostile_pieces_takes_linear_time(folder, document, size):
    """Longest-match-first goes back a whole piece at every step here: it would read about 900 bytes for each byte."""
    piece = 900
    hostile = changed(document, "model", "max_input_chars_per_word", 2 * size)
    hostile["model"]["vocab"] |= {"a" * piece + "b": 100, "##" + "a" * piece + "b": 101, "##" + "a" * (piece // 2): 102}
    loaded = load(folder, hostile)
    found = loaded.encode_batch(
        ["a" * size, "a" * size + "é", "a" * size + "\u0301x"], threads=1, add_special_tokens=False
    )
    n_large, n_small = divmod(size - 1, piece // 2)
    assert found[0].tolist() == [ID["a"], *n_large * [102], *n_small * ids("##a")]
    assert found[1].tolist() == [UNK]
    assert found[2].tolist() == [UNK]


def test_the_cache_grows_and_starts_anew(tokenizer, folder):
    letters = "abcdefghij"
    loaded = tt.WordPiece.from_file(write(folder, [*SPECIAL, *letters, *(f"##{c}" for c in letters)]))
    words = [f"{n:07d}".translate(str.maketrans("0123456789", letters)) for n in range(1_300_000)]
    value = {c: 5 + n for n, c in enumerate(letters)}
    for threads in (1, 2):
        batch = loaded.encode_batch(
            [" ".join(words[i : i + 1000]) for i in range(0, len(words), 1000)], None, None, False, threads
        )
        found = batch.ids.reshape(-1, 7)
        expected = np.array([[value[c] + (10 if k else 0) for k, c in enumerate(word)] for word in words[::997]])
        assert np.array_equal(found[::997], expected)


def test_threads_share_a_tokenizer(folder):
    shared = tt.WordPiece.from_file(write(folder, SPECIAL + WORDS))
    texts = [" ".join(f"{word}{n}" for word in ("a", "love", "é", "unbelievable")) for n in range(3000)]
    expected = shared.encode_batch(texts, threads=1).ids
    results = []
    fresh = tt.WordPiece.from_file(folder / "vocab.txt")
    workers = [
        threading.Thread(target=lambda: results.append(fresh.encode_batch(texts, threads=2).ids)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 4
    assert all(np.array_equal(result, expected) for result in results)


@pytest.mark.parametrize(("shape", "threads"), [("many", 1), ("many", 2), ("one", 1)])
def test_ctrl_c_stops_within_a_call(tokenizer, threads, shape):
    """A malformed text comes last: a call that is not stopped before it raises InvalidInputError."""
    data, malformed = b"a b " * 75_000_000, (b"\xff", [0, 1])
    size = len(data)
    texts = (data, [0, size]) if shape == "one" else (data + b"\xff", [*range(0, size + 1, size // 300), size + 1])
    timer = threading.Timer(0.1, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        tokenizer.encode_batch(texts, pairs=malformed if shape == "one" else None, threads=threads)
    assert tokenizer.encode("a") == [CLS, ID["a"], SEP]


def test_import_of_the_tokenizer_is_light():
    code = "import sys, twotower; twotower.WordPiece; print([m for m in ('torch', 'pyarrow', 'tokenizers') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_every_isa_gives_the_same_ids(tokenizer, folder):
    tokenizer.to_file(folder / "isa.json")
    code = (
        "import sys, hashlib, random, twotower as tt; sys.path.insert(0, sys.argv[2])\n"
        "from wordpiece_oracle import random_text\n"
        "g = random.Random(3); texts = [random_text(g) for _ in range(3000)]\n"
        "batch = tt.WordPiece.from_file(sys.argv[1]).encode_batch(texts, spans='byte')\n"
        "print(hashlib.sha256(batch.ids.tobytes() + batch.spans.tobytes()).hexdigest())"
    )
    found = set()
    for name in tt.backend().isas:
        command = [sys.executable, "-c", code, str(folder / "isa.json"), str(Path(__file__).parent)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "TWOTOWER_ISA": name}
        )
        found.add(done.stdout)
    assert len(found) == 1
