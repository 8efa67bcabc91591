"""Where the sentences of a text begin and end, by rules. Knows no language but what `ABBREVIATIONS` says of English."""

import re

from twotower.errors import InputTypeError

_ENGLISH = """
al approx apr assn aug ave bros ca capt cf ch cie co col corp cpl dec dept dr e.g ed eds eq eqs esp
est et etc ex feb fig figs fr ft gen gov hon i.e inc jan jr jul jun lat lb lt ltd maj mar messrs mr
mrs ms mt nos nov oct op p pp ph.d pl pres prof prop pt ref refs rep resp rev sec sen sep sept sgt
sp spp sr ssp st subsp supt univ v var viz vol vols vs
"""
ABBREVIATIONS = frozenset(_ENGLISH.split())
"""Lower-case words that a full stop follows without an end; "no." is one before a number only."""

_END = re.compile(r"""[.!?\u2026]+["'\u2019\u201d)\]]*(?=\s)|[\u3002\uff01\uff1f]+["\u300d\u300f\uff09]*|\n\s*\n""")
_WORD_BEFORE = re.compile(r"[^\s(\[\"'\u2018\u201c]*$")
_REACH = 40


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text begin and end.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of (int, int)
        Places of characters, ascending, without white space around them; together they hold every other character. Empty
        for a text of white space alone.

    Raises
    ------
    InputTypeError
        If `text` is no str.

    Notes
    -----
    A sentence ends at ``.``, ``!``, ``?``, an ellipsis (with quotes and brackets that close behind them) before white
    space, at the full stops of Chinese and Japanese, and at an empty line. A single full stop does not end one behind an
    abbreviation, an initial ("J. Smith", "U.S. Army"), or before a word in lower case; behind "no." not before a number.
    What has no letter and no digit belongs to the sentence before. So "in the U.S. It was" stays one sentence: for
    pseudo-queries a sentence too long does less harm than half a one.

    Examples
    --------
    >>> text = "Dr. J. Smith slept, e.g. on Mt. Fuji. Did he? 3.5 hours."
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['Dr. J. Smith slept, e.g. on Mt. Fuji.', 'Did he?', '3.5 hours.']
    """
    if not isinstance(text, str):
        raise InputTypeError(f"text is {text!r} ({type(text).__name__}): give a str")
    spans: list[tuple[int, int]] = []
    start = 0
    for found in _END.finditer(text):
        if _ends(text, found):
            _add(text, start, found.end(), spans)
            start = found.end()
    _add(text, start, len(text), spans)
    return spans


def _add(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    piece = text[start:end]
    if not (stripped := piece.strip()):
        return
    first = start + len(piece) - len(piece.lstrip())
    last = first + len(stripped)
    if spans and not any(char.isalnum() for char in stripped):  # a full stop that stands alone
        spans[-1] = (spans[-1][0], last)
    else:
        spans.append((first, last))


def _ends(text: str, found: re.Match[str]) -> bool:
    mark = found.group()
    if mark.isspace() or mark[0] not in ".\u2026":
        return True
    following = text[found.end() : found.end() + _REACH].lstrip()
    opened = following.lstrip("\"'([\u2018\u201c")
    if opened[:1].islower():
        return False
    if mark != ".":  # several, or a quote closes behind it
        return True
    match = _WORD_BEFORE.search(text, max(0, found.start() - _REACH), found.start())
    word = match.group().lower() if match else ""
    if len(word) == 1 and word.isalpha():
        return False
    if re.fullmatch(r"(?:\w\.)+\w", word):  # u.s, a.m
        return False
    if word == "no":
        return not opened[:1].isdigit()
    return word not in ABBREVIATIONS
