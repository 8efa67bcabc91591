"""Terms of many texts as numbers, and how a stream of texts is cut into calls of the core."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

BATCH = 4096
"""Texts that cross into the core in one call."""

T = TypeVar("T")


class TermIds(NamedTuple):
    """Terms of N texts as T ids, one behind the other.

    Attributes
    ----------
    ids : ndarray of int32, shape [T]
        -1 stands for a term that the vocabulary does not have.
    offsets : ndarray of int64, shape [N + 1]
        The terms of text n are ``ids[offsets[n]:offsets[n + 1]]``.
    """

    ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]


def batches(items: Iterable[T]) -> Iterator[tuple[int, tuple[T, ...]]]:
    """Cut a stream into tuples of at most `BATCH` items, each with the number of its first."""
    stream = iter(items)
    first = 0
    while batch := tuple(islice(stream, BATCH)):
        yield first, batch
        first += len(batch)


def joined(parts: Iterable[TermIds]) -> TermIds:
    """Put batches of texts one behind the other."""
    held = list(parts)
    if len(held) == 1:  # a query, as a rule: nothing to copy
        return held[0]
    ids = [np.zeros(0, np.int32)]
    offsets = [np.zeros(1, np.int64)]
    for part in held:
        ids.append(part.ids)
        offsets.append(part.offsets[1:] + offsets[-1][-1])
    return TermIds(np.concatenate(ids), np.concatenate(offsets))
