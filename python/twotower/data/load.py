"""`load_collection`: one door to every kind of data. Knows which reader fits a source, not what is in the files."""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from twotower.data.beir import is_beir, load_beir
from twotower.data.record_files import is_record_file, load_record_file, load_record_folder
from twotower.data.rows import json_rows, stem, suffix
from twotower.data.triples import TripleLike, collection_from_triples, read_triples
from twotower.data.values import collection_from_mapping
from twotower.errors import FileError, InputTypeError, InvalidInputError
from twotower.registry import resolve
from twotower.types import Collection

SOURCES = {
    "microsoft/ms_marco": "twotower.data.hub:load_ms_marco",
    "python-docs": "twotower.data.python_docs:load_python_docs",
}
"""Collections that have a name; each is a function that makes one."""

ACCEPTED = (
    f"a name ({', '.join(SOURCES)}), a BEIR folder (corpus.jsonl), a folder or file of MS MARCO v1.1 records "
    "(.parquet, .json, .jsonl), triples (.tsv, .jsonl; or tuples of strings), or a mapping with the keys "
    "corpus, queries, qrels"
)


def load_collection(
    source: str | PathLike[str] | Mapping[str, Any] | Iterable[TripleLike],
    config: str | None = None,
    split: str | None = None,
) -> Collection:
    """Load a corpus with its queries and judgements.

    Parameters
    ----------
    source : str, path, mapping or iterable
        One of

        - "python-docs": see `twotower.data.python_docs`;
        - "microsoft/ms_marco": version 1.1, from the Hugging Face hub;
        - a BEIR folder, or a folder with a corpus.jsonl alone;
        - a folder or file of records of the MS MARCO v1.1 schema (parquet, json, jsonl), or a local copy of a data
          set's folder, whose README.md lists its configurations;
        - a file of triples (``.tsv``; ``.jsonl`` whose first row has the field ``positive``), or an iterable of tuples
          (query, relevant) or (query, relevant, not relevant);
        - a mapping ``{"corpus": ..., "queries": ..., "qrels": ...}`` as of `collection_from_values`.
    config : str, optional
        The configuration, of data sets that have some.
    split : str, optional
        For one file of records, and for triples: the split that the judgements belong to (else the one that the file's
        name tells, "test" for records and "train" for triples). For all others: keep the judgements of this split only;
        corpus and queries stay whole.

    Raises
    ------
    FileError
        If a path does not exist, or a folder holds none of these.
    InvalidInputError
        If a source, config or split is unknown.
    DataFormatError
        If a row is malformed; file, line and field are named.
    HubUnavailableError
        If the hub is needed and does not answer within seconds.

    Examples
    --------
    >>> pile = load_collection([("top", "The last element."), ("size", "How many there are.", "The last element.")])
    >>> len(pile.corpus), len(pile.queries), len(pile.pairs("train"))
    (2, 2, 2)
    """
    if isinstance(source, Mapping):
        _refuse_config(config, "values")
        return _keep(collection_from_mapping(source), split)
    if isinstance(source, str | PathLike):
        return _load_named(str(source), config, split) if source in SOURCES else _load_path(source, config, split)
    if isinstance(source, Iterable):
        _refuse_config(config, "triples")
        return collection_from_triples(source, split=split or "train")
    raise InputTypeError(f"cannot load a collection from {type(source).__name__}: give {ACCEPTED}")


def _load_named(name: str, config: str | None, split: str | None) -> Collection:
    loader = resolve(SOURCES, name, "collection")
    if name != "microsoft/ms_marco":
        _refuse_config(config, name)
    return _keep(loader() if config is None else loader(config), split)


def _load_path(source: str | PathLike[str], config: str | None, split: str | None) -> Collection:
    path = Path(source)
    if not path.exists():
        raise FileError(f"{str(path)!r} is neither a name that is known nor a path that exists: give {ACCEPTED}")
    if path.is_dir():
        return _keep(_load_folder(path, config), split)
    _refuse_config(config, str(path))
    if _holds_triples(path):
        return collection_from_triples(read_triples(path), stem(path), split or "train")
    if is_record_file(path):
        return load_record_file(path, split)
    raise InvalidInputError(f"{path}: unknown kind of file: give {ACCEPTED}")


def _load_folder(folder: Path, config: str | None) -> Collection:
    from twotower.data.hub import is_dataset_folder, load_dataset

    beir = is_beir(folder)
    if not beir and is_dataset_folder(folder):
        return load_dataset(str(folder), config)
    _refuse_config(config, str(folder))
    return load_beir(folder) if beir else load_record_folder(folder)


def _holds_triples(path: Path) -> bool:
    if suffix(path) == ".jsonl":
        return "positive" in next((row for _, row in json_rows(path)), {})
    return suffix(path) == ".tsv"


def _refuse_config(config: str | None, what: str) -> None:
    if config is not None:
        raise InvalidInputError(f"{what} has no configurations: leave config out, got {config!r}")


def _keep(collection: Collection, split: str | None) -> Collection:
    if split is not None:
        collection.qrels = {split: collection.split(split)}
    return collection
