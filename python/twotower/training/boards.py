"""What TensorBoard shows of a run. The package is not among the dependencies."""

from pathlib import Path
from typing import Any

from twotower.errors import MissingExtraError

SKIPPED = ("step", "epoch", "at_step")


def tensorboard(folder: str | Path) -> "TensorBoard":
    """Return a callback for `twotower.train` that writes every number of its records for TensorBoard.

    Parameters
    ----------
    folder : path
        For ``tensorboard --logdir folder``.

    Raises
    ------
    MissingExtraError
        If the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter  # type: ignore[attr-defined,unused-ignore]
    except ImportError as error:
        raise MissingExtraError("the package tensorboard is not installed: pip install tensorboard") from error
    return TensorBoard(SummaryWriter(str(folder)))  # type: ignore[no-untyped-call,unused-ignore]


class TensorBoard:
    """A callback: see `tensorboard`."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._step = 0

    def __call__(self, record: dict[str, Any]) -> None:
        """Write the numbers of a record: those of steps and refreshes at their step, those of epochs at the last step."""
        self._step = record.get("step", record.get("at_step", self._step))
        kind = "step" if "step" in record else "refresh" if "refresh" in record else "epoch"
        for name, value in record.items():
            if name not in SKIPPED and isinstance(value, int | float):
                self._writer.add_scalar(f"{kind}/{name}", value, self._step)
        if kind != "step":
            self._writer.flush()
