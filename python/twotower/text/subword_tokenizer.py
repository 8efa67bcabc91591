"""What every subword tokenizer does: batches, ids, files. Knows no rule of tokenization; the text is read in C++."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar, Literal, Self, SupportsIndex

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.native import NativeTemplate, SpanUnit
from twotower.text.text_columns import Texts, native_texts
from twotower.text.token_batch import TokenBatch
from twotower.text.tokenizer_config import Template, TokenizerConfig
from twotower.text.tokenizer_file import write_document

_MAX_COUNT = 2**31


class SubwordTokenizer(ABC):
    """Cuts text into tokens of a vocabulary. Made by `from_file` of its kinds, `WordPiece` and `BPE`."""

    _PADDING_TOKENS: ClassVar[tuple[str, ...]]  # what the padding token may be called where the file does not say it
    _bare_types: tuple[int, int] = (0, 1)  # of the texts of a pair without special tokens
    _config: TokenizerConfig
    _native: Any

    def __init__(self, config: TokenizerConfig, native: Any) -> None:
        self._config = config
        self._native = native
        self._ids = {**config.vocabulary, **{token.content: token.id for token in config.added}}
        self._tokens = {number: token for token, number in self._ids.items()}
        self._special = frozenset(token.id for token in config.added if token.special)

    @classmethod
    @abstractmethod
    def _from_document(cls, document: Any, name: str) -> Self: ...

    @abstractmethod
    def _text_of(self, tokens: Sequence[str]) -> str: ...

    def to_file(self, path: str | PathLike[str]) -> None:
        """Write a tokenizer.json that `from_file` and the `tokenizers` package read.

        Raises
        ------
        InvalidInputError
            If the name does not end in .json, by which `from_file` knows the format.
        FileError
            If the system refuses. The file is written in one step: a kill leaves the old one or the new one.
        """
        write_document(self._config.document, path)

    def encode(
        self, text: str, pair: str | None = None, max_length: int | None = None, add_special_tokens: bool = True
    ) -> list[int]:
        """Return the ids of one text, or of a pair of texts; the arguments are those of `encode_batch`.

        Raises
        ------
        InputTypeError
            If a text is no str.
        InvalidInputError
            If a text has a lone surrogate, or `max_length` has no room for the special tokens.
        """
        for name, value in (("text", text), ("pair", pair)):
            if not isinstance(value, str) and (name == "text" or value is not None):
                raise InputTypeError(f"{name} is of type {type(value).__name__}: it must be a str")
        pairs = None if pair is None else [pair]
        batch = self.encode_batch([text], max_length, pairs, add_special_tokens, threads=1)
        ids: list[int] = batch.ids.tolist()
        return ids

    def encode_batch(
        self,
        texts: Texts,
        max_length: int | None = None,
        pairs: Texts | None = None,
        add_special_tokens: bool = True,
        threads: int = 0,
        spans: Literal["char", "byte"] | None = None,
    ) -> TokenBatch:
        r"""Return the tokens of many texts.

        Parameters
        ----------
        texts : sequence of str, NumPy array of str, Arrow column, or (bytes, offsets)
            An Arrow column of strings (pyarrow, polars, pandas; anything with ``__arrow_c_array__`` or
            ``__arrow_c_stream__``) and bytes are read where they are. Text n of (bytes, offsets) is
            ``bytes[offsets[n]:offsets[n + 1]]`` in UTF-8.
        max_length : int, optional
            Most tokens of a text or pair, special tokens included. The last tokens go; of a pair those of the longer
            text first, until both are half of what there is room for.
        pairs : as `texts`, optional
            The second text of each pair.
        add_special_tokens : bool
            Put in what the file's post-processor says: [CLS] A [SEP] B [SEP] for BERT, <s> A </s></s> B </s> for RoBERTa.
        threads : int
            0 means every core. The result is the same for any number.
        spans : {"char", "byte"}, optional
            Also return where each token stands in its text, in characters or in bytes of UTF-8. Slower: the cache of
            words does not know it.

        Returns
        -------
        TokenBatch
            ``ids`` int32 [T], ``offsets`` int64 [N + 1], ``spans`` int32 [T, 2] or None, and matrices by ``padded()``.

        Raises
        ------
        InputTypeError
            If `texts` is no such column, or a text is no str; the message names its number and type.
        InvalidInputError
            If a text has a lone surrogate, is malformed UTF-8, null, or of 2 GiB or more; the message names its number
            and the place. If there are not as many pairs as texts, or `max_length` has no room for the special tokens.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> vocabulary = pathlib.Path(tempfile.mkdtemp()) / "vocab.txt"
        >>> _ = vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "sweet", "love", "##ly"]))
        >>> from twotower import WordPiece
        >>> batch = WordPiece.from_file(vocabulary).encode_batch(["Lovely!"], pairs=["sweet"], spans="char")
        >>> batch.ids, batch.spans.tolist(), batch.type_ids.tolist()
        (array([2, 5, 6, 1, 3, 4, 3], dtype=int32), [[0, 0], [0, 4], [4, 6], [6, 7], [0, 0], [0, 5], [0, 0]], [0, 0, 0, 0, 0, 1, 1])
        """
        _check_count("max_length", max_length)
        _check_count("threads", threads)
        if spans not in (None, "char", "byte"):
            raise InvalidInputError(f'spans is {spans!r}: it must be "char", "byte" or None')
        views = native_texts(texts, "text")
        pair_views: Any = None if pairs is None else native_texts(pairs, "pair")
        template = self._config.single if pairs is None else self._config.pair
        if not add_special_tokens:
            template = Template(text_types=self._bare_types)
        around = NativeTemplate(
            *([token for token, _ in part] for part in (template.before, template.between, template.after))
        )
        unit = {None: SpanUnit.NONE, "byte": SpanUnit.BYTE, "char": SpanUnit.CHAR}[spans]
        ids, offsets, n_first, found = self._native.encode(views, pair_views, around, max_length, unit, threads)
        return TokenBatch(ids, offsets, found, template, n_first, self._pad())

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        """Return text for ids, as the decoder of the file writes it. What normalisation took away does not come back.

        Raises
        ------
        InvalidInputError
            If no token has an id.
        InputTypeError
            If `ids` is no sequence, or an id is no integer.
        """
        if isinstance(ids, (str, bytes)) or not isinstance(ids, Iterable):
            raise InputTypeError(f"ids is of type {type(ids).__name__}: give a list or an array of integers")
        return self._text_of(
            [self.id_to_token(number) for number in ids if not (skip_special_tokens and number in self._special)]
        )

    @property
    def vocab_size(self) -> int:
        """Number of tokens, added ones included."""
        return len(self._ids)

    @property
    def n_ids(self) -> int:
        """One more than the largest id: the rows of a table with one for every id, though ids may have gaps."""
        return 1 + max(self._tokens, default=-1)

    def token_to_id(self, token: str) -> int | None:
        """Return the id of a token, None if there is no such token."""
        return self._ids.get(token)

    def id_to_token(self, id: int) -> str:  # noqa: A002
        """Return the token of an id.

        Raises
        ------
        InvalidInputError
            If no token has it.
        InputTypeError
            If it is no integer.
        """
        if not isinstance(id, SupportsIndex):
            raise InputTypeError(f"id is of type {type(id).__name__}: it must be an integer")
        token = self._tokens.get(int(id))
        if token is None:
            raise InvalidInputError(f"no token has id {id}: the {self.vocab_size} ids go up to {max(self._tokens)}")
        return token

    @property
    def truncation(self) -> Mapping[str, Any] | None:
        """What the tokenizer.json says about truncation; a call does it only by its own `max_length`."""
        return self._config.truncation

    @property
    def padding(self) -> Mapping[str, Any] | None:
        """What the tokenizer.json says about padding; `TokenBatch.padded` takes its token, type id and side from it."""
        return self._config.padding

    def _pad(self) -> dict[str, Any]:
        padding = self._config.padding
        if padding is None:
            known = [token for token in self._PADDING_TOKENS if token in self._ids]
            token = known[0] if known else self._PADDING_TOKENS[0]
            return {"id": self.token_to_id(token), "token": token, "type_id": 0, "side": "right"}
        return {
            "id": padding["pad_id"],
            "token": padding["pad_token"],
            "type_id": padding["pad_type_id"],
            "side": padding["direction"].lower(),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_json, (type(self), json.dumps(self._config.document))


def _from_json(kind: type[SubwordTokenizer], text: str) -> SubwordTokenizer:
    return kind._from_document(json.loads(text), "the pickled tokenizer")


def _check_count(name: str, value: int | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise InputTypeError(f"{name} is of type {type(value).__name__}: it must be an integer")
    if int(value) < 0:
        raise InvalidInputError(f"{name} is {value}: it must be at least 0")
    if int(value) >= _MAX_COUNT:
        raise InvalidInputError(f"{name} is {value}: it must be below 2^31")
