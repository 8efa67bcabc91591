"""Byte-level BPE, the subword tokenizer of GPT-2, RoBERTa and ModernBERT: files and options here, the text in C++."""

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np

from twotower.text.bpe_document import BPEConfig, parse_document
from twotower.text.native import NativeBPE, compose
from twotower.text.subword_tokenizer import SubwordTokenizer
from twotower.text.text_columns import Texts
from twotower.text.tokenizer_file import checked_path, parse_json, read_text
from twotower.text.train_bpe import SPECIAL_TOKENS, Split, train_document

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_STAND_INS = {chr(0x100 + n): byte for n, byte in enumerate(sorted(set(range(256)) - set(_PRINTABLE)))}
BYTE_OF = {chr(byte): byte for byte in _PRINTABLE} | _STAND_INS
"""GPT-2's alphabet: the byte for which a character of a token stands."""


class BPE(SubwordTokenizer):
    """Cuts text into the tokens of a byte-level BPE vocabulary.

    Ids, spans and decoded text are those of the `tokenizers` package (0.23.3) for the same file. Made by `from_file` or `train`. Safe
    to share between threads; works without the GIL. The tokens of whole words that it has met are cached (a million
    words, at most 80 MiB), for all threads together.

    Notes
    -----
    Of the pairs of neighbours inside a word, the one whose merge comes first in the file is merged, the leftmost of
    equals, until none can be (R. Sennrich et al., ACL 2016, arXiv 1508.07909; on bytes: A. Radford et al., 2019).

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> from twotower.text.bpe import BYTE_OF
    >>> vocabulary = {char: byte for char, byte in sorted(BYTE_OF.items(), key=lambda item: item[1])}
    >>> merges = ["l o", "v e", "lo ve", "Ġ love"]
    >>> vocabulary |= {merge.replace(" ", ""): 256 + n for n, merge in enumerate(merges)}
    >>> byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "tokenizer.json"
    >>> model = {"type": "BPE", "vocab": vocabulary, "merges": merges}
    >>> _ = file.write_text(json.dumps({"pre_tokenizer": byte_level, "decoder": byte_level, "model": model}))
    >>> tokenizer = BPE.from_file(file)
    >>> tokenizer.encode("love loves")
    [258, 259, 115]
    >>> tokenizer.decode([258, 259, 115])
    'love loves'
    """

    _PADDING_TOKENS = ("<pad>", "[PAD]")
    _config: BPEConfig

    def __init__(self, config: BPEConfig) -> None:
        vocabulary = config.vocabulary
        native = NativeBPE(
            tokens=tuple(vocabulary),
            ids=np.fromiter(vocabulary.values(), np.int32, len(vocabulary)),
            merges=config.merges,
            added=[(token.content, token.id, token.lstrip, token.rstrip, token.normalized) for token in config.added],
            rule=config.rule,
            nfc=config.nfc,
            add_prefix_space=config.add_prefix_space,
            ignore_merges=config.ignore_merges,
            trim_spans=config.trim_spans,
            trim_keeps_first=config.trim_keeps_first,
        )
        super().__init__(config, native)
        self._bare_types = config.bare_types
        if config.nfc:  # the `tokenizers` package names them by what it looks for
            self._tokens |= {token.id: compose(token.content) for token in config.added if token.normalized}

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """Read a ``tokenizer.json`` (Hugging Face format) of byte-level BPE.

        Raises
        ------
        FileError
            If the file cannot be read.
        DataFormatError
            If it is malformed, or asks for something that twotower does not do; the message names what.
        InvalidInputError
            If a token is too long (1,000 bytes), an id comes twice, or a byte has no token.

        Notes
        -----
        The truncation and padding that the file may hold are kept as `truncation` and `padding`, and are saved again. As
        in the `transformers` package, a call cuts and pads only if it says so itself.
        """
        name = str(checked_path(path))
        return cls(parse_document(parse_json(read_text(path), name), name))

    @classmethod
    def train(
        cls,
        texts: Iterable[str] | Texts,
        vocabulary_size: int = 50265,
        *,
        special_tokens: Sequence[str] = SPECIAL_TOKENS,
        split: Split = "gpt2",
        add_prefix_space: bool = False,
        nfc: bool = False,
        min_frequency: int = 2,
        max_token_length: int = 100,
        max_words: int = 20_000_000,
        threads: int = 0,
        progress: bool | None = None,
    ) -> Self:
        """Learn a vocabulary and its merges from texts.

        The result depends on the words and their counts alone: not on the order of the texts, the number of threads or
        the machine.

        Parameters
        ----------
        texts : iterable of str, NumPy array of str, Arrow column, or (bytes, offsets)
            A stream is read once, in batches, and not kept; columns as `encode_batch` takes them.
        vocabulary_size : int
            Number of tokens: special ones, one for each of 256 bytes, and one for each merge. There are fewer if no pair is
            left that comes `min_frequency` times.
        special_tokens : sequence of str
            They get the first ids, in this order, and are cut out of texts before anything else, in training as in
            `encode`. With <s> and </s> among them, texts are encoded as RoBERTa does: <s> A </s>, and <s> A </s></s> B
            </s>; else nothing is put around them.
        split : {"gpt2", "gpt4", "gpt4-one-digit"}
            How text is cut into words: as GPT-2 and RoBERTa, as GPT-4 and Llama 3, or as Qwen 2.
        add_prefix_space : bool
            Whether text that begins with no space gets one, so that its first word is like others. With "gpt2" alone.
        nfc : bool
            Whether text is composed first (Unicode normalisation form C), as in ModernBERT.
        min_frequency : int, at least 1
            How often a pair of neighbours must come to become a token.
        max_token_length : int, at most 500
            Longest token, in bytes.
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
            `vocabulary_size` is below special tokens and bytes (with both), if a special token comes twice, or if there are
            more than `max_words` words.

        Notes
        -----
        R. Sennrich et al., ACL 2016, section 3.2. A pair counts as often as it can be merged ("aaa" has one pair of a's);
        ties go by the smaller ids (docs/decisions/vocabulary_training.md).

        Examples
        --------
        >>> tokenizer = BPE.train(["sweet love", "lovely sweetness", "sweetly loved"], vocabulary_size=268)
        >>> [tokenizer.id_to_token(number) for number in tokenizer.encode("love, lovely love")]
        ['<s>', 'love', ',', 'Ġ', 'love', 'l', 'y', 'Ġ', 'love', '</s>']
        """
        document = train_document(
            texts,
            vocabulary_size,
            special_tokens,
            split,
            add_prefix_space,
            nfc,
            min_frequency,
            max_token_length,
            max_words,
            threads,
            progress,
        )
        return cls(parse_document(document, "the trained tokenizer"))

    @classmethod
    def _from_document(cls, document: Any, name: str) -> Self:
        return cls(parse_document(document, name))

    def _text_of(self, tokens: Sequence[str]) -> str:
        if not self._config.decodes_bytes:
            return " ".join(tokens)
        return b"".join(map(_bytes_of, tokens)).decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"BPE({self.vocab_size} tokens, {len(self._config.merges)} merges)"


def _bytes_of(token: str) -> bytes:
    """Return the bytes that a token stands for; its UTF-8 if a character is not in the alphabet, as in added tokens."""
    try:
        return bytes([BYTE_OF[char] for char in token])
    except KeyError:
        return token.encode()
