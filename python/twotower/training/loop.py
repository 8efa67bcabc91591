"""The training loop: epochs of steps, validation, best weights, resume."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tqdm import tqdm

from twotower.errors import TrainingError
from twotower.losses.wrapping import loss_function
from twotower.towers import TwoTower
from twotower.towers.saving import weights_of
from twotower.training.batches import Batch, Negatives, NegativeSource, epoch_batches, n_batches
from twotower.training.checkpoint import Position, has_checkpoint, load_checkpoint, read_position, write_checkpoint
from twotower.training.log import History, MetricsFile, read_history
from twotower.training.optimiser import rate_at
from twotower.training.pairs import training_set
from twotower.training.settings import Settings, check_folder
from twotower.training.step import Stepper
from twotower.training.validation import Validation
from twotower.types import Collection

if TYPE_CHECKING:
    from twotower.losses import Loss


def train(
    model: TwoTower,
    collection: Collection,
    *,
    loss: "Loss | str" = "in_batch",
    negatives: Negatives = None,
    split: str = "train",
    valid: str | None = "valid",
    epochs: int = 8,
    batch_size: int = 1024,
    lr: float = 0.1,
    clip: float = 1.0,
    seed: int = 0,
    shuffle_labels: bool = False,
    folder: str | Path | None = None,
    resume: bool = False,
    checkpoint_every: int | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> History:
    """Teach `model` to give a query and its relevant documents like vectors; the model ends with its best weights.

    Parameters
    ----------
    model : TwoTower
        Trained in place; left in evaluation mode.
    collection : Collection
    loss : callable or str
        A loss of `twotower.losses`, such as ``tt.losses.triplet(margin=0.2)``, or the name of one with its own
        defaults.
    negatives : None, "random", "candidates" or mapping of query_id to doc_ids
        Besides the other documents of the batch, one explicit negative a query and step, drawn from there. Known
        positives never are negatives.
    split, valid : str
        Splits to learn from and to choose the best epoch on, by RR@10 over the whole corpus. ``valid=None``: the last
        epoch is kept.
    epochs, batch_size : int
        Times that each pair is seen; pairs that meet in a step.
    lr : float
        Highest learning rate of the embedding tables: reached after a tenth of the steps, falling to almost 0 at the end.
        All other weights learn at a tenth of it.
    clip : float
        Longest gradient allowed.
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

    Returns
    -------
    History

    Raises
    ------
    InvalidInputError
        If an argument is out of range, a split has no pair, `folder` holds a run and `resume` is not set, or holds a
        run with other settings.
    TrainingError
        If a loss or a gradient is not finite.
    CorruptFileError, FileError
        If `folder` is damaged or cannot be written.

    Notes
    -----
    Adam on the embedding rows of each batch (see `twotower.training.optimiser.RowAdam`).
    """
    place = None if folder is None else Path(folder)
    settings = Settings.of(
        model, collection, loss=loss, negatives=negatives, split=split, valid=valid, epochs=epochs,
        batch_size=batch_size, lr=lr, clip=clip, seed=seed, shuffle_labels=shuffle_labels,
        checkpoint_every=checkpoint_every, threads=threads,
    )  # fmt: skip
    if place is not None:
        check_folder(place, model, resume)
    with _torch_state(settings.threads, seed):
        run = _Run(model, collection, loss_function(loss), negatives, settings, place, progress)
        if place is not None and resume and has_checkpoint(place):
            run.resume()
        return run.go()


class _Run:
    """A training run: what `train` does, with its state in one place."""

    def __init__(
        self, model: TwoTower, collection: Collection, loss: "Loss", negatives: Negatives, settings: Settings,
        folder: Path | None, progress: bool | None,
    ) -> None:  # fmt: skip
        self.started = time.perf_counter()
        self.model, self.settings, self.folder, self.progress = model, settings, folder, progress
        shuffle_seed = settings.seed if settings.shuffle_labels else None
        self.training = training_set(collection, settings.split, model.reader, shuffle_seed)
        self.source = NegativeSource(negatives, collection, self.training)
        self.validation = (
            None if settings.valid is None else Validation.of(training_set(collection, settings.valid, model.reader))
        )
        self.stepper = Stepper(model, loss, settings.clip)
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
        self.history = read_history(self.folder / "metrics.jsonl", position.metrics_bytes)
        self.step, self.metrics_at = position.step, position.metrics_bytes
        self.started -= position.seconds

    def go(self) -> History:
        """Run to the end."""
        settings = self.settings
        total = settings.epochs * self.per_epoch
        hidden = None if self.progress is None else not self.progress  # None: tqdm looks for a terminal
        self.metrics = MetricsFile(self.folder and self.folder / "metrics.jsonl", self.metrics_at)
        with self.metrics, tqdm(
            total=total, initial=self.step, desc="training", unit="step", disable=hidden, file=sys.stderr
        ) as bar:  # fmt: skip
            for epoch in range(self.step // self.per_epoch + 1, settings.epochs + 1):
                self._epoch(epoch, total, bar)
                self._end_epoch(epoch)
                bar.set_postfix(loss=f"{self.history.losses[-1]:.4f}", valid=self.history.best_valid)
        self._restore_best()
        self.history.seconds = self._seconds()
        return self.history

    def _epoch(self, epoch: int, total: int, bar: tqdm) -> None:
        settings = self.settings
        self.model.train()
        skip = self.step - (epoch - 1) * self.per_epoch
        for batch in epoch_batches(self.training, self.source, settings.batch_size, settings.seed, epoch, skip):
            self._step(epoch, total, batch)
            bar.update()
            every = settings.checkpoint_every
            if every and self.step % every == 0 and self.step % self.per_epoch:
                self._checkpoint()

    def _step(self, epoch: int, total: int, batch: Batch) -> None:
        self.step += 1
        lr = rate_at(self.step, total, self.settings.lr)
        loss, length = self.stepper.step(self.training, batch, lr)
        if not math.isfinite(loss) or not math.isfinite(length):
            raise TrainingError(
                f"step {self.step} (epoch {epoch}) has a loss of {loss} and a gradient of length {length}, with a learning "
                f"rate of {lr:.3g}: take a smaller lr or a smaller clip. The weights are those before the step"
            )
        self._record({"step": self.step, "epoch": epoch, "loss": loss, "lr": lr, "gradient": length})

    def _end_epoch(self, epoch: int) -> None:
        self.model.eval()
        valid = None if self.validation is None else self.validation.score(self.model)
        if valid is not None:
            self._record({"epoch": epoch, "valid": valid, "seconds": self._seconds()})
        if valid is None or self.history.best_epoch == epoch:
            if self.folder is None:
                self.best = {name: weights.clone() for name, weights in weights_of(self.model).items()}
            else:
                self.model.save_pretrained(self.folder / "model")
        self._checkpoint()

    def _record(self, record: dict[str, float]) -> None:
        self.history.add(record)
        self.metrics.write(record)

    def _checkpoint(self) -> None:
        if self.folder is not None:  # the metrics first: a checkpoint counts on their bytes
            position = Position(self.step, self.metrics.sync(), self._seconds(), self.settings.to_record())
            write_checkpoint(self.folder, self.stepper.optimiser, position)

    def _restore_best(self) -> None:
        best = self.best if self.folder is None else weights_of(TwoTower.from_pretrained(self.folder / "model"))
        with torch.no_grad():
            for name, weights in weights_of(self.model).items():
                weights.copy_(best[name])

    def _seconds(self) -> float:
        return time.perf_counter() - self.started


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
