"""What every tokenizer.json (Hugging Face format) has in common, checked field by field. Knows no files and no text.

What it asks for and twotower does not do is refused by name; nothing in it is skipped.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from twotower.errors import DataFormatError
from twotower.text.tokenizer_config import Added, Template

_TOP = (
    "version",
    "truncation",
    "padding",
    "added_tokens",
    "normalizer",
    "pre_tokenizer",
    "post_processor",
    "decoder",
    "model",
)
_ADDED = ("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
_PADDING = ("strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token")


class DocumentReader:
    """Checks the parts of one file; every message begins with the file's name."""

    normalized_added = False
    """Whether added tokens may be looked for in normalised text."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ids: Mapping[str, int] = {}

    def top(self, document: Any) -> None:
        """Check the names of the parts, the version, and that all texts are Unicode."""
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            self._refuse_surrogates(document, "the file")
        self.known(document, _TOP, "the file")
        if document.get("version", "1.0") != "1.0":
            self.refuse(f"version {document['version']!r}", 'version "1.0"')

    def refuse(self, came: str, allowed: str) -> NoReturn:
        """Raise: the file asks for what is not done."""
        raise DataFormatError(f"{self._name}: {came} is not supported; twotower reads {allowed}")

    def wrong(self, what: str) -> NoReturn:
        """Raise: the file is malformed."""
        raise DataFormatError(f"{self._name}: {what}")

    def _refuse_surrogates(self, part: Any, where: str) -> None:
        if isinstance(part, str) and any("\ud800" <= char <= "\udfff" for char in part):
            self.wrong(f"{where} has the text {part!r} with a lone surrogate: give Unicode text")
        if isinstance(part, dict):
            for key, value in part.items():
                self._refuse_surrogates(key, where)
                self._refuse_surrogates(value, key)
        elif isinstance(part, list):
            for value in part:
                self._refuse_surrogates(value, where)

    def known(self, part: Any, keys: Sequence[str], where: str) -> Any:
        """Return an object that has no other fields than `keys`."""
        if not isinstance(part, dict):
            self.wrong(f"{where} is {type(part).__name__}: it must be an object")
        for key in part:
            if key not in keys:
                self.refuse(f"the field {key!r} of {where}", f"there: {', '.join(keys)}")
        return part

    def typed(self, part: Any, kind: str, keys: Sequence[str], where: str) -> Any:
        """Return an object of a type that has no other fields than `keys`."""
        came = part.get("type") if isinstance(part, dict) else part
        if came != kind:
            self.refuse(f"{where} {came!r}", kind)
        return self.known(part, ("type", *keys), where)

    def value(self, part: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
        """Return a field of a type."""
        value: Any = part.get(key)
        if type(value).__name__ != kind.__name__ or (kind is int and not 0 <= value < 2**31):  # True is no integer
            expected = "an integer from 0 to 2^31 - 1" if kind is int else f"of type {kind.__name__}"
            self.wrong(f"{key} of {where} is {value!r}: it must be {expected}")
        return value

    def model(self, document: Mapping[str, Any], kind: str, keys: Sequence[str]) -> tuple[Any, dict[str, int]]:
        """Return the model, which in older files does not say its type, and its vocabulary."""
        model = document.get("model")
        if isinstance(model, dict):
            model = {"type": kind, **model}
        model = self.typed(model, kind, keys, "model")
        vocabulary: dict[str, int] = self.value(model, "vocab", dict, "model")
        for token in vocabulary:
            self.value(vocabulary, token, int, "the vocabulary")
        return model, vocabulary

    def parts(self, part: Any, key: str, where: str) -> list[Any] | None:
        """Return the steps of a Sequence, which are its field `key`; None if it is something else."""
        if not isinstance(part, dict) or part.get("type") != "Sequence":
            return None
        steps: list[Any] = self.value(self.known(part, ("type", key), where), key, list, where)
        return steps

    def added_tokens(self, added: Any, vocabulary: Mapping[str, int]) -> tuple[Added, ...]:
        """Return the added tokens; `post_processor` knows them and the vocabulary from then on.

        A token that the vocabulary lacks must have the id that the `tokenizers` package counts for it.
        """
        if added is None:
            added = []
        if not isinstance(added, list):
            self.wrong("added_tokens is no list")
        tokens: list[Added] = []
        content_of_id = {number: token for token, number in vocabulary.items()}
        for entry in added:
            self.known(entry, _ADDED, "an added token")
            content = self.value(entry, "content", str, "an added token")
            where = f"the added token {content!r}"
            flags = {key: self.value(entry, key, bool, where) for key in _ADDED[2:]}
            for key in ("single_word", "normalized"):
                if flags[key] and not (key == "normalized" and self.normalized_added):
                    self.refuse(f"{key} = true of {where}", f"added tokens with {key} = false")
            number = self.value(entry, "id", int, where)
            if vocabulary.get(content, number) != number or content_of_id.setdefault(number, content) != content:
                self.wrong(f"{where} has id {number}, but the vocabulary has {content_of_id.get(number)!r} there")
            if content not in vocabulary:
                self._check_next_id(where, number, len(vocabulary), [token.id for token in tokens])
            tokens.append(
                Added(content, number, *(flags[key] for key in ("special", "lstrip", "rstrip", "normalized")))
            )
        if len({token.content for token in tokens}) != len(tokens):
            self.wrong("an added token comes twice")
        self._ids = {**vocabulary, **{token.content: token.id for token in tokens}}
        return tuple(tokens)

    def _check_next_id(self, where: str, number: int, size: int, before: Sequence[int]) -> None:
        expected = max([size, *(past + 1 for past in before)])
        if number != expected:
            self.wrong(f"{where} has id {number}, but it is not in the vocabulary: the next free id is {expected}")

    def _check_id(self, token: Any, number: int, where: str) -> None:
        if not isinstance(token, str) or self._ids.get(token) != number:
            has = f"has id {self._ids[token]}" if isinstance(token, str) and token in self._ids else "is no token"
            self.wrong(f"{where} has id {number} for {token!r}, which {has}")

    def post_processor(self, part: Any) -> tuple[Template, Template]:
        """Return what goes around a text, and around a pair."""
        if part is None:
            return Template(), Template(text_types=(0, 1))
        if isinstance(part, dict) and part.get("type") == "BertProcessing":
            cls, sep = self.cls_and_sep(part)
            return Template((cls,), (), (sep,)), Template((cls,), (sep,), ((sep[0], 1),), (0, 1))
        self.typed(part, "TemplateProcessing", ("single", "pair", "special_tokens"), "post_processor")
        tokens = self.value(part, "special_tokens", dict, "post_processor")
        return self._template(part, "single", "A", tokens), self._template(part, "pair", "AB", tokens)

    def cls_and_sep(self, part: Mapping[str, Any], *more: str) -> list[tuple[int, int]]:
        """Return the ids and types of the two tokens of BertProcessing, or of one with `more` fields."""
        self.known(part, ("type", "sep", "cls", *more), "post_processor")
        return [(self._token_and_id(part.get(key), key), 0) for key in ("cls", "sep")]

    def _token_and_id(self, entry: Any, key: str) -> int:
        if not isinstance(entry, list) or len(entry) != 2:
            self.wrong(f"{key} of post_processor is {entry!r}: it must be a token and its id")
        number = int(self.value({"id": entry[1]}, "id", int, f"{key} of post_processor"))
        self._check_id(entry[0], number, f"{key} of post_processor")
        return number

    def _template(self, part: Mapping[str, Any], key: str, texts: str, tokens: Mapping[str, Any]) -> Template:
        where = f"{key} of post_processor"
        groups: list[list[tuple[int, int]]] = [[]]
        types, found = [], ""
        for item in self.value(part, key, list, "post_processor"):
            single = isinstance(item, dict) and len(item) == 1
            kind, content = next(iter(item.items())) if single else ("", {})
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
                groups[-1].extend((number, type_id) for number in ids)
        if found != texts:
            self.refuse(f"the order of texts {found!r} in {where}", f"the order {texts!r}")
        before, *between, after = map(tuple, groups)
        return Template(before, between[0] if between else (), after, tuple(types))

    def _ids_of_special(self, tokens: Mapping[str, Any], token: str) -> list[int]:
        where = f"the special token {token!r}"
        entry = self.known(tokens.get(token), ("id", "ids", "tokens"), where)
        ids = [int(self.value({"id": number}, "id", int, where)) for number in self.value(entry, "ids", list, where)]
        names = self.value(entry, "tokens", list, where)
        if len(names) != len(ids):
            self.wrong(f"{where} of post_processor has {len(ids)} ids and {len(names)} tokens")
        for name, number in zip(names, ids, strict=True):
            self._check_id(name, number, f"{where} of post_processor")
        return ids

    def truncation(self, part: Any) -> Mapping[str, Any] | None:
        """Return the truncation as it is."""
        if part is None:
            return None
        self.known(part, ("direction", "max_length", "strategy", "stride"), "truncation")
        self.only(part, "truncation", {"direction": ("Right", None), "strategy": ("LongestFirst",), "stride": (0,)})
        self.value(part, "max_length", int, "truncation")
        return dict(part)

    def padding(self, part: Any) -> Mapping[str, Any] | None:
        """Return the padding as it is."""
        if part is None:
            return None
        self.known(part, _PADDING, "padding")
        self.only(part, "padding", {"direction": ("Right", "Left")})
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

    def only(self, part: Mapping[str, Any], where: str, allowed: Mapping[str, tuple[Any, ...]]) -> None:
        """Refuse other values than `allowed` names for each field."""
        for key, values in allowed.items():
            if not any(type(part.get(key)) is type(value) and part.get(key) == value for value in values):
                self.refuse(f"{key} {part.get(key)!r} of {where}", " or ".join(map(repr, values)))
