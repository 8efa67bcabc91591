"""Training of a byte-level BPE vocabulary: options and the tokenizer.json here, words and merges in C++."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from twotower.errors import InvalidInputError
from twotower.text.bpe_document import PATTERNS
from twotower.text.native import NativeLearner, NativeRequest, NativeWordCounter, SplitRule
from twotower.text.text_columns import Texts
from twotower.text.train_options import check_count, check_flag, check_special_tokens
from twotower.text.train_words import count_words, learn

SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
"""Those of RoBERTa, by default."""

Split = Literal["gpt2", "gpt4", "gpt4-one-digit"]
_RULES = {"gpt2": SplitRule.GPT2, "gpt4": SplitRule.GPT4, "gpt4-one-digit": SplitRule.GPT4_ONE_DIGIT}
_MAX_TOKEN_LENGTH = 500
"""Bytes: a byte has one or two in a file's alphabet, and a token of a file may have 1,000."""


def train_document(
    texts: Iterable[str] | Texts,
    vocabulary_size: int,
    special_tokens: Sequence[str],
    split: Split,
    add_prefix_space: bool,
    nfc: bool,
    min_frequency: int,
    max_token_length: int,
    max_words: int,
    threads: int,
    progress: bool | None,
) -> dict[str, Any]:
    """Return the tokenizer.json of a trained vocabulary. Arguments and errors are those of `BPE.train`."""
    if split not in _RULES:
        raise InvalidInputError(f"split is {split!r}: it must be one of {', '.join(map(repr, _RULES))}")
    if add_prefix_space and split != "gpt2":
        raise InvalidInputError(f'add_prefix_space goes with split="gpt2" alone, and split is {split!r}')
    check_flag("nfc", nfc)
    check_flag("add_prefix_space", add_prefix_space)
    length = check_count("max_token_length", max_token_length, 1)
    if length > _MAX_TOKEN_LENGTH:
        raise InvalidInputError(f"max_token_length is {length}: a token may have {_MAX_TOKEN_LENGTH} bytes")
    special = check_special_tokens(special_tokens, needed=())
    size = check_count("vocabulary_size", vocabulary_size, 1)
    request = NativeRequest(
        special,
        vocabulary_size=size,
        n_candidates=0,
        min_frequency=check_count("min_frequency", min_frequency, 1),
        max_token_length=length,
        limit_alphabet=256,
    )
    counter = NativeWordCounter.of_byte_level(
        _RULES[split], nfc, add_prefix_space, special, check_count("max_words", max_words, 1)
    )
    words = count_words(counter, texts, check_count("threads", threads, 0), progress)
    learner = NativeLearner.of_byte_level(words, request)
    learn(learner, size, progress)
    tokens = learner.tokens()
    merges = [[tokens[left], tokens[right]] for left, right, _ in learner.merges()]
    return _document(tokens, merges, special, split, add_prefix_space, nfc)


def _document(
    tokens: Sequence[str],
    merges: Sequence[Sequence[str]],
    special: Sequence[str],
    split: Split,
    add_prefix_space: bool,
    nfc: bool,
) -> dict[str, Any]:
    vocabulary = {token: number for number, token in enumerate(tokens)}
    trim = {"trim_offsets": True, "add_prefix_space": add_prefix_space}
    byte_level = {"type": "ByteLevel", **trim, "use_regex": True}
    post_processor: dict[str, Any] = byte_level
    if {"<s>", "</s>"} <= set(special):
        ends = {"sep": ["</s>", vocabulary["</s>"]], "cls": ["<s>", vocabulary["<s>"]]}
        post_processor = {"type": "RobertaProcessing", **ends, **trim}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    none = dict.fromkeys(("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"))
    options = dict.fromkeys(("fuse_unk", "byte_fallback", "ignore_merges"), False)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": vocabulary[token], "content": token, **flags} for token in special],
        "normalizer": {"type": "NFC"} if nfc else None,
        "pre_tokenizer": byte_level if split == "gpt2" else _split(_RULES[split]),
        "post_processor": post_processor,
        "decoder": byte_level,
        "model": {"type": "BPE", **none, **options, "vocab": vocabulary, "merges": [list(merge) for merge in merges]},
    }


def _split(rule: SplitRule) -> dict[str, Any]:
    pattern = next(pattern for pattern, known in PATTERNS.items() if known == rule)
    parts = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
    ]
    return {"type": "Sequence", "pretokenizers": parts}
