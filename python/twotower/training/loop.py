"""The training loop: epochs of steps, validation, best weights, resume."""

import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm

from twotower.errors import InputTypeError, TrainingError
from twotower.losses.scores import all_finite
from twotower.losses.wrapping import loss_function
from twotower.negatives.choose import Negatives
from twotower.towers import TwoTower
from twotower.towers.saving import weights_of
from twotower.training.batches import Batch, epoch_batches, n_batches
from twotower.training.checkpoint import Position, has_checkpoint, load_checkpoint, read_position, write_checkpoint
from twotower.training.drawing import NegativeSource
from twotower.training.health import indifferent_loss, query_blind_score
from twotower.training.log import History, MetricsFile, read_history
from twotower.training.optimiser import WARMUP, rate_at
from twotower.training.pairs import PairSource, epoch_sets, training_set
from twotower.training.refresh import Refresher, vectors_of
from twotower.training.settings import Settings, check_folder
from twotower.training.step import Stepper
from twotower.training.teacher import TeacherScores
from twotower.training.validation import Validation
from twotower.types import Collection, Run

if TYPE_CHECKING:
    from twotower.losses import Loss

Callback = Callable[[dict[str, Any]], object]
"""Gets every record of a run, as metrics.jsonl has it; a callback that returns True ends the run after this step or epoch."""


def train(
    model: TwoTower,
    collection: Collection | PairSource,
    *,
    loss: "Loss | str" = "in_batch",
    negatives: Negatives = None,
    split: str = "train",
    valid: str | None = "valid",
    epochs: int = 8,
    batch_size: int = 1024,
    lr: float = 0.1,
    warmup: float = WARMUP,
    clip: float = 1.0,
    optimiser: str = "adam",
    weight_decay: float = 0.0,
    precision: str = "float32",
    buckets: bool = False,
    patience: int | None = None,
    teacher: Run | None = None,
    seed: int = 0,
    shuffle_labels: bool = False,
    folder: str | Path | None = None,
    resume: bool = False,
    checkpoint_every: int | None = None,
    threads: int | None = None,
    progress: bool | None = None,
    callbacks: Sequence[Callback] = (),
) -> History:
    """Teach `model` to give a query and its relevant documents like vectors; the model ends with its best weights.

    Parameters
    ----------
    model : TwoTower
        Trained in place; left in evaluation mode.
    collection : Collection or PairSource
        Judged pairs, or what draws pairs from texts alone, such as ``tt.pretraining.ict(collection)``. Such a source takes no
        `split`, and neither negatives nor a teacher; its valid split is that of the collection it names.
    loss : callable or str
        A loss of `twotower.losses`, such as ``tt.losses.triplet(margin=0.2)``, or the name of one with its own
        defaults.
    negatives : None, str, source, mapping of query_id to doc_ids, or a list of these
        Besides the other documents of the batch, explicit negatives for each query and step: a source such as
        ``tt.mine.bm25(index, depth=50)``, the name of one with its defaults ("random", "candidates", "bm25", "dense"), or
        documents found beforehand. Known positives never are negatives.
    split, valid : str
        Splits to learn from and to choose the best epoch on, by RR@10 over the whole corpus. ``valid=None``: the last
        epoch is kept.
    epochs, batch_size : int
        Times that each pair is seen; pairs that meet in a step.
    lr : float
        Highest learning rate of the embedding tables, falling to almost 0 at the end. All other weights learn at a tenth
        of it.
    warmup : float
        Share of the steps in which the rate rises to `lr`.
    clip : float
        Longest gradient allowed.
    optimiser : str
        "adam", "adagrad" (a third of its memory), "dense_adam" (torch's own on whole tables), or "adam_uncorrected": see
        `twotower.training.optimiser`.
    weight_decay : float
        Decoupled from the gradient (AdamW); of the rows of a table in the steps that have them.
    precision : {"float32", "bfloat16"}
        Of the matrix products inside the towers (autocast); weights, loss and update stay in float32.
    buckets : bool
        Let pairs of like length meet in a batch: recurrent towers then have fewer idle places.
    patience : int, optional
        Stop after so many epochs without a better figure on valid.
    teacher : run, optional
        Scores of a teacher, query_id to doc_id to score, for losses that distil.
    seed : int
        Of the order of pairs, drawn negatives, dropout and shuffled labels. Torch's global random state is left as it
        was.
    shuffle_labels : bool
        Train on `shuffled_pairs` instead: the twin that shows what is learned without labels.
    folder : path, optional
        Gets metrics.jsonl, ``checkpoint`` and ``model`` (the best weights so far, for `TwoTower.from_pretrained`).
    resume : bool
        Go on where the run in `folder` was, or begin if there is none: losses and weights come out bit for bit as
        without the interruption.
    checkpoint_every : int, optional
        Steps between checkpoints; there always is one at the end of an epoch.
    threads : int, optional
        For torch; None leaves its setting.
    progress : bool, optional
        A bar on standard error; None shows it on a terminal only.
    callbacks : sequence of callables
        Each gets every record that metrics.jsonl gets: of a step, an epoch, a refresh of negatives. One that returns True
        ends the run. `twotower.training.tensorboard` makes one for TensorBoard.

    Returns
    -------
    History

    Raises
    ------
    InvalidInputError
        If an argument is out of range, a split has no pair, `folder` holds a run and `resume` is not set, or holds a
        run with other settings.
    TrainingError
        If a loss or a gradient is not finite, or after an epoch a weight or a vector.
    InputTypeError
        If an argument is of a wrong type.
    CorruptFileError, FileError
        If `folder` is damaged or cannot be written.

    Notes
    -----
    Adam on the embedding rows of each batch (see `twotower.training.optimiser.RowAdam`). A batch in which no query has a
    negative is passed over. Look at ``History.failure`` before you believe a run.
    """
    if folder is not None and not isinstance(folder, str | os.PathLike):
        raise InputTypeError(f"folder is {folder!r}: give a path")
    place = None if folder is None else Path(folder)
    settings = Settings.of(
        model, collection, loss=loss, negatives=negatives, split=split, valid=valid, epochs=epochs,
        batch_size=batch_size, lr=lr, warmup=warmup, clip=clip, optimiser=optimiser, weight_decay=weight_decay,
        precision=precision, buckets=buckets, patience=patience, teacher=teacher, seed=seed, shuffle_labels=shuffle_labels,
        checkpoint_every=checkpoint_every, threads=threads,
    )  # fmt: skip
    if not isinstance(callbacks, Sequence) or not all(callable(callback) for callback in callbacks):
        raise InputTypeError(f"callbacks is {callbacks!r}: give a list of functions of one record")
    if place is not None:
        check_folder(place, model, resume)
    with _torch_state(settings.threads, seed), _evaluating_afterwards(model):
        run = _Run(model, collection, loss_function(loss), negatives, teacher, settings, place, progress, callbacks)
        if place is not None and resume and has_checkpoint(place):
            run.resume()
        return run.go()


class _Run:
    """A training run: what `train` does, with its state in one place."""

    def __init__(
        self, model: TwoTower, collection: Collection | PairSource, loss: "Loss", negatives: Negatives, teacher: Run | None,
        settings: Settings, folder: Path | None, progress: bool | None, callbacks: Sequence[Callback],
    ) -> None:  # fmt: skip
        self.started = time.perf_counter()
        self.model, self.settings, self.folder, self.progress = model, settings, folder, progress
        shuffle_seed = settings.seed if settings.shuffle_labels else None
        self.sets = epoch_sets(collection, settings.split, model.reader, settings.seed, shuffle_seed)
        self.training = self.sets(1)
        collection = collection if isinstance(collection, Collection) else collection.labelled
        self.source = NegativeSource(
            negatives, collection, self.training, vectors=lambda: vectors_of(model, self.training),
            threads=settings.threads, folder=folder,
        )  # fmt: skip
        self.refreshers = [
            Refresher(self.source, place, model, self.training)
            for place, source in enumerate(self.source.sources)
            if source.uses_model
        ]
        self.teacher = (
            None if teacher is None else TeacherScores.of(teacher, self.training.query_ids, list(collection.corpus))
        )
        self.validation = (
            None if settings.valid is None else Validation.of(training_set(collection, settings.valid, model.reader))
        )
        self.blind = None if self.validation is None else query_blind_score(self.validation.relevant)
        self.callbacks, self.stopped = callbacks, False
        self.stepper = Stepper(
            model, loss, settings.clip, optimiser=settings.optimiser, precision=settings.precision,
            weight_decay=settings.weight_decay,
        )  # fmt: skip
        self.per_epoch = n_batches(self.training, settings.batch_size)
        self.history = History()
        self.step = 0
        self.metrics_at = 0
        self.best: dict[str, torch.Tensor] = {}

    def resume(self) -> None:
        """Take over the checkpoint in the folder."""
        assert self.folder is not None
        position = read_position(self.folder, self.settings.to_record())
        load_checkpoint(self.folder, self.stepper.optimiser)
        for refresher in self.refreshers:
            refresher.load(self.folder / "checkpoint")
        self.history = read_history(self.folder / "metrics.jsonl", position.metrics_bytes)
        self.step, self.metrics_at = position.step, position.metrics_bytes
        self.started -= position.seconds

    def go(self) -> History:
        """Run to the end."""
        settings = self.settings
        total = settings.epochs * self.per_epoch
        hidden = None if self.progress is None else not self.progress  # None: tqdm looks for a terminal
        self.metrics = MetricsFile(self.folder and self.folder / "metrics.jsonl", self.metrics_at)
        with self.metrics, ExitStack() as stack, tqdm(
            total=total, initial=self.step, desc="training", unit="step", disable=hidden, file=sys.stderr
        ) as bar:  # fmt: skip
            for refresher in self.refreshers:
                stack.enter_context(refresher)
            for epoch in range(self.step // self.per_epoch + 1, settings.epochs + 1):
                if self.stopped or self._out_of_patience():
                    break
                self._epoch(epoch, total, bar)
                self._end_epoch(epoch)
                bar.set_postfix(loss=f"{self.history.losses[-1]:.4f}", valid=self.history.best_valid)
        self._restore_best()
        self.history.seconds = self._seconds()
        return self.history

    def _epoch(self, epoch: int, total: int, bar: tqdm) -> None:
        settings = self.settings
        self.model.train()
        self.training = self.sets(epoch)
        skip = self.step - (epoch - 1) * self.per_epoch
        batches = epoch_batches(
            self.training, self.source, settings.batch_size, settings.seed, epoch, skip, buckets=settings.buckets,
            teacher=self.teacher,
        )  # fmt: skip
        for batch in batches:
            self.last_batch = batch
            self._step(epoch, total, batch)
            bar.update()
            if self.stopped:
                break
            every = settings.checkpoint_every
            if every and self.step % every == 0 and self.step % self.per_epoch:
                self._checkpoint()

    def _step(self, epoch: int, total: int, batch: Batch) -> None:
        self.step += 1
        lr = rate_at(self.step, total, self.settings.lr, self.settings.warmup)
        loss, length = self.stepper.step(self.training, batch, lr)
        if not math.isfinite(loss) or not math.isfinite(length):
            self.stepper.optimiser.flush()
            raise TrainingError(
                f"step {self.step} (epoch {epoch}) has a loss of {loss} and a gradient of length {length}, with a learning "
                f"rate of {lr:.3g}: take a smaller lr or a smaller clip. The weights are those before the step"
            )
        passed_over = {} if batch.has_negatives else {"passed_over": True}
        self._record({"step": self.step, "epoch": epoch, "loss": loss, "lr": lr, "gradient": length} | passed_over)
        if self.refreshers:
            self.stepper.optimiser.flush()
        for refresher in self.refreshers:
            if (record := refresher.after(self.step)) is not None:
                self._record(record)

    def _end_epoch(self, epoch: int) -> None:
        self.model.eval()
        self.stepper.optimiser.flush()
        if not all(all_finite(weights) for weights in weights_of(self.model).values()):
            raise TrainingError(f"after epoch {epoch} a weight is not finite: take a smaller lr or weight_decay")
        valid = None if self.validation is None else self.validation.score(self.model)
        measured = {} if valid is None else {"valid": valid, "blind": self.blind}
        indifferent = indifferent_loss(self.stepper.loss, self.last_batch, self.model.out_dim)
        self._record({"epoch": epoch, **measured, "indifferent": indifferent, "seconds": self._seconds()})
        if valid is None or self.history.best_epoch == epoch:
            if self.folder is None:
                self.best = {name: weights.clone() for name, weights in weights_of(self.model).items()}
            else:
                self.model.save_pretrained(self.folder / "model")
        self._checkpoint()

    def _out_of_patience(self) -> bool:
        patience, best = self.settings.patience, self.history.best_epoch
        return patience is not None and best is not None and len(self.history.valid) - best >= patience

    def _record(self, record: dict[str, Any]) -> None:
        self.history.add(record)
        self.metrics.write(record)
        for callback in self.callbacks:
            self.stopped |= callback(dict(record)) is True

    def _checkpoint(self) -> None:
        if self.folder is not None:  # the metrics first: a checkpoint counts on their bytes
            position = Position(self.step, self.metrics.sync(), self._seconds(), self.settings.to_record())
            more = [refresher.save for refresher in self.refreshers]
            write_checkpoint(self.folder, self.stepper.optimiser, position, more)

    def _restore_best(self) -> None:
        best = self.best if self.folder is None else weights_of(TwoTower.from_pretrained(self.folder / "model"))
        with torch.no_grad():
            for name, weights in weights_of(self.model).items():
                weights.copy_(best[name])

    def _seconds(self) -> float:
        return time.perf_counter() - self.started


@contextmanager
def _evaluating_afterwards(model: TwoTower) -> Iterator[None]:
    """Leave the model as it is used, without dropout, however training ends."""
    try:
        yield
    finally:
        model.eval()


@contextmanager
def _torch_state(threads: int, seed: int) -> Iterator[None]:
    """Set torch's threads and random seed, and put back what there was."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
