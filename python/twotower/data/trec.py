"""TREC files: runs ("query Q0 document rank score tag") and judgements ("query 0 document grade").

Knows the two formats and their traps: `trec_eval` reads scores as float32, ignores the rank, and breaks ties by
document id, descending.
"""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from twotower.data.beir import as_grade, is_beir_header, read_beir_qrels
from twotower.data.rows import Judgements, StrPath, lines
from twotower.errors import DataFormatError, InvalidInputError
from twotower.storage import write_file_atomically
from twotower.types import Qrels, Run

_BLANKS = re.compile(r"[ \t\r\f\v]+")
_UNFIT = re.compile(r"[\s\0]|\A\Z", re.ASCII)


def read_run(path: StrPath) -> Run:
    """Read a run.

    Returns
    -------
    Run
        query_id -> doc_id -> score, in the order of the file; the rank column is ignored, as `trec_eval` does.

    Raises
    ------
    DataFormatError
        If a line has not 6 fields, a score is no finite number, or a document comes twice for one query; file, line and
        id are named.
    """
    run: Run = {}
    for where, line in lines(Path(path)):
        if (row := run_row(line, where)) is None:
            continue
        query_id, doc_id, score = row
        scores = run.setdefault(query_id, {})
        if doc_id in scores:
            raise DataFormatError(
                f"{where}: document {doc_id!r} comes twice for query {query_id!r}: keep its best line"
            )
        scores[doc_id] = score
    return run


def run_row(line: str, where: str) -> tuple[str, str, float] | None:
    """Return query_id, doc_id and score of one line of a run, or None for a blank one; errors as `read_run`."""
    fields = _fields(line, where, 6, "query Q0 document rank score tag")
    return (fields[0], fields[2], _score(fields[4], where)) if fields else None


def write_run(run: Run, path: StrPath, tag: str = "twotower", *, strictly_decreasing: bool = False) -> None:
    """Write a run, atomically: queries in the order of `run`, their documents best first, ranks from 1.

    Parameters
    ----------
    run : Run
        Documents with equal scores keep the order that they have here (`Hits.to_run` gives DocId order).
    path : str or path
    tag : str
        Name of the system; no white space.
    strictly_decreasing : bool
        Round scores to float32 and lower each one that is not below the one before to the next float32. Every reader,
        `trec_eval` too, then sees the order of this file. Otherwise scores are written so that they read back exactly.

    Raises
    ------
    InvalidInputError
        If an id or the tag is empty or holds white space, or a score is not finite.
    """
    _check_word(tag, "tag")
    text = "".join(_run_lines(run, tag, strictly_decreasing=strictly_decreasing))
    write_file_atomically(Path(path), text.encode())


def read_qrels(path: StrPath) -> Qrels:
    """Read judgements: a TREC file, or one of BEIR (its header line tells).

    Raises
    ------
    DataFormatError
        If a line has not 4 fields, a grade is no integer, or a pair has two grades; file and line are named.
    """
    path = Path(path)
    first = next(lines(path), None)
    if first is not None and is_beir_header(first[1]):
        return read_beir_qrels(path)
    judgements = Judgements()
    for where, line in lines(path):
        if (row := qrels_row(line, where)) is not None:
            judgements.add(*row, where)
    return judgements.qrels


def qrels_row(line: str, where: str) -> tuple[str, str, int] | None:
    """Return query_id, doc_id and grade of one line of TREC judgements, or None for a blank one."""
    fields = _fields(line, where, 4, "query 0 document grade")
    return (fields[0], fields[2], as_grade(fields[3], where)) if fields else None


def write_qrels(qrels: Qrels, path: StrPath) -> None:
    """Write judgements as a TREC file, atomically, in the order of `qrels`; a query without judgements leaves no line.

    Raises
    ------
    InvalidInputError
        If an id is empty or holds white space.
    """
    rows = []
    for query_id, judged in qrels.items():
        _check_word(query_id, "query_id")
        for doc_id, grade in judged.items():
            _check_word(doc_id, "doc_id")
            rows.append(f"{query_id} 0 {doc_id} {int(grade)}\n")
    write_file_atomically(Path(path), "".join(rows).encode())


def _fields(line: str, where: str, n_fields: int, names: str) -> list[str]:
    stripped = line.strip(" \t\r\f\v")
    fields = _BLANKS.split(stripped) if stripped else []
    if fields and len(fields) != n_fields:
        raise DataFormatError(f"{where}: must have {n_fields} fields ({names}), got {len(fields)}: {line[:80]!r}")
    return fields


def _score(text: str, where: str) -> float:
    try:
        score = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise DataFormatError(f"{where}: score {text!r} must be a finite number")
    return score


def _run_lines(run: Run, tag: str, *, strictly_decreasing: bool) -> Iterator[str]:
    for query_id, scores in run.items():
        _check_word(query_id, "query_id")
        ranked = sorted(((_finite(query_id, d, s), d) for d, s in scores.items()), key=lambda pair: -pair[0])
        values: Iterable[float] = (score for score, _ in ranked)
        if strictly_decreasing:
            values = _strictly_decreasing(values)
        for rank, ((_, doc_id), value) in enumerate(zip(ranked, values, strict=True), 1):
            _check_word(doc_id, "doc_id")
            yield f"{query_id} Q0 {doc_id} {rank} {value!r} {tag}\n"


def _finite(query_id: str, doc_id: str, score: float) -> float:
    score = float(score)
    if not abs(score) <= float(np.finfo(np.float32).max):
        raise InvalidInputError(
            f"query {query_id!r}, document {doc_id!r}: score {score} must be a finite float32 number"
        )
    return score


def _strictly_decreasing(scores: Iterable[float]) -> Iterator[float]:
    last = np.float32(np.inf)
    for score in scores:
        last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
        yield float(last)


def _check_word(word: str, what: str) -> None:
    if _UNFIT.search(word):
        raise InvalidInputError(f"{what} {word!r} cannot stand in a TREC file: it must be one word without white space")
    try:
        word.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{what} {word!r} holds a lone surrogate: it cannot be written as UTF-8") from error
