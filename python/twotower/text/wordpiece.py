"""WordPiece, the subword tokenizer of BERT: files and options here, the text in C++."""

import json
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Self, SupportsIndex

import numpy as np

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.native import NativeTemplate, NativeWordPiece, SpanUnit
from twotower.text.train_wordpiece import train_document
from twotower.text.wordpiece_batch import TokenBatch
from twotower.text.wordpiece_document import Template, WordPieceConfig, parse_document
from twotower.text.wordpiece_file import SPECIAL_TOKENS, read_config, write_document
from twotower.text.wordpiece_texts import Texts, native_texts

# Written without a space before them by the decoder's "cleanup", in this order.
_CLEANUP = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" do not", " don't"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


class WordPiece:
    r"""Cuts text into the subword tokens of a BERT vocabulary.

    Ids, spans and decoded text are those of the `tokenizers` package (0.23.3) for the same file. Made by `from_file`. Safe
    to share between threads; works without the GIL. The pieces of whole words that it has met are cached (a million
    words, at most 80 MiB), for all threads together.

    Notes
    -----
    Linear in the bytes of any text: longest match first by a trie with failure links (X. Song et al., "Fast WordPiece
    Tokenization", EMNLP 2021, arXiv 2012.15524, sections 3 and 4).

    Examples
    --------
    >>> import tempfile, pathlib
    >>> vocabulary = pathlib.Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> _ = vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "sweet", "love", "##ly", "!"]))
    >>> tokenizer = WordPiece.from_file(vocabulary)
    >>> tokenizer.encode("Sweet lovely SORROW!")
    [2, 4, 5, 6, 1, 7, 3]
    >>> tokenizer.decode([2, 4, 5, 6, 1, 7, 3])
    'sweet lovely!'
    >>> batch = tokenizer.encode_batch(["sweet", "", "lovely"], threads=1)
    >>> batch.ids, batch.offsets
    (array([2, 4, 3, 2, 3, 2, 5, 6, 3], dtype=int32), array([0, 3, 5, 9]))
    """

    def __init__(self, config: WordPieceConfig) -> None:
        self._config = config
        vocabulary = config.vocabulary
        added = [(token.content, token.id, token.lstrip, token.rstrip) for token in config.added]
        self._native = NativeWordPiece(
            tokens=tuple(vocabulary),
            ids=np.fromiter(vocabulary.values(), np.int32, len(vocabulary)),
            added=added,
            clean_text=config.clean_text,
            handle_chinese_chars=config.handle_chinese_chars,
            strip_accents=config.strip_accents,
            lowercase=config.lowercase,
            unk_token=config.unk_token,
            prefix=config.prefix,
            max_input_chars_per_word=config.max_input_chars_per_word,
        )
        self._ids = {**vocabulary, **{token.content: token.id for token in config.added}}
        self._tokens = {number: token for token, number in self._ids.items()}
        self._special = frozenset(token.id for token in config.added if token.special)

    @classmethod
    def from_file(cls, path: str | PathLike[str], lowercase: bool | None = None) -> Self:
        """Read a ``tokenizer.json`` (Hugging Face format; the name ends in .json) or a ``vocab.txt``.

        Parameters
        ----------
        path : path
            A vocab.txt has one token a line, the first with id 0, and stands for BERT's own settings.
        lowercase : bool, optional
            Only for a vocab.txt: whether text is lower-cased and loses its accents. By default it is, unless the
            vocabulary has words with capitals.

        Raises
        ------
        FileError
            If the file cannot be read.
        DataFormatError
            If it is malformed, or asks for something that twotower does not do; the message names what.
        InvalidInputError
            If a token is too long (1,000 bytes), an id comes twice, or `lowercase` is given for a tokenizer.json.

        Notes
        -----
        The truncation and padding that a tokenizer.json may hold are kept as `truncation` and `padding`, and are saved
        again. As in the `transformers` package, a call cuts and pads only if it says so itself.
        """
        return cls(read_config(path, lowercase))

    @classmethod
    def train(
        cls,
        texts: Iterable[str] | Texts,
        vocabulary_size: int = 30522,
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        special_tokens: Sequence[str] = SPECIAL_TOKENS,
        min_frequency: int = 2,
        limit_alphabet: int = 1000,
        max_token_length: int = 100,
        candidates: float = 2.0,
        max_words: int = 20_000_000,
        threads: int = 0,
        progress: bool | None = None,
    ) -> Self:
        """Learn a vocabulary from texts.

        The result depends on the words and their counts alone: not on the order of the texts, the number of threads or
        the machine.

        Parameters
        ----------
        texts : iterable of str, NumPy array of str, Arrow column, or (bytes, offsets)
            A stream is read once, in batches, and not kept; columns as `encode_batch` takes them.
        vocabulary_size : int
            Number of tokens, special ones included. There are fewer if no pair is left that comes `min_frequency` times.
        lowercase : bool
            Whether texts are lower-cased, in training and by the tokenizer that comes out.
        strip_accents : bool, optional
            Whether they lose their accents. By default they do if they are lower-cased.
        special_tokens : sequence of str
            They get the first ids, in this order, and are cut out of texts before anything else, in training as in
            `encode`. [UNK], [CLS] and [SEP] are needed.
        min_frequency : int, at least 1
            How often a pair of neighbours must come to become a token.
        limit_alphabet : int
            Most characters that become tokens: the most frequent. Words with others are left out, and are [UNK].
        max_token_length : int
            Longest token, in characters.
        candidates : float, 1 to 100
            So many times `vocabulary_size` tokens are learnt; then those are dropped that the tokenizer misses least. 1
            drops none: plain BPE, as the trainer of `tokenizers`. More than 2 or 3 gains nothing.
        max_words : int
            Most distinct words; more are an error, for none is dropped in silence. Memory is about 150 bytes a word.
        threads : int
            0 means every core.
        progress : bool, optional
            Whether to show bars on standard error. By default on a terminal only.

        Raises
        ------
        InputTypeError
            If an argument or a text has a wrong type; the message names the number of the text.
        InvalidInputError
            If a text has a lone surrogate or is malformed UTF-8 (with its number), if there is no word, if
            `vocabulary_size` is below special tokens and alphabet (with both), if a special token comes twice or is
            missing, or if there are more than `max_words` words.

        Notes
        -----
        Merges of the most frequent pair (R. Sennrich et al., ACL 2016, section 3.2), ties by the smaller ids; then rounds
        of dropping by use, since longest-match-first uses other tokens than the merges made. On held-out text that takes
        1 to 5 % fewer tokens than merges alone (docs/decisions/vocabulary_training.md).

        Examples
        --------
        >>> texts = ["sweet love", "lovely sweetness", "sweetly loved", "love is sweet"]
        >>> tokenizer = WordPiece.train(texts, vocabulary_size=35)
        >>> [tokenizer.id_to_token(number) for number in tokenizer.encode("Sweetest love")]
        ['[CLS]', 'sweet', '##e', '##s', '##t', 'love', '[SEP]']
        """
        return cls(
            parse_document(
                train_document(
                    texts,
                    vocabulary_size,
                    lowercase,
                    strip_accents,
                    special_tokens,
                    min_frequency,
                    limit_alphabet,
                    max_token_length,
                    candidates,
                    max_words,
                    threads,
                    progress,
                ),
                "the trained tokenizer",
            )
        )

    def to_file(self, path: str | PathLike[str]) -> None:
        """Write a tokenizer.json that `from_file` and the `tokenizers` package read.

        Raises
        ------
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
            Put in what the file's post-processor says: [CLS] A [SEP] B [SEP] for BERT.
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
            template = Template(text_types=(0, 1))
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
        """
        config = self._config
        tokens = [self.id_to_token(number) for number in ids if not (skip_special_tokens and number in self._special)]
        if config.decoder_prefix is None:
            return " ".join(tokens)
        parts = []
        for i, token in enumerate(tokens):
            if i > 0:
                token = (
                    token.removeprefix(config.decoder_prefix)
                    if token.startswith(config.decoder_prefix)
                    else f" {token}"
                )
            if config.decoder_cleanup:
                for ugly, clean in _CLEANUP:
                    token = token.replace(ugly, clean)
            parts.append(token)
        return "".join(parts)

    @property
    def vocab_size(self) -> int:
        """Number of tokens, added ones included."""
        return len(self._ids)

    @property
    def n_ids(self) -> int:
        """One more than the largest id: the rows of a table with one for every id, though ids may have gaps."""
        return 1 + max(self._tokens)

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
            return {"id": self.token_to_id("[PAD]"), "type_id": 0, "side": "right"}
        return {"id": padding["pad_id"], "type_id": padding["pad_type_id"], "side": padding["direction"].lower()}

    def __repr__(self) -> str:
        return f"WordPiece({self.vocab_size} tokens, lowercase={self._config.lowercase})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_json, (json.dumps(self._config.document),)


def _from_json(text: str) -> WordPiece:
    return WordPiece(parse_document(json.loads(text), "the pickled tokenizer"))


def _check_count(name: str, value: int | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise InputTypeError(f"{name} is of type {type(value).__name__}: it must be an integer")
    if int(value) < 0:
        raise InvalidInputError(f"{name} is {value}: it must be at least 0")
