"""Checks the tokenizer.json (Hugging Face format) of a byte-level BPE tokenizer field by field. Knows no files, no text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.text.native import SplitRule
from twotower.text.tokenizer_config import Added, Template, TokenizerConfig
from twotower.text.tokenizer_document import DocumentReader

_MODEL = (
    "dropout",
    "unk_token",
    "continuing_subword_prefix",
    "end_of_word_suffix",
    "fuse_unk",
    "byte_fallback",
    "ignore_merges",
    "vocab",
    "merges",
)
_BYTE_LEVEL = ("add_prefix_space", "trim_offsets", "use_regex")
_GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    "%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS: Mapping[str, SplitRule] = {
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": SplitRule.GPT2,
    _GPT4 % "{1,3}": SplitRule.GPT4,
    _GPT4 % "": SplitRule.GPT4_ONE_DIGIT,
}
"""The regular expressions that a Split may have: those of GPT-2, of GPT-4 and Llama 3, and of Qwen 2."""


@dataclass(frozen=True, kw_only=True)
class BPEConfig(TokenizerConfig):
    """All that a byte-level BPE tokenizer is made of.

    `merges` has a row (left, right, merged) of ids for each merge, the first one first, int32 [M, 3]. `bare_types` are the
    type ids of a pair without special tokens.
    """

    merges: npt.NDArray[np.int32] = field(repr=False, compare=False)
    ignore_merges: bool
    nfc: bool
    rule: SplitRule
    add_prefix_space: bool
    trim_spans: bool
    trim_keeps_first: bool
    bare_types: tuple[int, int]
    decodes_bytes: bool


def parse_document(document: Any, name: str) -> BPEConfig:
    """Check every field of a tokenizer.json.

    Raises
    ------
    DataFormatError
        If a field is missing, malformed or asks for what twotower does not do; the message names it.
    """
    reader = _BPEReader(name)
    reader.top(document)
    model = reader.merged(document)
    rule, add_prefix_space = reader.pre_tokenizer(document.get("pre_tokenizer"))
    added = reader.added_tokens(document.get("added_tokens"), model["vocabulary"])
    single, pair, trim_spans, trim_keeps_first = reader.template_and_trim(document.get("post_processor"))
    decoder = document.get("decoder")
    if decoder is not None:
        reader.byte_level(decoder, "decoder")
    return BPEConfig(
        **model,
        added=added,
        nfc=reader.normalizer(document.get("normalizer")),
        rule=rule,
        add_prefix_space=add_prefix_space,
        trim_spans=trim_spans,
        trim_keeps_first=trim_keeps_first,
        single=single,
        pair=pair,
        bare_types=(0, 0) if (document.get("post_processor") or {}).get("type") == "RobertaProcessing" else (0, 1),
        decodes_bytes=decoder is not None,
        truncation=reader.truncation(document.get("truncation")),
        padding=reader.padding(document.get("padding")),
        document=document,
    )


class _BPEReader(DocumentReader):
    normalized_added = True

    def merged(self, document: Mapping[str, Any]) -> dict[str, Any]:
        model, vocabulary = self.model(document, "BPE", _MODEL)
        dropout = model.get("dropout")
        if dropout is not None and (type(dropout) not in (int, float) or dropout != 0):
            self.refuse(f"dropout {model['dropout']!r} of model", "null: the same text always has the same tokens")
        for key in ("continuing_subword_prefix", "end_of_word_suffix"):
            if model.get(key) not in (None, ""):
                self.refuse(f"{key} {model[key]!r} of model", "null or an empty one")
        # unk_token, fuse_unk and byte_fallback are for characters without a token: every byte has one here.
        for key in ("fuse_unk", "byte_fallback"):
            self.value({key: False, **model}, key, bool, "model")
        if model.get("unk_token") is not None:
            self.value(model, "unk_token", str, "model")
        return {
            "vocabulary": vocabulary,
            "merges": self._merges(self.value(model, "merges", list, "model"), vocabulary),
            "ignore_merges": self.value({"ignore_merges": False, **model}, "ignore_merges", bool, "model"),
        }

    def _merges(self, merges: Sequence[Any], vocabulary: Mapping[str, int]) -> npt.NDArray[np.int32]:
        as_text = bool(merges) and isinstance(merges[0], str)
        if as_text:
            merges = [merge for merge in merges if not (isinstance(merge, str) and merge.startswith("#version"))]
        rows = np.empty((len(merges), 3), np.int32)
        for rank, merge in enumerate(merges):
            pair = merge.split(" ") if as_text and isinstance(merge, str) else None if as_text else merge
            if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(token, str) for token in pair):
                self.wrong(f"merge {rank} is {merge!r}: all must be texts 'a b', or all pairs of tokens")
            left, right = pair
            try:
                rows[rank] = vocabulary[left], vocabulary[right], vocabulary[left + right]
            except KeyError as error:
                self.wrong(f"merge {rank} is {merge!r}, but the vocabulary has no token {error.args[0]!r}")
        return rows

    def added_tokens(self, added: Any, vocabulary: Mapping[str, int]) -> tuple[Added, ...]:
        tokens = super().added_tokens(added, vocabulary)
        spaced = next((token.content for token in tokens if token.content[:1].isspace()), None)
        for token in tokens:
            if token.rstrip and spaced is not None:
                self.refuse(
                    f"rstrip = true of the added token {token.content!r} beside {spaced!r}",
                    "rstrip where no added token begins with white space",
                )
        return tokens

    def normalizer(self, normalizer: Any) -> bool:
        """Return whether text is composed."""
        if normalizer is None:
            return False
        if (parts := self.parts(normalizer, "normalizers", "normalizer")) is not None:
            found = [self.normalizer(part) for part in parts]  # each is checked
            return any(found)
        self.typed(normalizer, "NFC", (), "normalizer")
        return True

    def byte_level(self, part: Any, where: str) -> Mapping[str, bool]:
        """Return the three options of a ByteLevel; files of an older version have no use_regex."""
        self.typed(part, "ByteLevel", _BYTE_LEVEL, where)
        options = {"use_regex": True, **part}
        return {key: self.value(options, key, bool, where) for key in _BYTE_LEVEL}

    def pre_tokenizer(self, part: Any) -> tuple[SplitRule, bool]:
        where = "pre_tokenizer"
        parts = self.parts(part, "pretokenizers", where)
        if parts is None:
            options = self.byte_level(part, where)
            return SplitRule.GPT2 if options["use_regex"] else SplitRule.NONE, options["add_prefix_space"]
        if len(parts) == 1:
            return self.pre_tokenizer(parts[0])
        if len(parts) != 2:
            self.refuse(f"a Sequence of {len(parts)} in {where}", "ByteLevel, or a Split and a ByteLevel")
        split = self.typed(parts[0], "Split", ("pattern", "behavior", "invert"), where)
        self.only(split, "Split", {"behavior": ("Isolated",), "invert": (False,)})
        pattern = split.get("pattern")
        if not isinstance(pattern, dict) or list(pattern) != ["Regex"] or pattern["Regex"] not in tuple(PATTERNS):
            self.refuse(f"the pattern {pattern!r} of Split", "those of GPT-2, GPT-4 (Llama 3) and Qwen 2")
        options = self.byte_level(parts[1], where)
        if options["use_regex"] or options["add_prefix_space"]:
            self.refuse("a Split before a ByteLevel with use_regex or add_prefix_space", "both false there")
        return PATTERNS[pattern["Regex"]], False

    def template_and_trim(self, part: Any) -> tuple[Template, Template, bool, bool]:
        """Return what goes around texts, whether spans lose spaces, and whether the first token keeps one."""
        kind = part.get("type") if isinstance(part, dict) else None
        where = "post_processor"
        if kind == "ByteLevel":
            options = self.byte_level(part, where)
            return *self.post_processor(None), options["trim_offsets"], options["add_prefix_space"]
        if kind == "RobertaProcessing":
            flags = ("trim_offsets", "add_prefix_space")
            cls, sep = self.cls_and_sep(part, *flags)
            trim, keeps_first = (self.value(part, key, bool, where) for key in flags)
            return Template((cls,), (), (sep,)), Template((cls,), (sep, sep), (sep,), (0, 0)), trim, keeps_first
        parts = self.parts(part, "processors", where)
        if parts is None:
            return *self.post_processor(part), False, False
        kinds = [step.get("type") if isinstance(step, dict) else step for step in parts]
        if len(parts) != 2 or kinds[0] != "ByteLevel" or kinds[1] not in ("TemplateProcessing", "BertProcessing"):
            self.refuse(f"the Sequence {kinds} in {where}", "ByteLevel and then TemplateProcessing or BertProcessing")
        _, _, trim, keeps_first = self.template_and_trim(parts[0])
        return *self.post_processor(parts[1]), trim, keeps_first
