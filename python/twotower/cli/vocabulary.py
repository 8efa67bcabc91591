"""`twotower vocabulary`: a corpus into the vocabulary of a subword tokenizer."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from twotower.cli.options import OutFile, common, emit, log
from twotower.errors import DataFormatError, FileError


@click.command()
@click.argument("source")
@click.option(
    "--out",
    required=True,
    type=OutFile(),
    help="File to write, a tokenizer.json that the package tokenizers reads, too.",
)
@click.option("--config", help="Configuration of a data set id, such as v1.1.")
@click.option("--kind", type=click.Choice(["wordpiece", "bpe"]), default="wordpiece", show_default=True)
@click.option("--size", type=click.IntRange(1), default=30522, show_default=True, help="Number of tokens.")
@click.option("--cased", is_flag=True, help="Keep capitals and accents (wordpiece; bpe always does).")
@common
def vocabulary(
    source: str,
    out: Path,
    config: str | None,
    kind: str,
    size: int,
    cased: bool,
    threads: int,
    seed: int,
    as_json: bool,
) -> None:
    """Learn the vocabulary of a WordPiece or byte-level BPE tokenizer from texts.

    SOURCE is a file of one text a line, whose name ends in .txt, or what `tt.load_collection` takes, of which the documents
    are read: a BEIR folder, a local file of records, a data set id, or python-docs. There is no chance in it: the seed is
    not used.
    """
    from twotower.text import BPE, WordPiece
    from twotower.text.tokenizer_file import check_document_name

    check_document_name(out)
    log(f"learning from {source}")
    texts = _texts(source, config)
    tokenizer: WordPiece | BPE
    if kind == "bpe":
        tokenizer = BPE.train(texts, size, threads=threads)
    else:
        tokenizer = WordPiece.train(texts, size, lowercase=not cased, threads=threads)
    tokenizer.to_file(out)
    report = {"file": str(out), "kind": kind, "tokens": tokenizer.vocab_size}
    emit(report, as_json, f"{out}: {tokenizer.vocab_size:,} tokens ({kind})")


def _texts(source: str, config: str | None) -> Iterable[str]:
    if source.endswith(".txt"):
        return _lines(source)
    from twotower.data import load_collection

    return [document.full_text for document in load_collection(source, config=config).corpus.values()]


def _lines(name: str) -> Iterator[str]:
    try:
        with Path(name).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield _text(line.rstrip(b"\r\n"), f"{name}, line {number}")
    except OSError as error:
        raise FileError(f"{name} cannot be read: {error.strerror or error}") from error


def _text(line: bytes, where: str) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{where}, byte {error.start}: not UTF-8") from error
