"""Reads and writes the two files of a BERT tokenizer: vocab.txt and tokenizer.json. Knows no text.

What a tokenizer.json asks for and twotower does not do is refused by name; nothing in the file is skipped.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

from twotower.errors import DataFormatError, FileError, InvalidInputError
from twotower.storage import write_file_atomically

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Tokens that a vocab.txt is taken to have as special ones, where it has them."""

_TOP = ("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model")
_ADDED = ("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
_NORMALIZER = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
_MODEL = ("type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab")
_PADDING = ("strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token")


@dataclass(frozen=True)
class Added:
    """An entry of `added_tokens`: a token that is found in raw text."""

    content: str
    id: int
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False


@dataclass(frozen=True)
class Template:
    """What stands around the tokens of one text, or of a pair: ids with their type ids, and the type ids of the texts."""

    before: tuple[tuple[int, int], ...] = ()
    between: tuple[tuple[int, int], ...] = ()
    after: tuple[tuple[int, int], ...] = ()
    text_types: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class WordPieceConfig:
    """All that a WordPiece tokenizer is made of; `document` is the tokenizer.json that says it."""

    vocabulary: Mapping[str, int]
    added: tuple[Added, ...]
    clean_text: bool
    handle_chinese_chars: bool
    strip_accents: bool
    lowercase: bool
    unk_token: str
    prefix: str
    max_input_chars_per_word: int
    single: Template
    pair: Template
    decoder_prefix: str | None
    decoder_cleanup: bool
    truncation: Mapping[str, Any] | None
    padding: Mapping[str, Any] | None
    document: Mapping[str, Any] = field(repr=False)


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
    name = str(Path(path))
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{name}, byte {error.start}: not UTF-8") from error
    if not name.endswith(".json"):
        return parse_document(document_of_vocabulary(_read_vocabulary(text, name), lowercase, name), name)
    if lowercase is not None:
        raise InvalidInputError(f"lowercase is {lowercase}: {name} says itself what to do; give it for a vocab.txt alone")
    try:
        document = json.loads(text, object_pairs_hook=lambda pairs: _without_repeats(pairs, name))
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataFormatError(f"{name} is not JSON: {error}") from error
    return parse_document(document, name)


def write_document(document: Mapping[str, Any], path: str | PathLike[str]) -> None:
    """Write a tokenizer.json in one step: a kill leaves the old file or the new one."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    write_file_atomically(path, text.encode())


def _without_repeats(pairs: Sequence[tuple[str, Any]], name: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise DataFormatError(f"{name} has the field {repeated!r} twice in one object")
    return found


def _read_vocabulary(text: str, name: str) -> dict[str, int]:
    """Return token to id: one token a line, the first line is id 0. White space at the end of a line is not kept."""
    vocabulary: dict[str, int] = {}
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines):
        token = line.rstrip()
        if not token:
            raise DataFormatError(f"{name}, line {number + 1}: empty; every line must hold a token")
        if token in vocabulary:
            raise DataFormatError(f"{name}, line {number + 1}: {token!r} stands in line {vocabulary[token] + 1} already")
        vocabulary[token] = number
    return vocabulary


def document_of_vocabulary(vocabulary: Mapping[str, int], lowercase: bool | None, name: str) -> dict[str, Any]:
    """Return the tokenizer.json of a vocab.txt: BERT's own settings."""
    for token in ("[UNK]", "[CLS]", "[SEP]"):
        if token not in vocabulary:
            raise DataFormatError(f"{name} has no line {token}: a BERT vocabulary needs it; write a tokenizer.json for others")
    if lowercase is None:  # a cased vocabulary has words with capitals
        lowercase = all(token == token.lower() for token in vocabulary if not token.startswith("["))
    special = [token for token in SPECIAL_TOKENS if token in vocabulary]
    added = [
        {"id": vocabulary[token], "content": token}
        | {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for token in sorted(special, key=vocabulary.__getitem__)
    ]

    def item(kind: str, id: str, type_id: int) -> dict[str, Any]:  # noqa: A002
        return {kind: {"id": id, "type_id": type_id}}

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


def parse_document(document: Any, name: str) -> WordPieceConfig:
    """Check every field of a tokenizer.json.

    Raises
    ------
    DataFormatError
        If a field is missing, malformed or asks for what twotower does not do; the message names it.
    """
    reader = _Reader(name)
    reader.known(document, _TOP, "the file")
    if document.get("version", "1.0") != "1.0":
        reader.refuse(f'version {document["version"]!r}', 'version "1.0"')
    model = reader.model(document.get("model"))
    normalizer = reader.normalizer(document.get("normalizer"))
    reader.typed(document.get("pre_tokenizer"), "BertPreTokenizer", (), "pre_tokenizer")
    single, pair = reader.post_processor(document.get("post_processor"))
    decoder = document.get("decoder")
    if decoder is not None:
        decoder = reader.typed(decoder, "WordPiece", ("prefix", "cleanup"), "decoder")
    return WordPieceConfig(
        **model,
        **normalizer,
        added=reader.added_tokens(document.get("added_tokens") or [], model["vocabulary"]),
        single=single,
        pair=pair,
        decoder_prefix=None if decoder is None else reader.value(decoder, "prefix", str, "decoder"),
        decoder_cleanup=decoder is not None and reader.value(decoder, "cleanup", bool, "decoder"),
        truncation=reader.truncation(document.get("truncation")),
        padding=reader.padding(document.get("padding")),
        document=document,
    )


class _Reader:
    """Checks the parts of one file; every message begins with the file's name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def refuse(self, came: str, allowed: str) -> NoReturn:
        raise DataFormatError(f"{self._name}: {came} is not supported; twotower reads {allowed}")

    def wrong(self, what: str) -> NoReturn:
        raise DataFormatError(f"{self._name}: {what}")

    def known(self, part: Any, keys: Sequence[str], where: str) -> Any:
        if not isinstance(part, dict):
            self.wrong(f"{where} is {type(part).__name__}: it must be an object")
        for key in part:
            if key not in keys:
                self.refuse(f"the field {key!r} of {where}", f"there: {', '.join(keys)}")
        return part

    def typed(self, part: Any, kind: str, keys: Sequence[str], where: str) -> Any:
        came = part.get("type") if isinstance(part, dict) else part
        if came != kind:
            self.refuse(f"{where} {came!r}", kind)
        return self.known(part, ("type", *keys), where)

    def value(self, part: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
        value = part.get(key)
        if not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or not 0 <= value < 2**31)):
            expected = "an integer from 0 to 2^31 - 1" if kind is int else f"of type {kind.__name__}"
            self.wrong(f"{key} of {where} is {value!r}: it must be {expected}")
        return value

    def model(self, model: Any) -> dict[str, Any]:
        if isinstance(model, dict) and "type" not in model and "merges" not in model:  # as older files have it
            model = {"type": "WordPiece", **model}
        self.typed(model, "WordPiece", _MODEL[1:], "model")
        vocabulary = self.value(model, "vocab", dict, "model")
        for token in vocabulary:
            self.value(vocabulary, token, int, "the vocabulary")
        unk_token = self.value(model, "unk_token", str, "model")
        if unk_token not in vocabulary:
            self.wrong(f"unk_token {unk_token!r} is not in the vocabulary")
        return {
            "vocabulary": vocabulary,
            "unk_token": unk_token,
            "prefix": self.value(model, "continuing_subword_prefix", str, "model"),
            "max_input_chars_per_word": self.value(model, "max_input_chars_per_word", int, "model"),
        }

    def normalizer(self, normalizer: Any) -> dict[str, bool]:
        if normalizer is None:
            return dict.fromkeys(_NORMALIZER, False)
        self.typed(normalizer, "BertNormalizer", _NORMALIZER, "normalizer")
        options = dict(normalizer)
        if options.get("strip_accents") is None:
            options["strip_accents"] = options.get("lowercase")
        return {key: self.value(options, key, bool, "normalizer") for key in _NORMALIZER}

    def added_tokens(self, added: Any, vocabulary: Mapping[str, int]) -> tuple[Added, ...]:
        if not isinstance(added, list):
            self.wrong("added_tokens is no list")
        tokens = []
        content_of_id = {id: token for token, id in vocabulary.items()}
        for entry in added:
            self.known(entry, _ADDED, "an added token")
            content = self.value(entry, "content", str, "an added token")
            where = f"the added token {content!r}"
            flags = {key: self.value(entry, key, bool, where) for key in _ADDED[2:]}
            for key in ("single_word", "normalized"):
                if flags[key]:
                    self.refuse(f"{key} = true of {where}", f"added tokens with {key} = false")
            id = self.value(entry, "id", int, where)  # noqa: A001
            if vocabulary.get(content, id) != id or content_of_id.setdefault(id, content) != content:
                self.wrong(f"{where} has id {id}, but the vocabulary has {content_of_id.get(id)!r} there")
            tokens.append(Added(content, id, flags["special"], flags["lstrip"], flags["rstrip"]))
        if len({token.content for token in tokens}) != len(tokens):
            self.wrong("an added token comes twice")
        return tuple(tokens)

    def post_processor(self, part: Any) -> tuple[Template, Template]:
        if part is None:
            return Template(), Template(text_types=(0, 0))
        if isinstance(part, dict) and part.get("type") == "BertProcessing":
            self.known(part, ("type", "sep", "cls"), "post_processor")
            sep, cls = (self._token_and_id(part.get(key), key) for key in ("sep", "cls"))
            pair = Template(((cls, 0),), ((sep, 0),), ((sep, 1),), (0, 1))
            return Template(((cls, 0),), (), ((sep, 0),)), pair
        self.typed(part, "TemplateProcessing", ("single", "pair", "special_tokens"), "post_processor")
        tokens = self.value(part, "special_tokens", dict, "post_processor")
        return self._template(part, "single", "A", tokens), self._template(part, "pair", "AB", tokens)

    def _token_and_id(self, entry: Any, key: str) -> int:
        if not isinstance(entry, list) or len(entry) != 2:
            self.wrong(f"{key} of post_processor is {entry!r}: it must be a token and its id")
        return int(self.value({"id": entry[1]}, "id", int, f"{key} of post_processor"))

    def _template(self, part: Mapping[str, Any], key: str, texts: str, tokens: Mapping[str, Any]) -> Template:
        where = f"{key} of post_processor"
        groups: list[list[tuple[int, int]]] = [[]]
        types, found = [], ""
        for item in self.value(part, key, list, "post_processor"):
            kind, content = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else (None, None)
            if kind not in ("Sequence", "SpecialToken"):
                self.wrong(f"{where} has the item {item!r}: it must be a Sequence or a SpecialToken")
            self.known(content, ("id", "type_id"), where)
            type_id = self.value(content, "type_id", int, where)
            if kind == "Sequence":
                found += self.value(content, "id", str, where)
                types.append(type_id)
                groups.append([])
            else:
                ids = self._ids_of_special(tokens, self.value(content, "id", str, where))
                groups[-1].extend((id, type_id) for id in ids)  # noqa: A001
        if found != texts:
            self.refuse(f"the order of texts {found!r} in {where}", f"the order {texts!r}")
        before, *between, after = map(tuple, groups)
        return Template(before, between[0] if between else (), after, tuple(types))

    def _ids_of_special(self, tokens: Mapping[str, Any], token: str) -> list[int]:
        entry = self.known(tokens.get(token), ("id", "ids", "tokens"), f"the special token {token!r}")
        ids = self.value(entry, "ids", list, f"the special token {token!r}")
        return [int(self.value({"id": id}, "id", int, f"the special token {token!r}")) for id in ids]  # noqa: A001

    def truncation(self, part: Any) -> Mapping[str, Any] | None:
        if part is None:
            return None
        self.known(part, ("direction", "max_length", "strategy", "stride"), "truncation")
        self._only(part, "truncation", {"direction": ("Right", None), "strategy": ("LongestFirst",), "stride": (0,)})
        self.value(part, "max_length", int, "truncation")
        return dict(part)

    def padding(self, part: Any) -> Mapping[str, Any] | None:
        if part is None:
            return None
        self.known(part, _PADDING, "padding")
        self._only(part, "padding", {"direction": ("Right", "Left")})
        checks: dict[str, Callable[[Any], bool]] = {
            "strategy": lambda s: s == "BatchLongest" or (isinstance(s, dict) and list(s) == ["Fixed"]),
            "pad_to_multiple_of": lambda n: n is None or (isinstance(n, int) and n > 0),
        }
        for key, allowed in checks.items():
            if not allowed(part.get(key)):
                self.refuse(f"{key} {part.get(key)!r} of padding", "BatchLongest, Fixed, or a positive multiple")
        for key, kind in (("pad_id", int), ("pad_type_id", int), ("pad_token", str)):
            self.value(part, key, kind, "padding")
        return dict(part)

    def _only(self, part: Mapping[str, Any], where: str, allowed: Mapping[str, tuple[Any, ...]]) -> None:
        for key, values in allowed.items():
            if part.get(key) not in values:
                self.refuse(f"{key} {part.get(key)!r} of {where}", " or ".join(map(repr, values)))
