"""Random negatives: any document of the corpus that is not known to be relevant."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twotower.negatives.doc_lists import DocLists, Rows
from twotower.negatives.source import Source
from twotower.negatives.task import Task

TRIES = 64


@dataclass(frozen=True)
class AnyDocument:
    """Draws from the whole corpus of `n_documents`; has no lists."""

    n_documents: int
    known: DocLists

    def draw(self, queries: Rows, n: int, generator: np.random.Generator) -> tuple[Rows, Rows]:
        """Return (place in `queries`, document): `n` different documents for each query, each equally likely.

        A known or repeated one is drawn again; where hardly any document is left a query may get fewer.
        """
        n = min(n, self.n_documents)
        drawn = generator.integers(self.n_documents, size=(len(queries), n))
        for _ in range(TRIES):
            wrong = self.known.contains(queries, drawn) | _repeated(drawn)
            if not wrong.any():
                break
            drawn[wrong] = generator.integers(self.n_documents, size=int(wrong.sum()))
        good = ~(self.known.contains(queries, drawn) | _repeated(drawn))
        return np.nonzero(good)[0], drawn[good]


def _repeated(drawn: Rows) -> npt.NDArray[np.bool_]:
    """Tell for each element whether an earlier one of its row is the same."""
    order = np.argsort(drawn, axis=1, kind="stable")
    ranked = np.take_along_axis(drawn, order, axis=1)
    repeated = np.zeros(drawn.shape, bool)
    np.put_along_axis(repeated, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
    return repeated


@dataclass(frozen=True)
class RandomDocuments(Source):
    """See `random`."""

    def prepare(self, task: Task) -> AnyDocument:
        """Return the corpus without what is known."""
        return AnyDocument(len(task.doc_ids), task.known)


def random(per_query: int = 1) -> RandomDocuments:
    """Return the source of random negatives: any document but the known ones.

    Parameters
    ----------
    per_query : int
        Negatives drawn for each query and step.

    Raises
    ------
    InvalidInputError
        If `per_query` is below 1.
    """
    return RandomDocuments(per_query)
