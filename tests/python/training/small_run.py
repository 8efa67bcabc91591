"""A training run in a process of its own, that kills itself: ``python small_run.py FOLDER KIND [POINT NUMBER]``.

POINT "step" kills before step NUMBER of the run; "written" before, "replaced" after checkpoint NUMBER of the process
takes its place.
"""

import os
import signal
import sys

from small_collection import ANALYZER, translated, vocabulary_of
from twotower.towers import TwoTower
from twotower.training import checkpoint, loop, train
from twotower.training.log import History

SETTINGS = {
    "epochs": 6,
    "batch_size": 16,
    "lr": 0.05,
    "seed": 7,
    "threads": 1,
    "negatives": "random",
    "progress": False,
}
N_STEPS = 36  # 90 pairs in 6 batches, 6 epochs


def start(folder: str | None, kind: str) -> tuple[TwoTower, History]:
    """Begin or resume the run of `kind`."""
    collection = translated()
    vocabulary = vocabulary_of(collection)
    if kind == "average":
        model = TwoTower.average(vocabulary, ANALYZER, dim=8, tied=False)
    else:
        model = TwoTower.rnn(vocabulary, ANALYZER, dim=8, hidden=8, dropout=0.3, layers=2)
    return model, train(model, collection, folder=folder, resume=folder is not None, checkpoint_every=4, **SETTINGS)


def die_at(point: str, number: int) -> None:
    """Arrange for SIGKILL."""
    die = lambda: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
    count = 0
    replace, step = checkpoint.replace_folder, loop._Run._step

    def replace_or_die(*arguments):
        nonlocal count
        count += 1
        if count == number and point == "written":
            die()
        replace(*arguments)
        if count == number and point == "replaced":
            die()

    def step_or_die(run, *arguments):
        if point == "step" and run.step + 1 == number:
            die()
        step(run, *arguments)

    checkpoint.replace_folder, loop._Run._step = replace_or_die, step_or_die


if __name__ == "__main__":
    if len(sys.argv) > 3:
        die_at(sys.argv[3], int(sys.argv[4]))
    start(sys.argv[1], sys.argv[2])
