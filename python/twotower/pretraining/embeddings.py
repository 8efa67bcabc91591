"""Word vectors as the first weights of a model's embedding tables.

V rows of a table, D dimensions.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from twotower.errors import InvalidInputError
from twotower.pretraining.word_vectors import Floats, Word2VecOptions, vectors_of_ids
from twotower.text import TermIds
from twotower.towers import TwoTower

FREQUENT = 1e-3
MIN_COUNT = 5


def start_from_words(
    model: TwoTower, texts: Iterable[str], *, random_share: float = 0.5, frequent: float | None = FREQUENT,
    min_count: int = MIN_COUNT, progress: bool | None = None, **options: Any,
) -> None:  # fmt: skip
    """Learn vectors of the model's own terms (words or subwords) by word2vec and start its tables with them.

    Parameters
    ----------
    model : TwoTower
        With embedding tables; changed in place. Untied towers get the same rows.
    texts : iterable of str
        Read as the model reads them, `max_terms` of each.
    random_share : float
        From 0 to 1: share of the variance that the rows keep of their first weights. Random rows are nearly orthogonal,
        so that a term matches itself alone; word vectors let like terms match.
    frequent : float, optional
        Rows are divided by 1 + p / `frequent`, with p the term's share of all terms: frequent terms weigh less in a mean
        (Arora et al. 2017, equation 4). None: no weights.
    min_count : int
        Terms with fewer occurrences keep their random rows.
    progress : bool, optional
        A bar on standard error; None shows it on a terminal only.
    **options
        Of `twotower.pretraining.word2vec`; not `dim`, which the tables have.

    Raises
    ------
    InvalidInputError
        If the model has no embedding table, or an option is out of range.
    TrainingError
        If the vectors diverge.

    Notes
    -----
    Before the two parts are added, word vectors are scaled to the mean square that the random rows have, so that learning
    rates keep their meaning.
    """
    if not 0 <= random_share <= 1:
        raise InvalidInputError(f"random_share is {random_share!r}: it must be from 0 to 1")
    if frequent is not None and not 0 < frequent < float("inf"):
        raise InvalidInputError(f"frequent is {frequent!r}: it must be a finite number above 0, or None")
    tables = [_table(tower) for tower in {id(t): t for t in (model.query_tower, model.document_tower)}.values()]
    asked = Word2VecOptions.of({**options, "dim": tables[0].shape[1]})
    found = model.reader.read(texts)
    counts = np.bincount(found.ids, minlength=model.reader.n_terms)
    ids = np.where(counts[found.ids] >= min_count, found.ids, -1).astype(np.int32)
    vectors = vectors_of_ids(TermIds(ids, found.offsets), model.reader.n_terms, asked, progress=progress)
    learned = counts >= min_count
    weights = np.ones(len(counts)) if frequent is None else 1 / (1 + counts / max(1, counts.sum()) / frequent)
    for table in tables:
        scale = np.sqrt(np.mean(table[learned] ** 2) / np.mean(vectors[learned] ** 2))
        mixed = np.sqrt(1 - random_share) * scale * vectors[learned] + np.sqrt(random_share) * table[learned]
        table[learned] = mixed
        table *= weights.astype(np.float32)[:, None]


def _table(tower: Any) -> Floats:
    """Return the rows of a tower's embedding table, which share its memory."""
    embedding = getattr(tower, "embedding", None)
    if embedding is None:
        raise InvalidInputError(
            f"the tower {type(tower).__name__} has no embedding table that word vectors could start"
        )
    rows: Floats = embedding.weight.detach().numpy()
    return rows
