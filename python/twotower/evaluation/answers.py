"""Does a retrieved passage hold an answer? DPR's accuracy: answer containment, which is not recall of gold passages.

A passage may hold the answer's words by chance, and count; a passage may say the answer in other words, and not count. Recall of gold
passages (`Success@k`) stands beside it wherever there are judgements.
"""

import functools
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real

import numpy as np
import numpy.typing as npt

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.rankings import AnyRun
from twotower.evaluation.regex_guard import GuardedPattern
from twotower.types import Document

MATCHES = ("tokens", "regex")
_BETWEEN = "\0"  # a control character: never part of a token
_ASSIGNED = (*range(0x40000), *range(0xE0000, 0xE1000))  # planes 4 to 13 hold nothing, 15 and 16 private characters
_CACHED = 50_000  # passages kept in the form that is searched


def has_answer(text: str, answers: Sequence[str], match: str = "tokens") -> bool:
    """Tell whether `text` holds one of `answers`.

    Parameters
    ----------
    text : str
    answers : sequence of str
        An answer without a token, such as "" or " ", is in no text.
    match : {"tokens", "regex"}
        "tokens": text and answer are normalised (NFD) and cut into runs of letters, numbers and marks, and single other characters
        that are neither space nor control; the lower-cased tokens of the answer must follow each other in the text. "regex":
        answers are regular expressions, case-insensitive, searched in bounded time; text and expression are composed (NFC), so that
        a letter with its accent is one character of ``[zž]``.

    Raises
    ------
    InputTypeError
        If `text` is no string, or `answers` is one.
    InvalidInputError
        For another `match`, or a regular expression that is none or cannot be matched in bounded time.

    Notes
    -----
    Karpukhin et al. 2020, who take it from DrQA (Chen et al. 2017).

    Examples
    --------
    >>> has_answer("It was Röntgen, in 1901.", ["Wilhelm Röntgen", "röntgen"])
    True
    >>> has_answer("He came in 19010.", ["1901"])
    False
    """
    if not isinstance(text, str):
        raise InputTypeError(f"text is {type(text).__name__}: give a string")
    return any(holds(_prepared(text, match)) for holds in _tests(answers, match))


def first_answer_places(
    run: AnyRun, answers: Mapping[str, Sequence[str]], texts: Mapping[str, str | Document], *, depth: int = 100,
    match: str = "tokens",
) -> npt.NDArray[np.int64]:  # fmt: skip
    """Return the place, from 1, of the first passage with an answer for each question; 0 if none of the first `depth` has one.

    Parameters are those of `answer_accuracy`. The order of a list is trec_eval's.

    Returns
    -------
    ndarray of int64, shape [Q]
        In the order of `answers`.
    """
    _check(run, answers, texts)

    @functools.lru_cache(maxsize=_CACHED)
    def prepared(doc_id: str) -> str:
        if doc_id not in texts:
            raise InvalidInputError(
                f"document {doc_id!r} is in the run but not in texts: give the corpus that was searched"
            )
        passage = texts[doc_id]
        return _prepared(passage.text if isinstance(passage, Document) else passage, match)

    places = np.zeros(len(answers), np.int64)
    for number, (query_id, accepted) in enumerate(answers.items()):
        tests = _tests(accepted, match)
        for place, doc_id in enumerate(_best(run.get(query_id, {}), depth), 1):
            passage = prepared(doc_id)
            if any(holds(passage) for holds in tests):
                places[number] = place
                break
    return places


def answer_accuracy(
    run: AnyRun, answers: Mapping[str, Sequence[str]], texts: Mapping[str, str | Document],
    ks: Sequence[int] = (1, 5, 20, 100), *, match: str = "tokens",
) -> dict[int, float]:  # fmt: skip
    """Return for each k the share of questions with an answer in one of the first k passages.

    Parameters
    ----------
    run : mapping of query_id to mapping of doc_id to score
    answers : mapping of query_id to sequence of str
        All questions: one that the run lacks counts as not answered.
    texts : mapping of doc_id to str or Document
        Of a Document the text is searched, not the title, as DPR does.
    ks : sequence of int
    match : {"tokens", "regex"}
        See `has_answer`.

    Returns
    -------
    dict of int to float

    Raises
    ------
    InputTypeError, InvalidInputError
        As `has_answer`; also for a k below 1, no question at all, or a passage that `texts` lacks.

    Examples
    --------
    >>> run = {"q": {"a": 2.0, "b": 1.0}}
    >>> answer_accuracy(run, {"q": ["1901"]}, {"a": "Röntgen got it.", "b": "In 1901."}, ks=(1, 2))
    {1: 0.0, 2: 1.0}
    """
    ks = list(ks)
    if not ks or any(isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1 for k in ks):
        raise InvalidInputError(f"ks {ks!r}: give integers from 1, such as (1, 5, 20, 100)")
    if isinstance(answers, Mapping) and not answers:
        raise InvalidInputError("answers has no question: there is nothing to average over")
    places = first_answer_places(run, answers, texts, depth=max(ks), match=match)
    return {int(k): float(((places > 0) & (places <= k)).mean()) for k in ks}


def tokens(text: str) -> list[str]:
    """Return the lower-cased tokens that `has_answer` compares.

    Examples
    --------
    >>> tokens("U.S. $3,000")
    ['u', '.', 's', '.', '$', '3', ',', '000']
    """
    return [token.lower() for token in _token_pattern().findall(unicodedata.normalize("NFD", text))]


def _prepared(text: str, match: str) -> str:
    """Return the form of a passage that tests look at: for tokens, all of them with a separator around each."""
    if match == "tokens":
        return f"{_BETWEEN}{_BETWEEN.join(tokens(text))}{_BETWEEN}"
    return unicodedata.normalize("NFC", text)


def _tests(answers: Sequence[str], match: str) -> list[Callable[[str], bool]]:
    """Return one test of a prepared passage for each answer."""
    if match not in MATCHES:
        raise InvalidInputError(f"match {match!r}: choose one of {', '.join(MATCHES)}")
    answers = answers if isinstance(answers, str) or not isinstance(answers, Iterable) else list(answers)
    if not isinstance(answers, list) or any(not isinstance(answer, str) for answer in answers):
        raise InputTypeError(f"answers {answers!r:.80}: give a list of strings")
    if match == "regex":
        return [GuardedPattern(unicodedata.normalize("NFC", answer)).occurs_in for answer in answers]
    return [functools.partial(_contains, _prepared(answer, match)) for answer in answers if tokens(answer)]


def _contains(answer: str, passage: str) -> bool:
    return answer in passage


def _best(scores: Mapping[str, float], depth: int) -> list[str]:
    for doc_id, score in scores.items():
        if not isinstance(score, Real) or math.isnan(score):
            raise InvalidInputError(f"the score of document {doc_id!r} is {score!r}: every score must be a number")
    with np.errstate(over="ignore"):
        return sorted(scores, key=lambda doc_id: (np.float32(scores[doc_id]), doc_id), reverse=True)[:depth]


def _check(run: object, answers: object, texts: object) -> None:
    for name, value, shape in (
        ("run", run, "query_id -> doc_id -> score"),
        ("answers", answers, "query_id -> list of answers"),
        ("texts", texts, "doc_id -> text"),
    ):
        if not isinstance(value, Mapping):
            raise InputTypeError(f"{name} is {type(value).__name__}: give a mapping {shape}")


@functools.cache
def _token_pattern() -> "re.Pattern[str]":
    """Match a run of letters, numbers and marks, or one other character that is no separator, control or unassigned one."""
    kinds: dict[str, list[list[int]]] = {"LNM": [], "PS": []}
    for code in _ASSIGNED:
        category = unicodedata.category(chr(code))[0]
        for kind, ranges in kinds.items():
            if category not in kind:
                continue
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    words, others = (
        "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in ranges)
        for ranges in kinds.values()
    )
    return re.compile(f"[{words}]+|[{others}]")
