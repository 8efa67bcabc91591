"""Questions with their answers: DPR's tab-separated files, JSON lines, lists of JSON objects, SQuAD.

Answers are data: a Python list in a file is read with `ast.literal_eval`, which runs nothing. Whether a passage holds an answer is
`twotower.evaluation.has_answer`'s affair.
"""

import ast
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twotower.data.rows import Located, Row, StrPath, as_object, as_text, json_document, json_rows, kind, lines, suffix
from twotower.errors import DataFormatError
from twotower.types import Document, Qrels

QUESTION_FIELDS = ("question", "qText", "text")
ANSWER_FIELDS = ("answers", "answer")
ID_FIELDS = ("id", "qId", "_id")


@dataclass
class Questions:
    """Questions by id, in the order of the file.

    Attributes
    ----------
    texts : dict of str to str
        query_id to question. Where a file has no ids they are "0", "1", ... by row.
    answers : dict of str to list of str
        query_id to what counts as an answer: strings, or regular expressions in CuratedTREC.
    documents : dict of str to Document
        The paragraphs of a SQuAD file, empty for other files; doc_ids are "0", "1", ...
    qrels : Qrels
        query_id to its own paragraph, where there are paragraphs.
    """

    texts: dict[str, str] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    qrels: Qrels = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)


def read_questions(path: StrPath) -> Questions:
    """Read a file of questions and answers; the format is told by the content.

    Parameters
    ----------
    path : str or path
        One of, plain, .gz or .xz:

        - lines of ``question TAB ['answer', ...]`` (DPR; fields may be quoted as in CSV);
        - JSON lines ``{"question": ..., "answer": [...]}`` (NQ-open; ``answers`` and an id are taken too), whatever the suffix;
        - a ``.json`` file that is a list of such objects (``qText`` and ``qId`` are taken too), or one of SQuAD
          (``{"data": [{"title", "paragraphs": [{"context", "qas"}]}]}``).

    Raises
    ------
    DataFormatError
        If a row is malformed, has no answer, or its id comes twice; file and line (or row) are named.
    """
    path = Path(path)
    questions = Questions()
    if suffix(path) == ".json":
        document = json_document(path)
        if isinstance(document, Mapping):
            _add_squad(questions, document, str(path))
            return questions
        rows = json_rows(path)
    elif next((line.lstrip() for _, line in lines(path) if line.strip()), "").startswith("{"):
        rows = json_rows(path, one_a_line=True)
    else:
        rows = _tab_separated(path)
    for number, (where, row) in enumerate(rows):
        _add(questions, row, where, str(number))
    return questions


def _tab_separated(path: Path) -> Iterator[Located]:
    for where, line in lines(path):
        if not line.strip():
            continue
        try:
            fields = next(csv.reader([line], delimiter="\t", strict=True))
        except csv.Error as error:
            raise DataFormatError(f"{where}: {error}: write question, a tab, and a Python list of answers") from error
        if len(fields) != 2:
            raise DataFormatError(
                f"{where}: must have 2 fields with a tab between (question, answers), got {len(fields)}"
            )
        yield where, {"question": fields[0], "answers": _literal(fields[1], where)}


def _literal(text: str, where: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise DataFormatError(f"{where}: answers must be a Python list of strings, got {text[:60]!r}") from error


def _add(questions: Questions, row: Row, where: str, number: str) -> None:
    query_id = next((row[name] for name in ID_FIELDS if row.get(name) is not None), number)
    query_id = as_text(query_id if not isinstance(query_id, int) else str(query_id), f"{where}, id")
    if query_id in questions.texts:
        raise DataFormatError(f"{where}: id {query_id!r} comes twice: make ids unique")
    text = as_text(_first_of(row, QUESTION_FIELDS, where), f"{where}, question")
    answers = _first_of(row, ANSWER_FIELDS, where)
    if not isinstance(answers, list | tuple) or not answers:
        raise DataFormatError(f"{where}: answers must be a list with at least one string, got {kind(answers)}")
    questions.texts[query_id] = text
    questions.answers[query_id] = [
        as_text(answer.get("text") if isinstance(answer, Mapping) else answer, f"{where}, answer {i}")
        for i, answer in enumerate(answers, 1)
    ]


def _first_of(row: Row, names: tuple[str, ...], where: str) -> Any:
    for name in names:
        if name in row:
            return row[name]
    raise DataFormatError(
        f"{where}: no field {' or '.join(map(repr, names))}: it has {', '.join(map(repr, row)) or 'none'}"
    )


def _add_squad(questions: Questions, squad: Row, path: str) -> None:
    for a, article in enumerate(_list(squad, "data", path), 1):
        place = f"{path}, article {a}"
        article = as_object(article, place)
        title = as_text(article.get("title", ""), f"{place}, title")
        for p, paragraph in enumerate(_list(article, "paragraphs", place), 1):
            where = f"{place}, paragraph {p}"
            paragraph = as_object(paragraph, where)
            doc_id = str(len(questions.documents))
            context = as_text(paragraph.get("context"), f"{where}, context")
            questions.documents[doc_id] = Document(context, title.replace("_", " "))
            for q, row in enumerate(_list(paragraph, "qas", where), 1):
                row_where = f"{where}, question {q}"
                _add(questions, as_object(row, row_where), row_where, str(len(questions)))
                questions.qrels[next(reversed(questions.texts))] = {doc_id: 1}


def _list(row: Row, name: str, where: str) -> list[Any]:
    value = row.get(name)
    if not isinstance(value, list):
        raise DataFormatError(f"{where}: {name!r} must be a list, got {kind(value)}")
    return value
