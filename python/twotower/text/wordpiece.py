"""WordPiece, the subword tokenizer of BERT: files and options here, the text in C++."""

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np

from twotower.text.native import NativeWordPiece
from twotower.text.subword_tokenizer import SubwordTokenizer
from twotower.text.text_columns import Texts
from twotower.text.train_wordpiece import train_document
from twotower.text.wordpiece_document import WordPieceConfig, parse_document
from twotower.text.wordpiece_file import SPECIAL_TOKENS, read_config

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

    Ids, spans and decoded text are those of the `tokenizers` package (0.23.3) for the same file. Made by `from_file` or `train`. Safe
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
