"""Texts cut into units, as terms: what pseudo-queries are taken from. Knows no model and no chance.

N blocks, U units of all blocks. Unit 0 of a block is its title, which may be empty.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
import numpy.typing as npt

from twotower.towers.reader import Reader, Terms

Rows = npt.NDArray[np.int64]
_BLOCKS_AT_ONCE = 4096


@dataclass(frozen=True)
class Blocks:
    """Units of N blocks.

    Attributes
    ----------
    ids : ndarray of int32, shape [T]
        Terms of all units.
    units : ndarray of int64, shape [U + 1]
        Unit u has ``ids[units[u]:units[u + 1]]``.
    blocks : ndarray of int64, shape [N + 1]
        Block n has the units ``blocks[n]`` to below ``blocks[n + 1]``.
    max_terms : int
        Terms of a block beyond this many are not read.
    """

    ids: npt.NDArray[np.int32]
    units: Rows
    blocks: Rows
    max_terms: int

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]], reader: Reader) -> Self:
        """Read blocks, each a list of the texts of its units; a few thousand blocks at a time."""
        ids: list[npt.NDArray[np.int32]] = [np.zeros(0, np.int32)]
        lengths: list[Rows] = [np.zeros(0, np.int64)]
        sizes: list[int] = []
        for batch in _batches(texts):
            found = reader.read([unit for block in batch for unit in block])
            ids.append(found.ids.astype(np.int32))
            lengths.append(found.lengths)
            sizes += [len(block) for block in batch]
        return cls(
            np.concatenate(ids),
            _offsets(np.concatenate(lengths)),
            _offsets(np.array(sizes, np.int64)),
            reader.max_terms,
        )

    @property
    def lengths(self) -> Rows:
        """Number of terms of each unit, int64 [U]."""
        return np.diff(self.units)

    def select_units(self, units: Rows) -> Terms:
        """Return the terms of units, each a text."""
        lengths = self.lengths[units]
        offsets = _offsets(lengths)
        return Terms(
            self.ids[np.arange(offsets[-1]) + np.repeat(self.units[units] - offsets[:-1], lengths)].astype(np.int64),
            offsets,
        )

    def without(self, rows: Rows, removed: Rows) -> Terms:
        """Return the terms of blocks `rows`, at most `max_terms` each, without the unit that is `removed` of each (-1: none)."""
        counts = self.blocks[rows + 1] - self.blocks[rows]
        ends = _offsets(counts)
        units = np.arange(ends[-1]) + np.repeat(self.blocks[rows] - ends[:-1], counts)
        stays = units != np.repeat(removed, counts)
        of_row = np.repeat(np.arange(len(rows)), counts)[stays]
        terms = self.select_units(units[stays])
        lengths = np.bincount(of_row, weights=terms.lengths, minlength=len(rows)).astype(np.int64)
        offsets = _offsets(lengths)
        kept = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths) < self.max_terms
        return Terms(terms.ids[kept], _offsets(np.minimum(lengths, self.max_terms)))


def _offsets(lengths: Rows) -> Rows:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _batches(texts: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    stream = iter(texts)
    while batch := list(islice(stream, _BLOCKS_AT_ONCE)):
        yield batch
