"""Batches: which queries and documents meet in a step, and which of them may not count as negatives.

B queries, M documents of a batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from twotower.negatives.doc_lists import DocLists, Rows
from twotower.training.drawing import NegativeSource
from twotower.training.pairs import TrainingSet
from twotower.training.teacher import TeacherScores

BUCKET_BATCHES = 16


@dataclass(frozen=True)
class Batch:
    """Rows of a `TrainingSet`, and the last arguments of a loss.

    Attributes
    ----------
    queries : ndarray of int64, shape [B]
    documents : ndarray of int64, shape [M]
        First the B positives, then the explicit negatives.
    positive : Tensor of int64, shape [B]
    excluded : Tensor of bool, shape [B, M]
    teacher : Tensor of float32, shape [B, M], or None
        NaN where the teacher has no score.
    """

    queries: Rows
    documents: Rows
    positive: torch.Tensor
    excluded: torch.Tensor
    teacher: torch.Tensor | None = None

    @property
    def has_negatives(self) -> bool:
        """Whether a query has a document to beat; one without teaches nothing."""
        if len(self.queries) and int((~self.excluded[0]).sum()) > 1:  # one of them is not the positive
            return True
        return bool((~self.excluded).scatter(1, self.positive.unsqueeze(1), False).any())


def epoch_batches(
    training: TrainingSet, source: NegativeSource, batch_size: int, seed: int, epoch: int, skip: int = 0, *,
    buckets: bool = False, teacher: TeacherScores | None = None,
) -> Iterator[Batch]:  # fmt: skip
    """Yield the batches of an epoch, the same for the same arguments, from batch number `skip` on.

    Every pair comes once an epoch, in an order of `seed` and `epoch`. The batches differ in size by one pair at most,
    so that none is left with hardly any negatives. With `buckets` the pairs of a batch have texts of like length.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(training.pairs))
    n = n_batches(training, batch_size)
    parts = np.array_split(order, n)
    if buckets:
        parts = _bucketed(training, parts, np.random.default_rng([seed, epoch, n]))
    for number, chosen in enumerate(parts):
        if number >= skip:
            queries, judged = training.pairs[chosen].T
            generator = np.random.default_rng([seed, epoch, number])
            positives = source.positives(queries, judged, generator)
            documents = np.concatenate([positives, source.draw(queries, generator)])
            yield Batch(
                queries,
                documents,
                torch.arange(len(queries)),
                excluded_mask(source.known, training.same_text, queries, documents),
                None if teacher is None else teacher.matrix(queries, documents),
            )


def n_batches(training: TrainingSet, batch_size: int) -> int:
    """Return the number of batches in an epoch."""
    return -(-len(training.pairs) // batch_size)


def excluded_mask(known: DocLists, same_text: Rows, queries: Rows, documents: Rows) -> torch.Tensor:
    """Return bool [B, M]: True where the document is known to be no negative, or was there before in the batch.

    A document that comes twice, or two with one text, would push twice. The later one counts only for the query whose positive
    it is, as losses exempt the positive.
    """
    places, wanted = known.flat(queries)
    order = np.argsort(documents, kind="stable")
    ranked = documents[order]
    first, end = np.searchsorted(ranked, wanted, "left"), np.searchsorted(ranked, wanted, "right")
    counts = end - first
    shift = np.repeat(first - (np.cumsum(counts) - counts), counts)
    mask = np.zeros((len(queries), len(documents)), bool)
    mask[np.repeat(places, counts), order[np.arange(counts.sum()) + shift]] = True
    repeated = np.ones(len(documents), bool)
    repeated[np.unique(same_text[documents], return_index=True)[1]] = False
    mask[:, repeated] = True
    return torch.from_numpy(mask)


def _bucketed(training: TrainingSet, parts: list[Rows], generator: np.random.Generator) -> list[Rows]:
    """Sort every `BUCKET_BATCHES` batches by length and cut them again; the batches then come in an order of chance."""
    sorted_parts: list[Rows] = []
    for start in range(0, len(parts), BUCKET_BATCHES):
        some = parts[start : start + BUCKET_BATCHES]
        chosen = np.concatenate(some)
        queries, documents = training.pairs[chosen].T
        longest = np.maximum(training.queries.lengths[queries], training.documents.lengths[documents])
        ends = np.cumsum([len(part) for part in some])[:-1]
        sorted_parts += np.split(chosen[np.argsort(longest, kind="stable")], ends)
    return [sorted_parts[i] for i in generator.permutation(len(sorted_parts))]
