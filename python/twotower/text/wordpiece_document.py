"""Checks the tokenizer.json (Hugging Face format) of a WordPiece tokenizer field by field. Knows no files and no text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twotower.text.tokenizer_config import TokenizerConfig
from twotower.text.tokenizer_document import DocumentReader

_NORMALIZER = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
_MODEL = ("unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab")


@dataclass(frozen=True, kw_only=True)
class WordPieceConfig(TokenizerConfig):
    """All that a WordPiece tokenizer is made of."""

    clean_text: bool
    handle_chinese_chars: bool
    strip_accents: bool
    lowercase: bool
    unk_token: str
    prefix: str
    max_input_chars_per_word: int
    decoder_prefix: str | None
    decoder_cleanup: bool


def parse_document(document: Any, name: str) -> WordPieceConfig:
    """Check every field of a tokenizer.json.

    Raises
    ------
    DataFormatError
        If a field is missing, malformed or asks for what twotower does not do; the message names it.
    """
    reader = _WordPieceReader(name)
    reader.top(document)
    model = reader.word_pieces(document)
    normalizer = reader.normalizer(document.get("normalizer"))
    reader.typed(document.get("pre_tokenizer"), "BertPreTokenizer", (), "pre_tokenizer")
    added = reader.added_tokens(document.get("added_tokens"), model["vocabulary"])
    single, pair = reader.post_processor(document.get("post_processor"))
    decoder = document.get("decoder")
    if decoder is not None:
        decoder = reader.typed(decoder, "WordPiece", ("prefix", "cleanup"), "decoder")
    return WordPieceConfig(
        **model,
        **normalizer,
        added=added,
        single=single,
        pair=pair,
        decoder_prefix=None if decoder is None else reader.value(decoder, "prefix", str, "decoder"),
        decoder_cleanup=decoder is not None and reader.value(decoder, "cleanup", bool, "decoder"),
        truncation=reader.truncation(document.get("truncation")),
        padding=reader.padding(document.get("padding")),
        document=document,
    )


class _WordPieceReader(DocumentReader):
    def word_pieces(self, document: Mapping[str, Any]) -> dict[str, Any]:
        model, vocabulary = self.model(document, "WordPiece", _MODEL)
        unk_token = self.value(model, "unk_token", str, "model")
        if unk_token not in vocabulary:
            self.wrong(f"unk_token {unk_token!r} is not in the vocabulary")
        return {
            "vocabulary": vocabulary,
            "unk_token": unk_token,
            "prefix": self.value(model, "continuing_subword_prefix", str, "model"),
            "max_input_chars_per_word": self.value(model, "max_input_chars_per_word", int, "model"),
        }

    def normalizer(self, normalizer: Any) -> dict[str, Any]:
        if normalizer is None:
            return dict.fromkeys(_NORMALIZER, False)
        self.typed(normalizer, "BertNormalizer", _NORMALIZER, "normalizer")
        lowercase = self.value(normalizer, "lowercase", bool, "normalizer")
        options = {**normalizer, "strip_accents": normalizer.get("strip_accents")}
        if options["strip_accents"] is None:
            options["strip_accents"] = lowercase
        return {key: self.value(options, key, bool, "normalizer") for key in _NORMALIZER}
