"""Byte-level BPE on a vocabulary small enough to check by hand: what it takes and gives."""

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
from text.small_bpe import END, ID, MASK, PAD, TEXTS, S, changed, document, ids, load
from twotower.errors import InputTypeError, InvalidInputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bpe")


@pytest.fixture(scope="module")
def tokenizer(folder):
    return load(folder, document())


def plain(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False)


def test_tokens_by_hand(tokenizer):
    assert tokenizer.encode("love") == [S, ID["love"], END]
    assert plain(tokenizer, "love loves") == ids("love", "Ġlove", "s")
    assert plain(tokenizer, "é") == ids("Ã©")
    assert plain(tokenizer, "è") == ids("Ã", "¨")
    assert plain(tokenizer, "\x00\x00") == ids("Ā", "Ā")
    assert plain(tokenizer, "") == []


def test_the_first_merge_of_the_file_goes_first_and_the_leftmost_of_equals(tokenizer):
    assert plain(tokenizer, "abc") == ids("abc")  # a b comes before b c
    assert plain(tokenizer, "bc") == ids("bc")
    assert plain(tokenizer, "vest") == ids("ve", "s", "t")  # v e comes before e s
    assert plain(tokenizer, "x   ") == ids("x", "ĠĠ", "Ġ")


def test_merges_stay_inside_words(tokenizer):
    assert plain(tokenizer, "lo've") == ids("lo", "'", "ve")
    assert plain(tokenizer, "a1b") == ids("a", "1", "b")
    assert plain(tokenizer, "x  love") == ids("x", "Ġ", "Ġlove")


def test_added_tokens_and_the_space_before_them(tokenizer):
    assert plain(tokenizer, "a \t<mask> b") == ids("a", "<mask>", "Ġ", "b")
    assert plain(tokenizer, "a</s></s>") == ids("a", "</s>", "</s>")
    assert plain(tokenizer, "a</s") == ids("a", "<", "/", "s")


def test_pairs_types_and_template(tokenizer):
    batch = tokenizer.encode_batch(["a b", ""], pairs=["love", "é"], spans="char")
    assert [row.tolist() for row in batch] == [
        [S, *ids("a", "Ġ", "b"), END, END, ID["love"], END],
        [S, END, END, ID["Ã©"], END],
    ]
    assert batch.type_ids.tolist() == [0] * 13
    assert batch.special_tokens_mask.tolist() == [1, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1]
    assert tokenizer.encode("a b a b", max_length=4) == [S, *ids("a", "Ġ"), END]


def test_spans_of_characters_that_are_several_tokens(tokenizer):
    batch = tokenizer.encode_batch(["a中 é", " love"], add_special_tokens=False, spans="char")
    assert batch.ids.tolist() == ids("a", "ä", "¸", "Ń", "Ġ", "Ã©", "Ġlove")
    assert batch.spans.tolist() == [[0, 1], [1, 2], [1, 2], [1, 2], [3, 3], [3, 4], [0, 5]]
    batch = tokenizer.encode_batch(["a中 é"], add_special_tokens=False, spans="byte")
    assert batch.spans.tolist() == [[0, 1], [1, 4], [1, 4], [1, 4], [5, 5], [5, 7]]


def test_padded_matrices(tokenizer):
    padded = tokenizer.encode_batch(["love love", "a"]).padded(multiple_of=3, side="left")
    assert padded.ids.tolist() == [[PAD, PAD, S, *ids("love", "Ġlove"), END], [PAD, PAD, PAD, S, ID["a"], END]]
    assert padded.attention_mask.tolist() == [[0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]]


def test_decoding(tokenizer):
    for text in TEXTS[:4]:
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode([S, ID["a"], MASK], skip_special_tokens=False) == "<s>a<mask>"
    assert tokenizer.decode(ids("Ã", "a")) == "\ufffda"
    with pytest.raises(InvalidInputError, match="no token has id 9999"):
        tokenizer.decode([9999])


COLUMNS = {
    "list": list,
    "NumPy objects": lambda texts: np.array(texts, object),
    "NumPy variable strings": lambda texts: np.array(texts, np.dtypes.StringDType()),
    "Arrow": pa.array,
    "bytes": lambda texts: (b"".join(t.encode() for t in texts), np.cumsum([0, *(len(t.encode()) for t in texts)])),
}


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("threads", [1, 3])
def test_columns_of_every_kind(tokenizer, kind, threads):
    texts = TEXTS * 50
    expected = [tokenizer.encode(text) for text in texts]
    batch = tokenizer.encode_batch(COLUMNS[kind](texts), threads=threads)
    assert [row.tolist() for row in batch] == expected
    assert (batch.ids.dtype, batch.offsets.dtype) == (np.int32, np.int64)


def test_long_text_is_read_in_parts_and_as_far_as_needed(tokenizer):
    words = ["love", "loves!", "中中", "abc", "é" * 9] * 20_000
    text = " ".join(words)
    expected = (
        plain(tokenizer, "love") + [token for word in words[1:6] for token in plain(tokenizer, f" {word}")] * 20_000
    )
    found = plain(tokenizer, text)
    n_period = (len(expected) - 1) // 20_000
    assert found == expected[: len(found)]
    assert len(expected) - len(found) == len(plain(tokenizer, " love"))
    assert n_period * 20_000 == len(expected) - 1
    for length in (0, 1, 7, 100, 10_000):
        assert tokenizer.encode(text, max_length=length, add_special_tokens=False) == expected[:length]


@pytest.mark.parametrize("unit", ["abc", "lo", " ", "é", "'s", "1", "!"])
def test_a_word_of_a_megabyte(tokenizer, unit):
    text = unit * (1_000_000 // len(unit))
    few = 30
    expected = plain(tokenizer, unit * few)
    found = tokenizer.encode_batch([text], threads=1, add_special_tokens=False).ids
    period = len(expected) // few if unit != " " else 1
    assert found[: len(expected) - period].tolist() == expected[: len(expected) - period]
    counts = np.bincount(found)
    n_bytes = sum(int(counts[n]) * len(tokenizer.id_to_token(n)) for n in np.flatnonzero(counts))
    assert n_bytes == len(text.encode())


def test_lone_surrogates_and_other_bad_input_are_named(tokenizer):
    with pytest.raises(InvalidInputError, match=r"text 1 has a lone surrogate, U\+D800, at character 1"):
        tokenizer.encode_batch(["a", "b\ud800"])
    with pytest.raises(InvalidInputError, match="text 0 is not valid UTF-8 at byte 1"):
        tokenizer.encode_batch((b"a\xff", [0, 2]))
    with pytest.raises(InputTypeError, match="text 1 is of type int"):
        tokenizer.encode_batch(["a", 7])
    with pytest.raises(InvalidInputError, match="max_length is 1: the special tokens alone are 2"):
        tokenizer.encode("a", max_length=1)


def test_threads_share_a_tokenizer(folder):
    texts = [" ".join(f"{word}{n}" for word in ("a", "love", "é", "unbelievable")) for n in range(3000)]
    expected = load(folder, document()).encode_batch(texts, threads=1).ids
    fresh, results = load(folder, document()), []
    workers = [
        threading.Thread(target=lambda: results.append(fresh.encode_batch(texts, threads=2).ids)) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 4
    assert all(np.array_equal(result, expected) for result in results)


def test_ctrl_c_stops_within_a_call(tokenizer):
    """A malformed pair comes last: a call that is not stopped before it raises InvalidInputError."""
    data = b"a b " * 75_000_000
    timer = threading.Timer(0.1, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        tokenizer.encode_batch((data, [0, len(data)]), pairs=(b"\xff", [0, 1]), threads=1)
    assert plain(tokenizer, "a") == [ID["a"]]


def test_every_isa_gives_the_same_ids(folder):
    load(folder, changed("normalizer", {"type": "NFC"})).to_file(folder / "isa.json")
    code = (
        "import sys, hashlib, random, twotower as tt; sys.path.insert(0, sys.argv[2])\n"
        "from text.bpe_oracle import random_string\n"
        "g = random.Random(3); texts = [random_string(g) for _ in range(3000)]\n"
        "batch = tt.BPE.from_file(sys.argv[1]).encode_batch(texts, spans='byte')\n"
        "print(hashlib.sha256(batch.ids.tobytes() + batch.spans.tobytes()).hexdigest())"
    )
    found = set()
    for name in tt.backend().isas:
        command = [sys.executable, "-c", code, str(folder / "isa.json"), str(Path(__file__).parents[1])]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "TWOTOWER_ISA": name}
        )
        found.add(done.stdout)
    assert len(found) == 1
