"""WordPiece, the subword tokenizer of BERT: files and options here, the text in C++."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Self

import numpy as np

from twotower.text.native import NativeWordPiece
from twotower.text.subword_tokenizer import SubwordTokenizer
from twotower.text.wordpiece_document import WordPieceConfig, parse_document
from twotower.text.wordpiece_file import read_config

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


class WordPiece(SubwordTokenizer):
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

    _PADDING_TOKENS = ("[PAD]",)
    _config: WordPieceConfig

    def __init__(self, config: WordPieceConfig) -> None:
        vocabulary = config.vocabulary
        added = [(token.content, token.id, token.lstrip, token.rstrip) for token in config.added]
        native = NativeWordPiece(
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
        super().__init__(config, native)

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
    def _from_document(cls, document: Any, name: str) -> Self:
        return cls(parse_document(document, name))

    def _text_of(self, tokens: Sequence[str]) -> str:
        config = self._config
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

    def __repr__(self) -> str:
        return f"WordPiece({self.vocab_size} tokens, lowercase={self._config.lowercase})"
