"""Files of word vectors: GloVe text, word2vec text, word2vec binary. Read in pieces; knows no model.

Files are untrusted: a header is believed only as far as the bytes behind it, no line is longer than `MAX_LINE`, and memory
is that of one piece. Sources: Mikolov et al. 2013 (word2vec), Pennington et al. 2014 (GloVe), and their programs.
D dimensions, N words of a piece.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from twotower.errors import DataFormatError, FileError, InvalidInputError

FORMATS = ("glove", "word2vec", "word2vec-binary")
PIECE = 4096
MAX_WORD, MAX_DIM = 2**12, 2**14
MAX_LINE = MAX_WORD + 32 * MAX_DIM


class Piece(NamedTuple):
    """Words of a file in their order, and their vectors.

    Attributes
    ----------
    words : list of str
    vectors : ndarray of float32, shape [N, D]
    """

    words: list[str]
    vectors: npt.NDArray[np.float32]


def read_word_vectors(path: str | Path, format: str | None = None) -> Iterator[Piece]:  # noqa: A002
    """Yield the words of a file and their vectors, `PIECE` at a time.

    Parameters
    ----------
    path : str or Path
        Plain, or compressed with gzip if its name ends in ".gz".
    format : {"glove", "word2vec", "word2vec-binary"}, optional
        None: a first line of two whole numbers is the header of word2vec; what follows tells text and binary apart.

    Yields
    ------
    Piece
        At least one; all have one D. Words may come twice: nothing is left out.

    Raises
    ------
    DataFormatError
        With file and line (of a binary file, the number of the word): if a line has fewer or more numbers than the first, a
        number is not finite or none, a word is empty, too long or no UTF-8, or the header promises another number of words.
    FileError
        If the file cannot be read.
    InvalidInputError
        If `format` is unknown.
    """
    if format is not None and format not in FORMATS:
        raise InvalidInputError(f"unknown format {format!r} of word vectors: choose one of {', '.join(FORMATS)}")
    path = Path(path)
    try:
        with cast("BinaryIO", gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
            kind = format or _sniff(file)
            file.seek(0)
            rows = _binary_rows(file, path) if kind == "word2vec-binary" else _text_rows(file, path, kind == "word2vec")
            yield from _pieces(rows, path)
    except (OSError, EOFError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read word vectors from {path}: {error}") from error


def _sniff(file: BinaryIO) -> str:
    """Return the format of a file by its first lines."""
    header = _header(file.readline(MAX_LINE))
    if header is None:
        return "glove"
    line = file.readline(MAX_LINE)
    try:
        fields = line.decode("utf-8").split()
        is_text = len(fields) > header[1] and bool([float(field) for field in fields[-header[1] :]])
    except ValueError:
        is_text = False
    return "word2vec" if is_text else "word2vec-binary"


def _header(line: bytes) -> tuple[int, int] | None:
    """Return (words, dimensions) if a line is a header of word2vec."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 12 for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def _checked_header(file: BinaryIO, path: Path) -> tuple[int, int]:
    header = _header(file.readline(MAX_LINE))
    if header is None or not 1 <= header[1] <= MAX_DIM:
        raise DataFormatError(
            f"{path}:1: a word2vec file begins with two numbers, words and dimensions (1 to {MAX_DIM})"
        )
    return header


def _text_rows(file: BinaryIO, path: Path, has_header: bool) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    promised, dim = _checked_header(file, path) if has_header else (None, None)
    first = 2 if has_header else 1
    number = first - 1
    while line := file.readline(MAX_LINE):
        number += 1
        where = f"{path}:{number}"
        if len(line) >= MAX_LINE:
            raise DataFormatError(f"{where}: the line is longer than {MAX_LINE} bytes: this is no file of word vectors")
        fields = line.rstrip(b"\r\n ").split(b" ")
        dim = len(fields) - 1 if dim is None else dim
        if not 1 <= dim <= MAX_DIM or len(fields) <= dim:
            raise DataFormatError(
                f"{where}: {len(fields) - 1} numbers behind a word, expected {dim or 'at least 1'}: the file is cut off, "
                "damaged or of another format"
            )
        word = b" ".join(fields[: len(fields) - dim])  # GloVe 840B has words with spaces in them
        yield _word(word, where), _numbers(fields[len(fields) - dim :], where)
    if promised is not None and number - first + 1 != promised:
        raise DataFormatError(f"{path}:1: the header promises {promised} words, the file has {number - first + 1}")


def _numbers(fields: list[bytes], where: str) -> npt.NDArray[np.float32]:
    try:
        return np.array(fields).astype(np.float32)
    except ValueError as error:
        raise DataFormatError(f"{where}: {error}: expected numbers, with single spaces between them") from error


def _binary_rows(file: BinaryIO, path: Path) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    promised, dim = _checked_header(file, path)
    buffer, at = b"", 0
    for number in range(1, promised + 1):
        where = f"{path}: word {number} of {promised}"
        if len(buffer) - at < MAX_WORD + 4 * dim:
            buffer, at = buffer[at:] + file.read(2**20 + 4 * dim), 0
        while buffer[at : at + 1] == b"\n":  # the first program ends each vector with one, others do not
            at += 1
        end = buffer.find(b" ", at, at + MAX_WORD)
        if end < 0 or len(buffer) < end + 1 + 4 * dim:
            raise DataFormatError(f"{where}: the file ends here, or the word is longer than {MAX_WORD} bytes")
        vector = np.frombuffer(buffer, "<f4", dim, end + 1).astype(np.float32)
        yield _word(buffer[at:end], where), vector
        at = end + 1 + 4 * dim
    if (buffer[at:] + file.read(2)).strip(b"\n"):
        raise DataFormatError(f"{path}: more bytes behind the {promised} words that the header promises")


def _word(word: bytes, where: str) -> str:
    if not word or len(word) > MAX_WORD:
        raise DataFormatError(f"{where}: a word of {len(word)} bytes: it must have 1 to {MAX_WORD}")
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{where}: the word is no UTF-8: {error}") from error


def _pieces(rows: Iterator[tuple[str, npt.NDArray[np.float32]]], path: Path) -> Iterator[Piece]:
    """Put rows together; refuse numbers that are not finite."""
    words: list[str] = []
    vectors: list[npt.NDArray[np.float32]] = []
    n_before = 0
    for word, vector in rows:
        words.append(word)
        vectors.append(vector)
        if len(words) == PIECE:
            yield _finite(Piece(words, np.stack(vectors)), n_before, path)
            n_before += PIECE
            words, vectors = [], []
    if words:
        yield _finite(Piece(words, np.stack(vectors)), n_before, path)
    elif n_before == 0:
        raise DataFormatError(f"{path}:1: the file has no word")


def _finite(piece: Piece, n_before: int, path: Path) -> Piece:
    bad = ~np.isfinite(piece.vectors).all(axis=1)
    if bad.any():
        at = int(bad.argmax())
        raise DataFormatError(f"{path}: the vector of word {n_before + at + 1}, {piece.words[at]!r}, is not finite")
    return piece
