"""Reads the two files of a BERT tokenizer: vocab.txt and tokenizer.json. Knows no text to tokenise."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from twotower.errors import DataFormatError, InvalidInputError
from twotower.text.tokenizer_file import checked_path, is_document, parse_json, read_text
from twotower.text.wordpiece_document import WordPieceConfig, parse_document

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Tokens that a vocab.txt is taken to have as special ones, where it has them."""


def read_config(path: str | PathLike[str], lowercase: bool | None) -> WordPieceConfig:
    """Read a tokenizer.json (a name that ends in .json) or a vocab.txt (any other name).

    Raises
    ------
    FileError
        If the file cannot be read.
    DataFormatError
        If it is not what it should be; the message names the file and the line or field.
    InvalidInputError
        If `lowercase` is given for a tokenizer.json, which says it itself.
    """
    name = str(checked_path(path))
    text = read_text(path)
    if not is_document(path):
        return parse_document(document_of_vocabulary(_read_vocabulary(text, name), lowercase, name), name)
    if lowercase is not None:
        raise InvalidInputError(
            f"lowercase is {lowercase}: {name} says itself what to do; give it for a vocab.txt alone"
        )
    return parse_document(parse_json(text, name), name)


def _read_vocabulary(text: str, name: str) -> dict[str, int]:
    """Return token to id: one token a line, the first line is id 0. White space at the end of a line is not kept."""
    if text.startswith("\ufeff"):
        raise DataFormatError(f"{name}, line 1: it begins with a byte order mark; save it as UTF-8 without one")
    vocabulary: dict[str, int] = {}
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines):
        token = line.rstrip()
        if not token:
            raise DataFormatError(f"{name}, line {number + 1}: empty; every line must hold a token")
        if token in vocabulary:
            raise DataFormatError(
                f"{name}, line {number + 1}: {token!r} stands in line {vocabulary[token] + 1} already"
            )
        vocabulary[token] = number
    return vocabulary


def document_of_vocabulary(vocabulary: Mapping[str, int], lowercase: bool | None, name: str) -> dict[str, Any]:
    """Return the tokenizer.json of a vocab.txt: BERT's own settings."""
    for token in ("[UNK]", "[CLS]", "[SEP]"):
        if token not in vocabulary:
            raise DataFormatError(
                f"{name} has no line {token}: a BERT vocabulary needs it; write a tokenizer.json for others"
            )
    if lowercase is None:  # a cased vocabulary has words with capitals
        lowercase = all(token == token.lower() for token in vocabulary if not token.startswith("["))
    special = [token for token in SPECIAL_TOKENS if token in vocabulary]
    added = [
        {"id": vocabulary[token], "content": token}
        | {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for token in sorted(special, key=vocabulary.__getitem__)
    ]

    def item(kind: str, name: str, type_id: int) -> dict[str, Any]:
        return {kind: {"id": name, "type_id": type_id}}

    single = [item("SpecialToken", "[CLS]", 0), item("Sequence", "A", 0), item("SpecialToken", "[SEP]", 0)]
    pair = [*single, item("Sequence", "B", 1), item("SpecialToken", "[SEP]", 1)]
    tokens = {token: {"id": token, "ids": [vocabulary[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": dict(vocabulary),
        },
    }
