"""Files of MS MARCO v1.1 records: .jsonl and .json (also .gz, .xz) and .parquet, alone or in a folder.

Knows which split a file's name tells; not what is in a record.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from twotower.data.msmarco import gather
from twotower.data.rows import Located, json_rows, stem, suffix
from twotower.errors import CorruptFileError, FileError
from twotower.types import Collection

SUFFIXES = (".json", ".jsonl", ".parquet")
SPLIT_NAMES = {"train": "train", "validation": "valid", "valid": "valid", "dev": "valid", "test": "test"}
"""Beginnings of file names ("validation-00000-of-00001.parquet") that tell a split."""


def is_record_file(path: Path) -> bool:
    """Tell whether the name of a file ends as one of records does."""
    return suffix(path) in SUFFIXES


def load_record_file(path: Path, split: str | None = None) -> Collection:
    """Read one file; its judgements belong to `split`, else to the split its name tells, else to "test"."""
    return gather(stem(path), {split or split_of(path) or "test": read_rows(path)})


def load_record_folder(folder: Path) -> Collection:
    """Read all files of records in a folder; a file whose name tells no split belongs to "test".

    Raises
    ------
    FileError
        If there are none.
    """
    splits: dict[str, list[Path]] = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file() and is_record_file(path)):
        splits.setdefault(split_of(path) or "test", []).append(path)
    if not splits:
        raise FileError(
            f"{folder}: neither a corpus.jsonl (BEIR folder) nor files of records ({', '.join(SUFFIXES)}) in it"
        )
    rows = {split: chain.from_iterable(map(read_rows, paths)) for split, paths in splits.items()}
    return gather(folder.resolve().name, rows)


def split_of(path: Path) -> str | None:
    """Return the split that the beginning of a file's name tells, or None.

    Examples
    --------
    >>> split_of(Path("validation-00000-of-00001.parquet"))
    'valid'
    """
    return next((split for start, split in SPLIT_NAMES.items() if path.name.startswith(start)), None)


def read_rows(path: Path) -> Iterator[Located]:
    """Yield (where, row) of one file."""
    if suffix(path) == ".parquet":
        return _parquet_rows(path)
    return json_rows(path)


def _parquet_rows(path: Path) -> Iterator[Located]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            batches = (batch.to_pylist() for batch in file.iter_batches(batch_size=1024))
            for number, row in enumerate(chain.from_iterable(batches), 1):
                yield f"{path}, row {number}", row
    except pa.ArrowInvalid as error:
        raise CorruptFileError(f"{path}: no readable Parquet file ({error}): fetch the file again") from error
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error})") from error
