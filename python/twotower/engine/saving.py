"""The saved folder of an Engine: a container for the texts that names the folder with the other parts.

Parts are written into a new folder ``parts-<random>`` first; then the container's manifest, which names it, is swapped in
one step; then older parts are removed. A kill at any moment leaves the old engine or the new one.
"""

import fcntl
import hashlib
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, FileError
from twotower.storage import read_container, write_container

KIND = "engine"
_DESCRIBING = ("twotower.manifest", "config.json")
_PARTS = re.compile(r"parts-[0-9a-f]{16}")


def save_parts(
    folder: str | Path,
    write: Callable[[Path], Mapping[str, Any]],
    arrays: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Let `write` fill a new folder of parts and return metadata; then make it and `arrays` the content of `folder`.

    Raises
    ------
    FileError
        If the folder cannot be written, or another process is saving there.
    """
    root = Path(folder)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _only_saver(root):
            parts = root / f"parts-{secrets.token_hex(8)}"
            try:
                parts.mkdir()
                meta = {**write(parts), "parts": parts.name}
                write_container(root, KIND, {**meta, "identity": _identity(parts)}, arrays)
            except BaseException:
                shutil.rmtree(parts, ignore_errors=True)
                raise
            for old in root.iterdir():
                if _PARTS.fullmatch(old.name) and old != parts:
                    shutil.rmtree(old, ignore_errors=True)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"cannot save an engine to {root}: {error}") from error


def load_parts(folder: str | Path) -> tuple[Path, dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Return the folder of the parts, the metadata and the arrays of a saved engine.

    Raises
    ------
    FileError
        If there is no engine.
    CorruptFileError
        If it is damaged.
    """
    root = Path(folder)
    meta, arrays = read_container(root, KIND)
    name = meta.get("parts")
    if not isinstance(name, str) or not _PARTS.fullmatch(name):
        raise CorruptFileError(f"{root}: the folder of the parts is named {name!r}; save the engine again")
    if not (root / name).is_dir():
        raise CorruptFileError(f"{root}: {name} is missing; save the engine again")
    if _identity(root / name) != meta.get("identity"):
        raise CorruptFileError(f"{root}: the parts in {name} do not belong together; save the engine again")
    return root / name, meta, arrays


def _identity(parts: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that describe the parts; these hold checksums of all others."""
    try:
        described = sorted(path for name in _DESCRIBING for path in parts.glob(f"*/{name}"))
        return {str(path.relative_to(parts)): hashlib.sha256(path.read_bytes()).hexdigest() for path in described}
    except OSError as error:
        raise FileError(f"cannot read the engine in {parts}: {error}") from error


@contextmanager
def _only_saver(root: Path) -> Iterator[None]:
    with (root / ".saving").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileError(f"another process is saving to {root}: try again when it is done") from error
        yield
