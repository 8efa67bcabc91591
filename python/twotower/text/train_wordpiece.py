"""Training of a WordPiece vocabulary: options and the tokenizer.json here, words and tokens in C++."""

from collections.abc import Iterable, Sequence
from typing import Any

from twotower.errors import InputTypeError, InvalidInputError
from twotower.text.native import NativeLearner, NativeRequest, NativeWordCounter, prune_vocabulary
from twotower.text.text_columns import Texts
from twotower.text.train_options import check_count, check_flag, check_special_tokens
from twotower.text.train_words import count_words, learn
from twotower.text.wordpiece_file import document_of_vocabulary

PREFIX = "##"
MAX_CHARS = 100
"""Longest word, in characters: the setting that a trained tokenizer has. A longer one is [UNK] and not learnt from."""


def train_document(
    texts: Iterable[str] | Texts,
    vocabulary_size: int,
    lowercase: bool,
    strip_accents: bool | None,
    special_tokens: Sequence[str],
    min_frequency: int,
    limit_alphabet: int,
    max_token_length: int,
    candidates: float,
    max_words: int,
    threads: int,
    progress: bool | None,
) -> dict[str, Any]:
    """Return the tokenizer.json of a trained vocabulary. Arguments and errors are those of `WordPiece.train`."""
    special = check_special_tokens(special_tokens, needed=("[UNK]", "[CLS]", "[SEP]"))
    size = check_count("vocabulary_size", vocabulary_size, 1)
    n_candidates = _n_candidates(size, candidates)
    request = NativeRequest(
        special,
        vocabulary_size=size,
        n_candidates=n_candidates,
        min_frequency=check_count("min_frequency", min_frequency, 1),
        max_token_length=check_count("max_token_length", max_token_length, 1),
        limit_alphabet=check_count("limit_alphabet", limit_alphabet, 1),
    )
    check_flag("lowercase", lowercase)
    strip = lowercase if strip_accents is None else check_flag("strip_accents", strip_accents)
    counter = NativeWordCounter.of_wordpiece(
        strip, lowercase, MAX_CHARS, special, check_count("max_words", max_words, 1)
    )
    words = count_words(counter, texts, check_count("threads", threads, 0), progress)
    if len(words) == 0:
        raise InvalidInputError(
            f"the texts have no word of at most {MAX_CHARS} characters: longer ones are not learnt from"
        )
    learner = NativeLearner.of_wordpiece(words, request, PREFIX)
    learn(learner, n_candidates, progress)
    tokens = prune_vocabulary(words, learner.tokens(), learner.n_fixed(), size, PREFIX)
    return _document(tokens, special, lowercase, strip_accents)


def _n_candidates(size: int, candidates: float) -> int:
    if isinstance(candidates, bool) or not isinstance(candidates, (int, float)):
        raise InputTypeError(f"candidates is of type {type(candidates).__name__}: it must be a number")
    if not 1 <= candidates <= 100:
        raise InvalidInputError(f"candidates is {candidates}: it must be from 1 (nothing is dropped) to 100")
    return int(size * candidates)


def _document(
    tokens: Sequence[str], special: Sequence[str], lowercase: bool, strip_accents: bool | None
) -> dict[str, Any]:
    vocabulary = {token: number for number, token in enumerate(tokens)}
    document = document_of_vocabulary(vocabulary, lowercase, "the trained vocabulary")
    document["normalizer"]["strip_accents"] = strip_accents
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    document["added_tokens"] = [{"id": vocabulary[token], "content": token, **flags} for token in special]
    return document
