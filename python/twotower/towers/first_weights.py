"""Where embeddings and weights of terms come from when they are not drawn at random: files of word vectors, a BERT, a corpus.

V rows of the table, D dimensions.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from twotower.errors import CorruptFileError, FileError, InputTypeError, InvalidInputError
from twotower.storage import checked_path
from twotower.towers.reader import Reader
from twotower.towers.word_vectors import read_word_vectors

Floats = npt.NDArray[np.float32]
LARGEST = float(np.finfo(np.float32).max)
RANDOM = 10.0
"""No number drawn from a normal distribution is larger."""
EMBEDDINGS_NAME = "embeddings.word_embeddings.weight"


def first_vectors(reader: Reader, source: Any, *, frozen: bool = False, seed: int = 0) -> Floats:
    """Return the embeddings that a table begins with.

    Parameters
    ----------
    reader : Reader
        Whose terms the rows are.
    source : ndarray, str or Path
        A matrix [V, D]; a file of word vectors (see `twotower.towers.word_vectors.read_word_vectors`); or the folder of a
        BERT with model.safetensors, whose tokens are the reader's.
    frozen : bool
        Terms that the file lacks begin with zeros and so add nothing to a mean; else they are drawn with the mean and
        spread of those it has.
    seed : int
        Of these draws.

    Returns
    -------
    ndarray of float32, shape [V, D]

    Raises
    ------
    InvalidInputError
        If a matrix or folder has other rows than the reader, a value is not finite, or a file has no word that the reader
        reads as one term.
    DataFormatError, FileError, CorruptFileError
        If a file is damaged or cannot be read.

    Notes
    -----
    A word of the file belongs to a term if the reader makes that one term of it: so "running" counts for the stem "run".
    Of several the first counts, which is the most frequent in files as they are published.
    """
    if isinstance(source, str | Path):
        path = Path(checked_path(source, "vectors"))
        return _checked(token_embeddings(path), reader) if path.is_dir() else _of_file(reader, path, frozen, seed)
    if not isinstance(source, np.ndarray):
        raise InputTypeError(
            f"vectors is of type {type(source).__name__}: give a matrix, a file of word vectors or a folder"
        )
    return _checked(source, reader)


def _checked(matrix: npt.NDArray[Any], reader: Reader) -> Floats:
    if matrix.ndim != 2 or len(matrix) != reader.n_terms or matrix.dtype.kind != "f":
        raise InvalidInputError(
            f"vectors are {matrix.dtype} {list(matrix.shape)}: they must be floats [{reader.n_terms}, D], one row a term"
        )
    with np.errstate(over="ignore"):
        table = np.array(matrix, np.float32, order="C")
    if not np.isfinite(table).all():
        row = int((~np.isfinite(table)).any(axis=1).argmax())
        raise InvalidInputError(f"row {row} of vectors is not finite in float32: give smaller numbers")
    return table


def _of_file(reader: Reader, path: Path, frozen: bool, seed: int) -> Floats:
    table: Floats | None = None
    known = np.zeros(reader.n_terms, bool)
    for words, vectors in read_word_vectors(path):
        if table is None:
            table = np.zeros((reader.n_terms, vectors.shape[1]), np.float32)
        rows = reader.rows_of(words)
        rows, first = np.unique(rows, return_index=True)
        fresh = (rows >= 0) & ~known[rows]
        table[rows[fresh]] = vectors[first[fresh]]
        known[rows[fresh]] = True
    if table is None or not known.any():
        raise InvalidInputError(
            f"no word of {path} is a term of the model: was it made with another analyzer or language?"
        )
    if not frozen and not known.all():
        given = table[known].astype(np.float64)  # squares of float32 may overflow in float32
        drawn = np.random.default_rng(seed).standard_normal((int((~known).sum()), table.shape[1]))
        drawn = given.mean(axis=0) + given.std(axis=0) * drawn
        if np.abs(drawn).max() > LARGEST:
            raise InvalidInputError(
                f"the numbers of {path} are so large that vectors drawn like them do not fit into float32: divide them"
            )
        table[~known] = drawn
    return table


def check_sums(given: Mapping[str, Floats], max_terms: int) -> None:
    """Refuse vectors and weights whose weighted sums over a text may overflow.

    Parameters
    ----------
    given : mapping
        Any of "embedding.weight", float32 [V, D], and "weights", float32 [V].
    max_terms : int
        Of a text.

    Raises
    ------
    InvalidInputError
        If the largest magnitudes of both and `max_terms` multiply to more than float32 holds.
    """
    largest = {name: float(np.abs(values).max(initial=0)) for name, values in given.items()}
    magnitude, weight = largest.get("embedding.weight", RANDOM), largest.get("weights", 1.0)
    if magnitude * max(weight, 1.0) * max_terms > LARGEST or weight * max_terms > LARGEST:
        raise InvalidInputError(
            f"vectors reach {magnitude:g} and weights {weight:g}: sums over {max_terms} terms would overflow float32. Divide "
            f"them, so that the product of the three is at most {LARGEST:g}"
        )


def token_embeddings(folder: str | Path) -> Floats:
    """Return the token embeddings of a BERT, float32 [V, D], from the model.safetensors of its folder.

    Raises
    ------
    FileError
        If there is no such file.
    CorruptFileError
        If it is damaged, or has no or several tensors of that name, or one of another shape or dtype.
    """
    path = Path(folder) / "model.safetensors"
    if not path.is_file():
        raise FileError(f"there is no {path}: give the folder of a BERT in safetensors")
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.endswith(EMBEDDINGS_NAME)]  # noqa: SIM118
            if len(names) != 1:
                raise CorruptFileError(f"{path} has {len(names)} tensors named {EMBEDDINGS_NAME}: a BERT has one")
            tensor = file.get_tensor(names[0])
    except (SafetensorError, OSError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(f"{path} is no readable safetensors file: {error}") from error
    if tensor.ndim != 2 or not tensor.is_floating_point():
        raise CorruptFileError(f"{path}: {names[0]} is {tensor.dtype} {list(tensor.shape)}: it must be floats [V, D]")
    floats: Floats = tensor.float().numpy()
    return floats


def idf_weights(reader: Reader, texts: Iterable[str]) -> Floats:
    """Return the inverse document frequency of every term, float32 [V], above 0.

    Parameters
    ----------
    reader : Reader
    texts : iterable of str
        A corpus; read in full, also beyond the reader's `max_terms`.

    Raises
    ------
    InvalidInputError
        If there is no text.

    Notes
    -----
    ln(1 + (N - n + 0.5) / (n + 0.5)) for a term in n of N texts, as in BM25: Robertson and Zaragoza 2009, section 3.2.
    """
    terms = reader.unlimited().read(texts)
    n_texts = len(terms.lengths)
    if n_texts == 0:
        raise InvalidInputError("there is no text to count terms in: give the corpus")
    text_of = np.repeat(np.arange(n_texts), terms.lengths)
    once = np.unique(text_of * reader.n_terms + terms.ids) % reader.n_terms
    counts = np.bincount(once, minlength=reader.n_terms)
    return np.log1p((n_texts - counts + 0.5) / (counts + 0.5)).astype(np.float32)


def first_weights(reader: Reader, source: Any, corpus: Iterable[str] | None) -> Floats | None:
    """Return the weights of terms, float32 [V]: None, "idf" (counted over `corpus`), or numbers of at least 0.

    Raises
    ------
    InvalidInputError
        If a name is unknown, "idf" comes without a corpus, or numbers have another shape, are negative or not finite.
    """
    if source is None:
        return None
    if isinstance(source, str):
        if source != "idf":
            raise InvalidInputError(f'unknown weights {source!r}: choose "idf", an array or None')
        if corpus is None:
            raise InvalidInputError('weights="idf" are counted over a corpus: give corpus=texts')
        return idf_weights(reader, corpus)
    try:
        weights = np.asarray(source)
    except ValueError as error:
        raise InvalidInputError(f"weights are not a rectangular array: {error}") from error
    if weights.shape != (reader.n_terms,) or weights.dtype.kind != "f":
        raise InvalidInputError(
            f"weights are {weights.dtype} {list(weights.shape)}: they must be floats [{reader.n_terms}], one a term"
        )
    with np.errstate(over="ignore"):
        table = np.array(weights, np.float32)
    wrong = ~(np.isfinite(table) & (table >= 0))
    if wrong.any():
        place = int(wrong.argmax())
        raise InvalidInputError(
            f"weights[{place}] is {weights[place]}: it must be a finite number of at least 0 that fits into float32"
        )
    return table
