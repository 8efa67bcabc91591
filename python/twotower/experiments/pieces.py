"""A long experiment in pieces: each is written when it is done, and found again when the experiment is started anew.

Knows keys, files and processor time, not what is measured.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotower.errors import CorruptFileError, FileError, InvalidInputError

Record = dict[str, Any]
FILE = "pieces.jsonl"


@dataclass(frozen=True)
class Piece:
    """Something to find out.

    Attributes
    ----------
    key : str
        Its name, unlike all others of the experiment.
    seconds : float
        Processor time that it is expected to take.
    make : callable
        Finds it out: returns JSON-able values. Must not hang on which pieces were made before in the same process.
    """

    key: str
    seconds: float
    make: Callable[[], Record]


def run_pieces(
    folder: str | Path,
    about: Mapping[str, Any],
    pieces: Sequence[Piece],
    log: Callable[[str], None] = lambda line: None,
    within: float = float("inf"),
) -> dict[str, Record]:
    """Make the pieces that `folder` does not hold yet, and return all of them.

    Parameters
    ----------
    folder : path
        Gets pieces.jsonl: a line of what the experiment is about, then one for each finished piece with its key and its processor
        seconds. A line that a killed run left unfinished is cut off.
    about : mapping
        What all pieces hang on, such as fingerprints and seeds; a folder about something else is refused.
    pieces : sequence of Piece
    log : callable
        Gets the expected processor hours before the first piece is made, then a line a piece.
    within : float
        Processor seconds after which no further piece is begun.

    Returns
    -------
    dict of str to dict
        Key to what the piece found, with "seconds"; in the order of `pieces`, without those that `within` left out.

    Raises
    ------
    InvalidInputError
        If two pieces share a key, or the folder is about something else; the message names the first difference.
    CorruptFileError
        If a finished line is no JSON object of a piece.
    FileError
        If the folder cannot be read or written.
    """
    keys = [piece.key for piece in pieces]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise InvalidInputError(f"two pieces are named {twice[0]!r}: give each a key of its own")
    path = Path(folder) / FILE
    found = _opened(path, json.loads(json.dumps(dict(about))))
    left = [piece for piece in pieces if piece.key not in found]
    hours, hours_left = (sum(piece.seconds for piece in some) / 3600 for some in (pieces, left))
    log(f"{len(pieces)} pieces, about {hours:.2f} CPU hours; {len(left)} to make, about {hours_left:.2f} CPU hours")
    started = time.process_time()
    for number, piece in enumerate(left, 1):
        begun = time.process_time()
        if begun - started >= within:
            log(f"stopped after {within:.0f} CPU seconds: {len(left) - number + 1} pieces are left")
            break
        record = piece.make()
        record = {**record, "seconds": round(time.process_time() - begun, 2)}
        _append(path, {"key": piece.key, **record})
        found[piece.key] = json.loads(json.dumps(record))
        log(f"{number}/{len(left)} {piece.key}: {record['seconds']:.0f} CPU s, expected {piece.seconds:.0f}")
    return {key: found[key] for key in keys if key in found}


def _opened(path: Path, about: Record) -> dict[str, Record]:
    """Return the finished pieces of a file; begin it if there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = path.read_bytes() if path.exists() else b""
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) < len(raw):
            os.truncate(path, len(whole))
    except OSError as error:
        raise FileError(f"cannot use {path}: {error}") from error
    lines = whole.splitlines()
    if not lines:
        _append(path, {"about": about})
        return {}
    records = [_parsed(path, number, line) for number, line in enumerate(lines, 1)]
    earlier = records[0].get("about")
    if not isinstance(earlier, dict):
        raise CorruptFileError(f"{path}, line 1: must say what the experiment is about: take another folder")
    for name in sorted(about.keys() | earlier.keys()):
        if about.get(name) != earlier.get(name):
            raise InvalidInputError(
                f"{path} is of an experiment with {name} = {earlier.get(name)!r:.200}, this one has {about.get(name)!r:.200}: "
                "take another folder"
            )
    found = {}
    for number, record in enumerate(records[1:], 2):
        if not isinstance(record.get("key"), str):
            raise CorruptFileError(f"{path}, line {number}: a piece without a key: take another folder")
        found[record.pop("key")] = record
    return found


def _parsed(path: Path, number: int, line: bytes) -> Record:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise CorruptFileError(f"{path}, line {number}: no JSON ({error}): take another folder") from error
    if not isinstance(record, dict):
        raise CorruptFileError(f"{path}, line {number}: must be an object: take another folder")
    return record


def _append(path: Path, record: Record) -> None:
    try:
        with path.open("ab") as file:
            file.write(json.dumps(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise FileError(f"cannot write {path}: {error}") from error
