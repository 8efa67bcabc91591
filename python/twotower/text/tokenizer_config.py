"""What the file of a tokenizer says, in checked form: added tokens, templates, all of it. Knows no JSON and no file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Added:
    """An entry of `added_tokens`: a token that is found in raw text, or in normalised text."""

    content: str
    id: int
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False


@dataclass(frozen=True)
class Template:
    """What stands around the tokens of one text, or of a pair: ids with their type ids, and the type ids of the texts."""

    before: tuple[tuple[int, int], ...] = ()
    between: tuple[tuple[int, int], ...] = ()
    after: tuple[tuple[int, int], ...] = ()
    text_types: tuple[int, ...] = (0,)


@dataclass(frozen=True, kw_only=True)
class TokenizerConfig:
    """What the file of any tokenizer says; `document` is that file, `truncation` and `padding` are as they stand there."""

    vocabulary: Mapping[str, int]
    added: tuple[Added, ...]
    single: Template
    pair: Template
    truncation: Mapping[str, Any] | None
    padding: Mapping[str, Any] | None
    document: Mapping[str, Any] = field(repr=False)
