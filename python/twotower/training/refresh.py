"""Negatives made anew while training goes on: who takes the weights when, and when the new lists are taken up.

Q queries, N documents, D dimensions.
"""

import copy
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from twotower.errors import CorruptFileError
from twotower.negatives.doc_lists import DocLists, check_same_length, overlap
from twotower.negatives.task import Vectors
from twotower.towers import TwoTower
from twotower.towers.encoding import encode_terms
from twotower.training.drawing import NegativeSource
from twotower.training.pairs import TrainingSet

SAMPLE = 256


def vectors_of(model: TwoTower, training: TrainingSet) -> Vectors:
    """Return the vectors of the training queries [Q, D] and of all documents [N, D], by the model as it is now."""
    return (
        encode_terms(model, model.query_tower, training.queries),
        encode_terms(model, model.document_tower, training.documents),
    )


@dataclass
class Lists:
    """Lists of negatives, and the step whose weights they were made with."""

    taken_at: int
    docs: DocLists


class Refresher:
    """Keeps the lists of one source that hangs on the model, and replaces them on time.

    Parameters
    ----------
    drawing : NegativeSource
        Whose pool `place` is replaced.
    place : int
    model : TwoTower
    training : TrainingSet
    """

    def __init__(self, drawing: NegativeSource, place: int, model: TwoTower, training: TrainingSet) -> None:
        self.drawing, self.place, self.model, self.training = drawing, place, model, training
        self.source = drawing.sources[place]
        found = drawing.pools[place]
        assert isinstance(found, DocLists)
        self.now = Lists(0, found)
        self.n_refreshes = 0
        self._pending: tuple[int, Future[DocLists] | DocLists] | None = None
        self._worker = ThreadPoolExecutor(1, "negatives")

    def after(self, step: int) -> dict[str, Any] | None:
        """Do what is due after `step`; return a record of the lists that were taken up, if any were."""
        if self.source.schedule is None:
            return None
        every, lag = self.source.schedule
        record = None
        if self._pending is not None and step >= self._pending[0] + lag:
            record = self._take_up(step)
        if step % every == 0:
            if lag:
                self._pending = step, self._worker.submit(self._mine, self._snapshot(), torch.get_num_threads())
            else:
                self._pending = step, self._mine(self.model, torch.get_num_threads())
                record = self._take_up(step)
        return record

    def _take_up(self, step: int) -> dict[str, Any]:
        old, new = self.now, self._wait()
        self.now, self._pending = new, None
        self.drawing.pools[self.place] = new.docs
        self.n_refreshes += 1
        sample = np.random.default_rng(step).permutation(len(new.docs))[:SAMPLE]
        top = _only(new.docs, sample) if new.taken_at == step else self._current(sample)
        places = np.arange(len(sample))
        return {
            "refresh": self.n_refreshes,
            "at_step": step,
            "mined_at": new.taken_at,
            "staleness": step - new.taken_at,
            "staleness_before": step - old.taken_at,
            "overlap": overlap(_only(new.docs, sample), top, places),
            "overlap_before": overlap(_only(old.docs, sample), top, places),
            "n_documents": len(new.docs.docs),
        }

    def _current(self, sample: np.ndarray[Any, np.dtype[np.int64]]) -> DocLists:
        """Return the lists that the weights of this step would give to some queries."""
        task = self.drawing.task
        queries, documents = vectors_of(self.model, self.training)
        some = replace(
            task,
            query_ids=[task.query_ids[row] for row in sample],
            queries=[task.queries[row] for row in sample],
            positives=_only(task.positives, sample),
            known=_only(task.known, sample),
            vectors=lambda: (queries[sample], documents),
            folder=None,
        )
        found = self.source.prepare(some)
        assert isinstance(found, DocLists)
        return found

    def _snapshot(self) -> TwoTower:
        model = self.model.twin()
        model.load_state_dict(copy.deepcopy(self.model.state_dict()))
        return model

    def _mine(self, model: TwoTower, threads: int) -> DocLists:
        torch.set_num_threads(threads)
        found = self.source.prepare(replace(self.drawing.task, vectors=lambda: vectors_of(model, self.training)))
        assert isinstance(found, DocLists)
        return found

    def _wait(self) -> Lists:
        assert self._pending is not None
        taken_at, found = self._pending
        return Lists(taken_at, found.result() if isinstance(found, Future) else found)

    def save(self, folder: Path) -> None:
        """Write the lists in force, and those under way, which are waited for, into a new checkpoint."""
        meta = {"taken_at": self.now.taken_at, "n_refreshes": self.n_refreshes}
        self.now.docs.save(folder / f"negatives-{self.place}", meta)
        if self._pending is not None:
            lists = self._wait()
            self._pending = lists.taken_at, lists.docs
            lists.docs.save(folder / f"negatives-{self.place}-next", {"taken_at": lists.taken_at})

    def load(self, folder: Path) -> None:
        """Take over what `save` wrote.

        Raises
        ------
        FileError, CorruptFileError
            If it is missing or damaged.
        """
        name = f"negatives-{self.place}"
        self.now, self.n_refreshes = self._read(folder / name, "n_refreshes")
        self.drawing.pools[self.place] = self.now.docs
        self._pending = None
        if (folder / f"{name}-next").exists():
            lists, _ = self._read(folder / f"{name}-next")
            self._pending = lists.taken_at, lists.docs

    def _read(self, folder: Path, count: str = "taken_at") -> tuple[Lists, int]:
        docs, meta, _ = DocLists.load(folder, len(self.drawing.task.doc_ids))
        check_same_length(docs, len(self.drawing.task.queries), str(folder))
        if type(meta.get("taken_at")) is not int or type(meta.get(count)) is not int:
            raise CorruptFileError(f"{folder}: does not say which step the lists were made at: train anew")
        return Lists(meta["taken_at"], docs), meta[count]

    def close(self) -> None:
        """Wait for what is under way."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _only(lists: DocLists, rows: np.ndarray[Any, np.dtype[np.int64]]) -> DocLists:
    places, docs = lists.flat(rows)
    counts = np.bincount(places, minlength=len(rows))
    return DocLists(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), docs.astype(np.uint32))
