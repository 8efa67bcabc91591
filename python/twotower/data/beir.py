"""BEIR folders: corpus.jsonl, queries.jsonl and qrels/<split>.tsv; see docs/formats/collections.md."""

from collections.abc import Iterator
from pathlib import Path

from twotower.data.rows import Judgements, Row, json_rows, lines, stem, suffix, text_field
from twotower.errors import DataFormatError, FileError
from twotower.types import MAX_GRADE, Collection, Document, Qrels

COMPRESSIONS = ("", ".gz", ".xz")
HEADER = "query-id\tcorpus-id\tscore"


def is_beir(folder: Path) -> bool:
    """Tell whether `folder` has a corpus.jsonl, compressed or not."""
    return _find(folder, "corpus.jsonl") is not None


def load_beir(folder: Path) -> Collection:
    """Read a BEIR folder. A folder with a corpus alone, or without qrels, is legal.

    Raises
    ------
    DataFormatError
        If a row is malformed, an id comes twice (both lines are named), or a judgement names a query or document that
        is not there: such rows would make recall wrong without a sound.
    """
    corpus_path, queries_path = _find(folder, "corpus.jsonl"), _find(folder, "queries.jsonl")
    if corpus_path is None:
        raise FileError(f"{folder}: no corpus.jsonl, corpus.jsonl.gz or corpus.jsonl.xz in it")
    corpus = dict(_read_corpus(corpus_path))
    queries = dict(_read_queries(queries_path)) if queries_path else {}
    files = sorted(path for path in folder.glob("qrels/*.tsv*") if suffix(path) == ".tsv")
    qrels = {stem(path): read_beir_qrels(path, corpus, queries) for path in files}
    return Collection(folder.resolve().name, corpus, queries, qrels)


def read_beir_qrels(
    path: Path, corpus: dict[str, Document] | None = None, queries: dict[str, str] | None = None
) -> Qrels:
    """Read one file of judgements; ids are checked against `corpus` and `queries` where given."""
    judgements = Judgements()
    for number, (where, line) in enumerate(lines(path)):
        if number == 0:
            _check_header(line, where)
        elif line:
            query_id, doc_id, grade = beir_row(line, where)
            if queries is not None and query_id not in queries:
                raise DataFormatError(
                    f"{where}: unknown query {query_id!r}: add it to queries.jsonl or remove the line"
                )
            if corpus is not None and doc_id not in corpus:
                raise DataFormatError(
                    f"{where}: unknown document {doc_id!r}: add it to corpus.jsonl or remove the line"
                )
            judgements.add(query_id, doc_id, grade, where)
    return judgements.qrels


def is_beir_header(line: str) -> bool:
    """Tell whether a line has three fields with tabs between, of which the last is no grade."""
    fields = line.split("\t")
    return len(fields) == 3 and not fields[2].strip().lstrip("-").isdecimal()


def beir_row(line: str, where: str) -> tuple[str, str, int]:
    """Return query_id, doc_id and grade of one line of a BEIR file of judgements.

    Raises
    ------
    DataFormatError
        If it has not three fields with tabs between, or the grade is no integer.
    """
    fields = line.split("\t")
    if len(fields) != 3:
        raise DataFormatError(
            f"{where}: must have 3 fields with tabs between (query, document, grade), got {len(fields)}"
        )
    return fields[0], fields[1], as_grade(fields[2], where)


def as_grade(text: str, where: str) -> int:
    """Return a grade as an integer.

    Raises
    ------
    DataFormatError
        If it is none: "1.0", "", "1_0".
    """
    if not text.removeprefix("-").isdecimal() or not text.isascii():
        raise DataFormatError(f"{where}: grade {text!r} must be an integer such as 0, 1 or 2")
    if len(text.removeprefix("-")) > 10 or abs(int(text)) > MAX_GRADE:
        raise DataFormatError(
            f"{where}: grade {text!r:.40} is out of range: it must lie between -{MAX_GRADE} and {MAX_GRADE}"
        )
    return int(text)


def _find(folder: Path, name: str) -> Path | None:
    return next((path for ending in COMPRESSIONS if (path := folder / (name + ending)).is_file()), None)


def _read_corpus(path: Path) -> Iterator[tuple[str, Document]]:
    for doc_id, where, row in _identified(path):
        yield doc_id, Document(text_field(row, "text", where), text_field(row, "title", where, default=""))


def _read_queries(path: Path) -> Iterator[tuple[str, str]]:
    for query_id, where, row in _identified(path):
        yield query_id, text_field(row, "text", where)


def _identified(path: Path) -> Iterator[tuple[str, str, Row]]:
    """Yield (id, where, row), each id once."""
    seen: set[str] = set()
    for where, row in json_rows(path):
        row_id = text_field(row, "_id", where)
        if row_id in seen:
            first = next(place for place, earlier in json_rows(path) if earlier.get("_id") == row_id)
            raise DataFormatError(f"{where}: id {row_id!r} stands already at {first}: make ids unique")
        seen.add(row_id)
        yield row_id, where, row


def _check_header(line: str, where: str) -> None:
    if not is_beir_header(line):
        raise DataFormatError(f"{where}: must be the header {HEADER!r} (tabs between), got {line[:80]!r}")
