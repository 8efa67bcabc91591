"""Files of a byte-level BPE tokenizer: what is read, what is refused by name, and what is saved."""

import copy
import json
import pickle
import random

import numpy as np
import pytest

import twotower as tt
from text.small_bpe import END, ID, MERGES, PAD, TEXTS, S, changed, document, ids, load
from twotower.errors import DataFormatError, FileError, InvalidInputError

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
SPLIT = {"type": "Split", "pattern": {"Regex": r"\w+"}, "behavior": "Isolated", "invert": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bpe_file")


def test_saved_file_gives_the_same_tokenizer(folder):
    tokenizer = load(folder, document())
    tokenizer.to_file(folder / "again.json")
    expected = tokenizer.encode_batch(TEXTS, spans="char")
    for other in (tt.BPE.from_file(folder / "again.json"), pickle.loads(pickle.dumps(tokenizer))):
        batch = other.encode_batch(TEXTS, spans="char")
        assert np.array_equal(batch.ids, expected.ids)
        assert np.array_equal(batch.spans, expected.spans)
    tt.BPE.from_file(folder / "again.json").to_file(folder / "third.json")
    assert (folder / "third.json").read_bytes() == (folder / "again.json").read_bytes()
    with pytest.raises(FileError):
        tokenizer.to_file(folder / "absent" / "file.json")


def test_merges_as_pairs_and_with_a_version_line(folder):
    expected = load(folder, document()).encode_batch(TEXTS).ids
    for merges in ([merge.split(" ") for merge in MERGES], ["#version: 0.2", *MERGES]):
        assert np.array_equal(load(folder, changed("model", "merges", merges)).encode_batch(TEXTS).ids, expected)


def test_of_merges_of_one_pair_the_last_counts(folder):
    assert load(folder, document()).encode("abc", add_special_tokens=False) == ids("abc")
    again = load(folder, changed("model", "merges", [*MERGES, "a b"]))
    assert again.encode("abc", add_special_tokens=False) == ids("a", "bc")


def test_a_word_that_is_a_token_with_ignore_merges(folder):
    made = changed("model", "vocab", "stop", 999)
    assert load(folder, made).encode("stop", add_special_tokens=False) == ids(*"stop")
    made["model"]["ignore_merges"] = True
    assert load(folder, made).encode("stop stops", add_special_tokens=False) == [999, *ids("Ġ", *"stops")]


def test_older_files_have_fewer_fields(folder):
    made = document()
    for key in ("type", "dropout", "unk_token", "fuse_unk", "byte_fallback", "ignore_merges"):
        del made["model"][key]
    del made["pre_tokenizer"]["use_regex"], made["truncation"], made["padding"], made["version"]
    assert load(folder, made).encode("love") == [S, ID["love"], END]


def test_padding_of_the_file_and_without_any(folder):
    padding = {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": None}
    padding |= {"pad_id": 7, "pad_type_id": 0, "pad_token": "!"}
    assert load(folder, changed("padding", padding)).encode_batch(["a", ""]).padded().ids[1].tolist() == [7, S, END]
    assert load(folder, document()).encode_batch(["a", ""]).padded().ids[1].tolist() == [S, END, PAD]
    made = document()
    made["model"]["vocab"]["nothing"] = made["model"]["vocab"].pop("<pad>")
    del made["added_tokens"][1]
    with pytest.raises(InvalidInputError, match="no <pad>"):
        load(folder, made).encode_batch(["a", ""]).padded()


def sequence(key, *parts, kind="Sequence"):
    return {"type": kind, key: list(parts)}


REFUSED = [
    (("version", "2.0"), "version '2.0'"),
    (("novelty", 1), "the field 'novelty' of the file"),
    (("normalizer", {"type": "NFKC"}), "normalizer 'NFKC'"),
    (("normalizer", sequence("normalizers", {"type": "NFC"}, {"type": "Lowercase"})), "normalizer 'Lowercase'"),
    (("pre_tokenizer", None), "pre_tokenizer None"),
    (("pre_tokenizer", {"type": "Whitespace"}), "pre_tokenizer 'Whitespace'"),
    (("pre_tokenizer", "novelty", 1), "the field 'novelty' of pre_tokenizer"),
    (("pre_tokenizer", "use_regex", 1), "use_regex of pre_tokenizer is 1"),
    (("pre_tokenizer", sequence("pretokenizers")), "a Sequence of 0 in pre_tokenizer"),
    (("pre_tokenizer", sequence("pretokenizers", SPLIT, BYTE_LEVEL)), r"the pattern \{'Regex'"),
    (("pre_tokenizer", sequence("pretokenizers", SPLIT | {"invert": True}, BYTE_LEVEL)), "invert True of Split"),
    (("post_processor", "trim_offsets", None), "trim_offsets of post_processor is None"),
    (("post_processor", "sep", ["</s>"]), "sep of post_processor"),
    (("post_processor", sequence("processors", BYTE_LEVEL)), r"the Sequence \['ByteLevel'\] in post_processor"),
    (("decoder", {"type": "Metaspace"}), "decoder 'Metaspace'"),
    (("model", {"type": "Unigram"}), "model 'Unigram'"),
    (("model", "novelty", True), "the field 'novelty' of model"),
    (("model", "dropout", 0.1), "dropout 0.1 of model"),
    (("model", "continuing_subword_prefix", "##"), "continuing_subword_prefix '##' of model"),
    (("model", "end_of_word_suffix", "</w>"), "end_of_word_suffix '</w>' of model"),
    (("model", "fuse_unk", 1), "fuse_unk of model is 1"),
    (("model", "vocab", ["a"]), "vocab of model"),
    (("model", "vocab", "a", -1), "a of the vocabulary is -1"),
    (("model", "vocab", "a", True), "a of the vocabulary is True"),
    (("model", "merges", None), "merges of model is None"),
    (("model", "merges", ["a b c"]), "merge 0 is 'a b c'"),
    (("model", "merges", ["a b", ["b", "c"]]), r"merge 1 is \['b', 'c'\]"),
    (("model", "merges", [["b", "c"], "a b"]), "merge 1 is 'a b'"),
    (("model", "merges", [["a"]]), r"merge 0 is \['a'\]"),
    (("model", "merges", [["a", 1]]), r"merge 0 is \['a', 1\]"),
    (("model", "merges", ["a zz"]), "the vocabulary has no token 'zz'"),
    (("model", "merges", ["x y"]), "the vocabulary has no token 'xy'"),
    (("added_tokens", 0, "single_word", True), "single_word = true of the added token '<s>'"),
    (("added_tokens", 0, "id", 9), "has id 9"),
    (("added_tokens", 0, "id", 2**40), "id of the added token '<s>' is 1099511627776"),
    (("added_tokens", {"a": 1}), "added_tokens is no list"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_not_done_is_refused_by_name(folder, change, message):
    with pytest.raises(DataFormatError, match=message) as caught:
        load(folder, changed(*change))
    assert "changed.json" in str(caught.value)


def test_what_the_vocabulary_must_be(folder):
    with pytest.raises(InvalidInputError, match=f"the id {ID['love']} comes twice"):
        load(folder, changed("model", "vocab", "s", ID["love"]))
    with pytest.raises(InvalidInputError, match="ids of a vocabulary are below 16777216"):
        load(folder, changed("model", "vocab", "s", 2**31 - 1))
    with pytest.raises(InvalidInputError, match="has 1001 bytes"):
        load(folder, changed("model", "vocab", "s" * 1001, 999))
    with pytest.raises(InvalidInputError, match="lone surrogate"):
        load(folder, changed("model", "vocab", "\ud800", 999))
    made = document()
    del made["model"]["vocab"]["Ã"], made["model"]["merges"][5]
    with pytest.raises(InvalidInputError, match="no token 'Ã', which stands for byte 195"):
        load(folder, made)
    entry = {"id": len(ID), "single_word": False, "lstrip": False, "normalized": False, "special": False}
    spaced = [entry | {"content": "  ", "rstrip": False}, entry | {"id": len(ID) + 1, "content": "<x>", "rstrip": True}]
    with pytest.raises(DataFormatError, match="rstrip = true of the added token '<x>' beside '  '"):
        load(folder, changed("added_tokens", spaced))


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"model": {}', '{"a": 1, "a": 2}', "1" * 5000, "[" * 100_000, "\xff"]
)
def test_what_is_no_such_file(folder, text):
    path = folder / "wrong.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataFormatError, match=r"wrong\.json"):
        tt.BPE.from_file(path)
    with pytest.raises(FileError, match="absent"):
        tt.BPE.from_file(folder / "absent.json")


def test_files_changed_at_random_are_read_or_refused(folder):
    """Any value anywhere: the file is refused with an error of ours, or gives a tokenizer that works."""
    generator = random.Random(0)
    values = [None, True, -1, 0, 2**31, 1e300, "", "a", "é\u0301", "\ud800", [], ["a", "b"], {}, {"type": "NFC"}, [[]]]
    n_read = 0
    for _ in range(400):
        made = document()
        part = made
        while True:
            keys = list(part) if isinstance(part, dict) else list(range(len(part)))
            key = generator.choice(keys)
            if isinstance(part[key], (dict, list)) and part[key] and generator.random() < 0.7:
                part = part[key]
                continue
            break
        if generator.random() < 0.3:
            del part[key]
        else:
            part[key] = copy.deepcopy(generator.choice(values))
        try:
            tokenizer = load(folder, json.loads(json.dumps(made)))
        except InvalidInputError:
            continue
        n_read += 1
        assert len(tokenizer.encode_batch(TEXTS)) == len(TEXTS)
    assert 0 < n_read < 400
