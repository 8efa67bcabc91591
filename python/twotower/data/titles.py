"""Titles as queries: each title asks for the text that it stands above. Weak pairs that need no judges, where a corpus has titles.

Knows no file format: it makes one collection of another.
"""

import numpy as np

from twotower.data.normalise import normalise
from twotower.errors import InvalidInputError
from twotower.types import Collection, Document, Qrels


def title_collection(collection: Collection, *, test: float = 0.1, valid: float = 0.03, seed: int = 0) -> Collection:
    """Return a collection whose queries are the titles of the documents, and whose documents have lost them.

    Parameters
    ----------
    collection : Collection
        Its own queries and judgements are left behind.
    test, valid : float
        Shares of the titles held out for testing and for choosing; the rest is "train".
    seed : int
        Of the cut.

    Returns
    -------
    Collection
        Query and document have one id. A document whose title or text is empty, or equal to that of an earlier document but for case
        and white space, is left out: two equal titles would ask for two texts, and be in train and test.

    Raises
    ------
    InvalidInputError
        If a share is not above 0, they leave nothing to train on, or fewer than one title is left for a split.

    Notes
    -----
    Near-copies stay: `twotower.experiments.near_duplicates` finds them.

    Examples
    --------
    >>> c = Collection("c", {f"d{i}": Document(f"text {i}", f"title {i}") for i in range(20)}, {})
    >>> pairs = title_collection(c, test=0.1, valid=0.05)
    >>> {split: len(qrels) for split, qrels in pairs.qrels.items()}
    {'train': 17, 'valid': 1, 'test': 2}
    """
    if not (test > 0 and valid > 0 and test + valid < 1):
        raise InvalidInputError(
            f"test is {test!r} and valid {valid!r}: they must be shares above 0 with a sum below 1, such as 0.1 and 0.03"
        )
    kept = _distinct(collection)
    n_test, n_valid = round(test * len(kept)), round(valid * len(kept))
    if min(n_test, n_valid, len(kept) - n_test - n_valid) < 1:
        raise InvalidInputError(
            f"{collection.name} has {len(kept)} documents with a title and a text of their own: too few for three splits"
        )
    order = np.random.default_rng(seed).permutation(len(kept))
    ids = list(kept)
    parts = {"train": order[n_test + n_valid :], "valid": order[n_test : n_test + n_valid], "test": order[:n_test]}
    qrels: dict[str, Qrels] = {
        split: {ids[row]: {ids[row]: 1} for row in sorted(rows.tolist())} for split, rows in parts.items()
    }
    corpus = {doc_id: Document(document.text) for doc_id, document in kept.items()}
    return Collection(
        f"{collection.name} titles", corpus, {doc_id: document.title for doc_id, document in kept.items()}, qrels
    )


def _distinct(collection: Collection) -> dict[str, Document]:
    """Return the documents with a title and a text that no earlier one has."""
    titles, texts = set[str](), set[str]()
    kept = {}
    for doc_id, document in collection.corpus.items():
        title, text = normalise(document.title), normalise(document.text)
        if title and text and title not in titles and text not in texts:
            kept[doc_id] = document
        titles.add(title)
        texts.add(text)
    return kept
