"""Files of a WordPiece tokenizer: what is read, what is refused by name, and what is saved."""

import copy
import json
import pickle

import numpy as np
import pytest

import twotower as tt
from text.small_wordpiece import CLS, ID, MASK, SEP, SPECIAL, TEXTS, UNK, WORDS, changed, ids, load, write
from twotower.errors import DataFormatError, FileError, InvalidInputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("wordpiece_file")


@pytest.fixture(scope="module")
def tokenizer(folder):
    return tt.WordPiece.from_file(write(folder, SPECIAL + WORDS))


@pytest.fixture(scope="module")
def document(folder, tokenizer):
    tokenizer.to_file(folder / "tokenizer.json")
    return json.loads((folder / "tokenizer.json").read_text())


def test_cased_vocabularies_are_noticed(folder):
    cased = tt.WordPiece.from_file(write(folder, [*SPECIAL, "Love", "love", "é"]))
    assert cased.encode("Love love é LOVE", add_special_tokens=False) == [5, 6, 7, UNK]
    assert tt.WordPiece.from_file(folder / "vocab.txt", lowercase=True).encode("Love É")[1:-1] == [6, UNK]


def test_padding_of_the_file(folder, document, tokenizer):
    changed = copy.deepcopy(document)
    changed["padding"] = {
        "strategy": {"Fixed": 8},
        "direction": "Left",
        "pad_to_multiple_of": None,
        "pad_id": 4,
        "pad_type_id": 1,
        "pad_token": "[MASK]",
    }
    changed["truncation"] = {"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    loaded = load(folder, changed)
    assert (loaded.padding, loaded.truncation) == (changed["padding"], changed["truncation"])
    padded = loaded.encode_batch(["a b a b", "a"]).padded()
    assert padded.ids.tolist() == [[CLS, *ids("a", "b", "a", "b"), SEP], [MASK, MASK, MASK, CLS, ID["a"], SEP]]
    assert padded.type_ids.tolist()[1] == [1, 1, 1, 0, 0, 0]
    assert tokenizer.padding is None


def test_a_vocabulary_without_padding(folder):
    loaded = tt.WordPiece.from_file(write(folder, ["[UNK]", "[CLS]", "[SEP]", "a"]))
    assert loaded.encode_batch(["a", "a"]).padded().ids.shape == (2, 3)
    with pytest.raises(InvalidInputError, match=r"no \[PAD\]"):
        loaded.encode_batch(["a", ""]).padded()


def test_saved_file_gives_the_same_tokenizer(tokenizer, folder):
    tokenizer.to_file(folder / "again.json")
    expected = tokenizer.encode_batch(TEXTS, spans="char")
    for other in (tt.WordPiece.from_file(folder / "again.json"), pickle.loads(pickle.dumps(tokenizer))):
        batch = other.encode_batch(TEXTS, spans="char")
        assert np.array_equal(batch.ids, expected.ids)
        assert np.array_equal(batch.spans, expected.spans)
    tt.WordPiece.from_file(folder / "again.json").to_file(folder / "third.json")
    assert (folder / "third.json").read_bytes() == (folder / "again.json").read_bytes()
    with pytest.raises(FileError):
        tokenizer.to_file(folder / "absent" / "file.json")


REFUSED = [
    (("version", "2.0"), "version '2.0'"),
    (("novelty", 1), "the field 'novelty' of the file"),
    (("normalizer", {"type": "Sequence", "normalizers": []}), "normalizer 'Sequence'"),
    (("normalizer", "novelty", True), "the field 'novelty' of normalizer"),
    (("normalizer", "lowercase", 1), "lowercase of normalizer is 1"),
    (("pre_tokenizer", {"type": "Whitespace"}), "pre_tokenizer 'Whitespace'"),
    (("pre_tokenizer", None), "pre_tokenizer None"),
    (("post_processor", {"type": "RobertaProcessing"}), "post_processor 'RobertaProcessing'"),
    (("post_processor", "single", []), "the order of texts ''"),
    (("post_processor", "special_tokens", {}), r"the special token '\[CLS\]'"),
    (("decoder", {"type": "BPEDecoder"}), "decoder 'BPEDecoder'"),
    (("model", {"type": "BPE", "merges": []}), "model 'BPE'"),
    (("model", "fuse_unk", True), "the field 'fuse_unk' of model"),
    (("model", "unk_token", "[NO]"), r"unk_token '\[NO\]' is not in the vocabulary"),
    (("model", "vocab", "sweet", -1), "sweet of the vocabulary is -1"),
    (("model", "vocab", "sweet", True), "sweet of the vocabulary is True"),
    (("model", "max_input_chars_per_word", 2.5), "max_input_chars_per_word of model is 2.5"),
    (("added_tokens", 0, "single_word", True), "single_word = true of the added token"),
    (("added_tokens", 0, "normalized", True), "normalized = true of the added token"),
    (("added_tokens", 0, "id", 17), "has id 17, but the vocabulary"),
    (("truncation", {"max_length": 8, "strategy": "OnlyFirst", "stride": 0}), "strategy 'OnlyFirst' of truncation"),
    (("truncation", {"max_length": 8, "strategy": "LongestFirst", "stride": 2}), "stride 2 of truncation"),
    (("padding", {"strategy": "Novel", "direction": "Right"}), "strategy 'Novel' of padding"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_not_supported_is_refused_by_name(folder, document, change, message):
    with pytest.raises(DataFormatError, match=message) as caught:
        load(folder, changed(document, *change))
    assert "changed.json" in str(caught.value)


def test_options_of_a_tokenizer_json(folder, document):
    text = "É中a\x00"
    assert load(folder, document).encode(text, add_special_tokens=False) == ids("e", "中", "a")
    accents = changed(document, "normalizer", "strip_accents", False)
    assert load(folder, accents).encode(text, add_special_tokens=False) == ids("é", "中", "a")
    joined = changed(document, "normalizer", "handle_chinese_chars", False)
    assert load(folder, joined).encode(text, add_special_tokens=False) == [UNK]
    raw = changed(document, "normalizer", None)
    assert load(folder, raw).encode("a\x00 É é", add_special_tokens=False) == [UNK, UNK, ID["é"]]
    short = changed(document, "model", "max_input_chars_per_word", 3)
    assert load(folder, short).encode("aaa aaaa", add_special_tokens=False) == [*ids("a", "##a", "##a"), UNK]
    prefix = changed(document, "model", "continuing_subword_prefix", "")
    assert load(folder, prefix).encode("sweetlovea", add_special_tokens=False) == ids("sweet", "love", "a")
    bert = changed(document, "post_processor", {"type": "BertProcessing", "sep": ["[SEP]", SEP], "cls": ["[CLS]", CLS]})
    batch = load(folder, bert).encode_batch(["a"], pairs=["b"])
    assert (batch.ids.tolist(), batch.type_ids.tolist()) == ([CLS, ID["a"], SEP, ID["b"], SEP], [0, 0, 0, 1, 1])
    bare = changed(document, "post_processor", None)
    assert load(folder, bare).encode("a", "b") == ids("a", "b")


def test_files_that_are_not_tokenizers(folder):
    cases = {
        "x.json": ("{", "is not JSON"),
        "y.json": ('{"version": "1.0", "version": "1.0"}', "the field 'version' twice"),
        "list.json": ("[]", "the file is list"),
        "twice.txt": ("[UNK]\n[CLS]\n[SEP]\na\nb\na\n", "line 6: 'a' stands in line 4 already"),
        "empty.txt": ("[UNK]\n\n", "line 2: empty"),
        "no.txt": ("a\nb\n", r"has no line \[UNK\]"),
    }
    for name, (text, message) in cases.items():
        (folder / name).write_text(text)
        with pytest.raises(DataFormatError, match=message):
            tt.WordPiece.from_file(folder / name)
    (folder / "bad.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(DataFormatError, match="byte 2: not UTF-8"):
        tt.WordPiece.from_file(folder / "bad.txt")
    with pytest.raises(FileError, match=r"nothing\.txt cannot be read"):
        tt.WordPiece.from_file(folder / "nothing.txt")
    with pytest.raises(InvalidInputError, match="1001 bytes"):
        tt.WordPiece.from_file(write(folder, [*SPECIAL, "x" * 1001]))


def test_ids_and_added_tokens_are_checked(folder, document):
    with pytest.raises(InvalidInputError, match=f"the id {ID['love']} comes twice"):
        load(folder, changed(document, "model", "vocab", "sweet", ID["love"]))
    path = folder / "changed.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidInputError, match="lowercase is True"):
        tt.WordPiece.from_file(path, lowercase=True)
