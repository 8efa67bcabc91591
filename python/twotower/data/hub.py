"""Data sets through the `datasets` library: from the Hugging Face hub, or a local copy of a data set's folder.

Knows how to reach the hub and how to say that it cannot be reached; the rows are of the MS MARCO v1.1 schema.
`datasets` is imported when it is needed.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from twotower.data.msmarco import gather
from twotower.data.rows import Located, Row
from twotower.errors import CorruptFileError, FileError, HubUnavailableError, InvalidInputError
from twotower.types import Collection

MS_MARCO, MS_MARCO_CONFIG = "microsoft/ms_marco", "v1.1"

PROBE_TIMEOUT_S = 5.0
"""How long the hub may take to answer before it counts as unreachable; `datasets` alone would retry for minutes."""

_SPLITS = {"validation": "valid"}
_CARD_CONFIGS = re.compile(r"\A---\s*$.*?^configs:.*?^---\s*$", re.DOTALL | re.MULTILINE)


def load_ms_marco(config: str | None = None) -> Collection:
    """Load MS MARCO from the hub, or from the cache of `datasets` where HF_HUB_OFFLINE=1 is set.

    Raises
    ------
    InvalidInputError
        If `config` is not "v1.1", the only configuration of this schema that is meant for retrieval here.
    HubUnavailableError
        If the hub does not answer within seconds, or offline mode is set and the data set is not in the cache.
    """
    if config not in (None, MS_MARCO_CONFIG):
        raise InvalidInputError(f"{MS_MARCO} has no config {config!r} here: use {MS_MARCO_CONFIG!r}")
    _check_hub(MS_MARCO)
    return load_dataset(MS_MARCO, MS_MARCO_CONFIG)


def is_dataset_folder(folder: Path) -> bool:
    """Tell whether `folder` has a data set card (README.md) that lists configurations."""
    card = folder / "README.md"
    return card.is_file() and _CARD_CONFIGS.match(card.read_text(encoding="utf-8", errors="replace")) is not None


def load_dataset(source: str, config: str | None = None) -> Collection:
    """Load a data set by id or local folder, all its splits; "validation" is called "valid".

    Raises
    ------
    HubUnavailableError
        If the connection fails, or an endpoint answers that does not have the data set.
    FileError, CorruptFileError
        If files of a local folder are missing or damaged.
    InvalidInputError
        If there is no such configuration, or several and `config` is None; the message lists them.
    """
    import datasets

    try:
        loaded = datasets.load_dataset(source, config)
    except (ConnectionError, FileNotFoundError) as error:
        if Path(source).is_dir():
            raise FileError(f"{source}: {error}") from error
        raise _unavailable(source, error) from error
    except datasets.exceptions.DatasetGenerationError as error:
        raise CorruptFileError(f"{source}: its files cannot be read: {error.__cause__ or error}") from error
    except ValueError as error:
        raise InvalidInputError(f"{source}: {error}") from error
    splits = {_SPLITS.get(name, name): _located(f"{source}, {name}", rows) for name, rows in loaded.items()}
    return gather(source if config is None else f"{source} {config}", splits)


def _located(where: str, rows: Iterable[Row]) -> Iterator[Located]:
    return ((f"{where}, row {number}", row) for number, row in enumerate(rows, 1))


def _check_hub(source: str) -> None:
    """Ask the hub for a sign of life, with its own client (proxies, certificates), unless offline mode is set."""
    import huggingface_hub
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return  # `datasets` looks into its cache, and knows at once
    session: Any = huggingface_hub.get_session()
    try:
        session.head(constants.ENDPOINT, timeout=PROBE_TIMEOUT_S)
    except Exception as error:  # the client's library, and so its errors, change with huggingface_hub's version
        raise _unavailable(source, error) from error


def _unavailable(source: str, error: Exception) -> HubUnavailableError:
    return HubUnavailableError(
        f"{source}: the Hugging Face hub cannot be reached ({error}): check the network (HF_ENDPOINT, HTTPS_PROXY); "
        "where it was loaded before, set HF_HUB_OFFLINE=1; or pass a local copy, a folder or file of parquet, json or "
        "jsonl records"
    )
