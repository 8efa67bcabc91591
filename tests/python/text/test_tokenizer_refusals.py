"""What files and arguments of tokenizers and analyzers are refused, and how it is told."""

import random

import pytest
from click.testing import CliRunner

import twotower as tt
from text import small_bpe
from text.small_wordpiece import SPECIAL, WORDS, changed, load, write
from twotower.cli.vocabulary import vocabulary as vocabulary_verb
from twotower.errors import DataFormatError, InputTypeError, InvalidInputError
from twotower.text.wordpiece_file import document_of_vocabulary

VOCABULARY = {token: number for number, token in enumerate(SPECIAL + WORDS)}
DOCUMENT = document_of_vocabulary(VOCABULARY, True, "small")
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
NEXT = len(VOCABULARY)


def added(*tokens):
    more = [{"id": number, "content": content, **FLAGS} for content, number in tokens]
    return changed(DOCUMENT, "added_tokens", DOCUMENT["added_tokens"] + more)


def test_added_tokens_have_the_ids_that_tokenizers_counts(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    good = load(tmp_path, added(("<one>", NEXT), ("<two>", NEXT + 1)))
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "changed.json"))
    assert good.encode("sweet<two><one>") == theirs.encode("sweet<two><one>").ids
    for wrong in ([("<one>", NEXT + 3)], [("<two>", NEXT + 1), ("<one>", NEXT)]):
        with pytest.raises(DataFormatError, match=rf"has id {wrong[0][1]}, .* the next free id is {NEXT}"):
            load(tmp_path, added(*wrong))


WRONG = [
    (("post_processor", "special_tokens", "[CLS]", "ids", [999]), r"has id 999 for '\[CLS\]'"),
    (("post_processor", "special_tokens", "[CLS]", "ids", [3]), r"has id 3 for '\[CLS\]', which has id 2"),
    (("post_processor", {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 2]}), "sep of post_processor"),
    (("post_processor", {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[NO]", 99]}), "which is no token"),
    (("model", "continuing_subword_prefix", "\ud800"), "continuing_subword_prefix has the text .* lone surrogate"),
    (("post_processor", {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2], "x": 1}), "the field 'x'"),
    (("model", {"vocab": {}, "merges": []}), "the field 'merges' of model"),
    (("decoder", "prefix", "\ud800"), "prefix has the text .* lone surrogate"),
    (("post_processor", "special_tokens", "\udc00", {}), "special_tokens has the text .* lone surrogate"),
    *((("added_tokens", value), "added_tokens is no list") for value in ({}, False, 0, "")),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_wrong_parts_of_a_wordpiece_are_refused(change, message, tmp_path):
    with pytest.raises(DataFormatError, match=message):
        load(tmp_path, changed(DOCUMENT, *change))


BPE_SPLIT = {"type": "Split", "behavior": "Isolated", "invert": 0, "pattern": {"Regex": []}}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
BERT = {"type": "BertProcessing", "sep": ["</s>", small_bpe.END], "cls": ["<s>", small_bpe.S]}
BPE_WRONG = [
    (("model", "dropout", []), "dropout"),
    (("model", "dropout", False), "dropout"),
    (("model", "continuing_subword_prefix", 0), "continuing_subword_prefix 0"),
    (("pre_tokenizer", {"type": "Sequence", "pretokenizers": [BPE_SPLIT, BYTE_LEVEL]}), "invert 0"),
    (("pre_tokenizer", {"type": "Sequence", "pretokenizers": [{**BPE_SPLIT, "invert": False}, BYTE_LEVEL]}), "Regex"),
    (("pre_tokenizer", {"type": "Sequence", "pretokenizers": [BYTE_LEVEL] * 3}), "a Sequence of 3 in pre_tokenizer"),
    (("pre_tokenizer", {"type": "Sequence", "pretokenizers": [BYTE_LEVEL], "x": 1}), "the field 'x' of pre_tokenizer"),
    (("normalizer", {"type": "Sequence", "normalizers": {}}), "normalizers of normalizer is {}"),
    (("normalizer", {"type": "Sequence"}), "normalizers of normalizer is None"),
    (("post_processor", "x", 1), "the field 'x' of post_processor"),
    (("post_processor", {"type": "Sequence", "processors": [BERT, BERT]}), "the Sequence .'BertProcessing', 'BertPro"),
    (("model", {"vocab": {}, "merges": [], "x": 1}), "the field 'x' of model"),
    (("model", {"vocab": {}, "fuse_unk": False}), "merges of model is None"),
]


@pytest.mark.parametrize(("change", "message"), BPE_WRONG)
def test_wrong_parts_of_a_bpe_are_refused(change, message, tmp_path):
    with pytest.raises(DataFormatError, match=message):
        small_bpe.load(tmp_path, small_bpe.changed(*change))


def test_names_of_files(tmp_path):
    tokenizer = load(tmp_path, DOCUMENT)
    tokenizer.to_file(tmp_path / "X.JSON")
    assert tt.WordPiece.from_file(tmp_path / "X.JSON").vocab_size == tokenizer.vocab_size
    with pytest.raises(InvalidInputError, match=r"does not end in \.json"):
        tokenizer.to_file(tmp_path / "noext")
    for call in (tokenizer.to_file, tt.WordPiece.from_file, tt.BPE.from_file):
        for name, error in ((None, InputTypeError), (b"x.json", InputTypeError), ("a\0.json", InvalidInputError)):
            with pytest.raises(error):
                call(name)
    path = write(tmp_path, SPECIAL + WORDS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    with pytest.raises(DataFormatError, match="byte order mark"):
        tt.WordPiece.from_file(path)


@pytest.mark.parametrize(("out", "message"), [("noext", r"end in .json"), ("", "empty"), ("no/x.json", "no folder")])
def test_the_verb_refuses_a_name_before_any_work(out, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(vocabulary_verb, ["absent.txt", "--out", out])
    assert done.exit_code != 0
    assert message in done.output + str(done.exception)


def test_counts_flags_and_fields(tmp_path):
    tokenizer = load(tmp_path, DOCUMENT)
    for options in ({"max_length": 2**64}, {"threads": 2**64}):
        with pytest.raises(InvalidInputError, match=r"below 2\^31"):
            tokenizer.encode_batch(["a"], **options)
    with pytest.raises(InvalidInputError, match=r"below 2\^31"):
        tt.Analyzer("plain").analyze_batch(["a"], threads=2**63)
    for kind, option in (
        (tt.WordPiece, {"lowercase": "no"}),
        (tt.WordPiece, {"strip_accents": "x"}),
        (tt.BPE, {"nfc": "x"}),
    ):
        with pytest.raises(InputTypeError, match="must be True or False"):
            kind.train(["sweet love"], 300, **option)
    with pytest.raises(InvalidInputError, match="at most 100 characters"):
        tt.WordPiece.train(["a" * 101], 50)
    fields = tt.FieldAnalyzers({"title": "plain", "t": "plain"})
    assert fields.analyze_query("x", "title") == {"title": ["x"]}
    with pytest.raises(InputTypeError, match="columns is of type NoneType"):
        fields.term_ids(None, tt.Vocabulary(), True)
    with pytest.raises(InvalidInputError, match="for 'sweet', which has a lone surrogate"):
        tt.Analyzer("plain", stemmer=lambda word: "\ud800").analyze("sweet")


def test_a_vocabulary_whose_table_of_pieces_would_fill_the_memory_is_refused(tmp_path):
    chance = random.Random(0)
    tokens = ["".join(chance.choices("ab", k=990)) for _ in range(300)]
    with pytest.raises(InvalidInputError, match="leave out its longest tokens"):
        tt.WordPiece.from_file(write(tmp_path, [*SPECIAL, "a", "b", "##a", "##b", *tokens]))
