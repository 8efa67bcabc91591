"""Lists of DocIds as rows of arrays: their union, places in them, and their order. Knows no searcher.

Rows are padded with -1. Legend: Q queries, C candidates, L list length, U size of the largest union, K results.
"""

import numpy as np
import numpy.typing as npt

Docs = npt.NDArray[np.int64]
_LAST = np.iinfo(np.int64).max


def union(lists: list[Docs]) -> Docs:
    """Return the DocIds that are in any of the lists: int64 [Q, U], ascending, padding last.

    Examples
    --------
    >>> union([np.array([[3, 1], [2, -1]]), np.array([[1, 0], [-1, -1]])]).tolist()
    [[0, 1, 3], [2, -1, -1]]
    """
    docs = np.concatenate(lists, axis=1)
    docs = np.sort(np.where(docs < 0, _LAST, docs), axis=1)
    docs[:, 1:][docs[:, 1:] == docs[:, :-1]] = _LAST
    docs.sort(axis=1)
    width = int((docs != _LAST).sum(axis=1).max(initial=0))
    return np.where(docs == _LAST, -1, docs)[:, :width]


def ranks(ranked: Docs, docs: Docs) -> npt.NDArray[np.int64]:
    """Return the rank, from 1, that each of `docs` [Q, C] has in its row of `ranked` [Q, L]; 0 where it is not there.

    Examples
    --------
    >>> ranks(np.array([[7, 5]]), np.array([[5, 6, 7, -1]])).tolist()
    [[2, 0, 1, 0]]
    """
    rows = np.arange(len(docs))[:, np.newaxis]
    # One number a (row, document): DocIds are below 2^32 and rows of a block far below 2^31.
    listed, wanted = (rows << 32) + ranked, (rows << 32) + docs
    at_row, at_place = np.nonzero(ranked >= 0)
    keys = listed[at_row, at_place]
    order = np.argsort(keys)
    found = np.zeros(docs.shape, np.int64)
    if len(keys):
        near = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
        found = np.where((docs >= 0) & (keys[near] == wanted), at_place[near] + 1, 0)
    return found


def best(scores: npt.NDArray[np.float32], docs: Docs, k: int) -> tuple[npt.NDArray[np.float32], Docs]:
    """Return scores and docs [Q, K] of the `k` best: score descending, then DocId ascending, -inf and -1 as padding.

    Examples
    --------
    >>> scores, docs = best(np.array([[1, 2, 1]], np.float32), np.array([[8, 9, 3]]), 4)
    >>> docs.tolist(), scores.tolist()
    ([[9, 3, 8, -1]], [[2.0, 1.0, 1.0, -inf]])
    """
    return best_with_columns(scores, docs, k, docs)[:2]


def best_with_columns(
    scores: npt.NDArray[np.float32], docs: Docs, k: int, order: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], Docs, npt.NDArray[np.intp]]:
    """Return what `best` returns and the columns [Q, K] where it stood, 0 for padding; equal scores by `order` [Q, C] ascending."""
    top_scores = np.full((len(docs), k), -np.inf, np.float32)
    top_docs = np.full((len(docs), k), -1, np.int64)
    columns = np.zeros((len(docs), k), np.intp)
    found = np.lexsort((order, -scores, docs < 0), axis=1)[:, :k]
    width = found.shape[1]
    columns[:, :width] = found
    top_docs[:, :width] = np.take_along_axis(docs, found, axis=1)
    top_scores[:, :width] = np.where(top_docs[:, :width] < 0, -np.inf, np.take_along_axis(scores, found, axis=1))
    return top_scores, top_docs, np.where(top_docs < 0, 0, columns)
