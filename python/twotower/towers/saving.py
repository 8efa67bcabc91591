"""Models on disk: a folder of safetensors and JSON, checked before use. docs/formats/model.md has every field.

A folder is untrusted: sizes, checksums, names, dtypes and shapes are compared before a weight is read. Nothing is
unpickled.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from twotower.errors import CorruptFileError, DataFormatError, FileError, InputTypeError, InvalidInputError
from twotower.registry import resolve
from twotower.storage import replace_folder
from twotower.towers import READERS

if TYPE_CHECKING:
    from twotower.towers.two_tower import TwoTower

Model = TypeVar("Model", bound="TwoTower")

FORMAT = "twotower-model"
VERSION = 3
CONFIG, WEIGHTS = "config.json", "weights.safetensors"
SETTINGS: dict[str, tuple[type, ...]] = {
    "tower": (str,), "options": (dict,), "tied": (bool,), "shared": (str, NoneType), "head": (dict, NoneType),
    "similarity": (str,), "max_terms": (int,), "seed": (int,), "reader": (dict,), "files": (dict,),
}  # fmt: skip


def check_target(folder: Path) -> Path:
    """Return where a model may be saved: `folder`, links followed.

    Raises
    ------
    FileError
        If something else than a model is there, which saving would remove.
    """
    target = folder.resolve()
    if target.exists() and not target.is_dir():
        raise FileError(f"cannot save a model to {folder}: it is a file. Give a folder")
    if target.is_dir() and any(target.iterdir()):
        try:
            _read_config(target / CONFIG)
        except (FileError, CorruptFileError) as error:
            raise FileError(
                f"cannot save a model to {folder}: it holds other files, which would be removed. Give a new or empty "
                "folder, or one that holds a model"
            ) from error
    return target


def save_model(model: "TwoTower", folder: Path) -> None:
    """Write `model` beside `folder`, then put it in its place in one step."""
    folder = check_target(folder)
    config: dict[str, Any] = {
        "format": FORMAT, "version": VERSION, "tower": model.tower, "options": model.query_tower.options,
        "tied": model.tied, "shared": model.shared, "head": model.head, "similarity": model.similarity,
        "max_terms": model.reader.max_terms, "seed": model.seed,
        "reader": {"kind": model.reader.kind, **model.reader.settings()},
    }  # fmt: skip
    names = (WEIGHTS, model.reader.file_name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
            new = Path(beside) / "model"
            new.mkdir()
            save_file(weights_of(model), new / WEIGHTS)
            model.reader.write(new / model.reader.file_name)
            config["files"] = {name: _identity(new / name) for name in names}
            (new / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
            for name in names:  # safetensors makes its files private; the others follow the umask
                (new / name).chmod((new / CONFIG).stat().st_mode)
            replace_folder(new, folder)
    except (OSError, SafetensorError) as error:
        raise FileError(f"cannot save the model to {folder}: {error}") from error


def load_model(cls: "type[Model]", folder: Path) -> "Model":
    """Read the folder that `save_model` wrote into a new `cls`."""
    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}: give one that save_pretrained wrote")
    config = _read_config(folder / CONFIG)
    try:
        reads = resolve(READERS, config["reader"].pop("kind", None), "reader")
        for name in (WEIGHTS, reads.file_name):
            _check_identity(folder / name, config["files"].get(name))
        reader = reads.load(folder / reads.file_name, config["reader"], config["max_terms"])
        with torch.device("meta"):  # shapes without memory: the file's are compared with these first
            model = cls(
                config["tower"], reader, config["options"], tied=config["tied"], shared=config["shared"],
                head=config["head"], similarity=config["similarity"], seed=config["seed"],
            )  # fmt: skip
    except (InvalidInputError, InputTypeError, DataFormatError, TypeError) as error:
        raise CorruptFileError(f"{folder} does not describe a model: {error}. Save the model again") from error
    check_tensors(folder / WEIGHTS, weights_of(model))
    model.load_state_dict(load_file(folder / WEIGHTS), strict=False, assign=True)
    return model


def weights_of(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the parameters by name, a shared one once."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def check_tensors(path: Path, expected: dict[str, torch.Tensor]) -> None:
    """Compare names, dtypes and shapes in the header of a safetensors file with `expected`.

    Raises
    ------
    CorruptFileError
        If the file is no safetensors file, lacks a tensor, has one too many, or one of another dtype or shape.
    """
    names = {torch.float32: "F32", torch.int64: "I64", torch.uint8: "U8"}
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            found = {name: (slice_.get_dtype(), slice_.get_shape()) for name, slice_ in slices.items()}
    except (SafetensorError, OSError) as error:
        raise CorruptFileError(f"{path} is no readable safetensors file: {error}") from error
    wanted = {name: (names[tensor.dtype], list(tensor.shape)) for name, tensor in expected.items()}
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise CorruptFileError(
                f"{path}: tensor {name!r} is {_describe(found.get(name))}, but the configuration asks for "
                f"{_describe(wanted.get(name))}. The files do not belong together: save the model again"
            )


def _describe(tensor: tuple[str, list[int]] | None) -> str:
    return "absent" if tensor is None else f"{tensor[0]} {tensor[1]}"


def _identity(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _check_identity(path: Path, recorded: Any) -> None:
    if not path.is_file():
        raise CorruptFileError(
            f"{path} is missing: a model folder holds {CONFIG} and the files that it names. Copy the whole folder"
        )
    found = _identity(path)
    if found != recorded:
        raise CorruptFileError(
            f"{path} is not the file that was saved: it has {found}, {CONFIG} records {recorded}. Copy the whole "
            "folder again, or save the model again"
        )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CorruptFileError(f"{path} is missing: give a folder that save_pretrained wrote") from error
    except OSError as error:
        raise FileError(f"cannot read {path}: {error}") from error
    except (ValueError, RecursionError) as error:  # ValueError: JSON and UTF-8 errors
        raise CorruptFileError(f"{path} is no JSON text: {error}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise CorruptFileError(f'{path} describes no twotower model: its "format" must be "{FORMAT}"')
    if config.get("version") == 1 and isinstance(config.get("analyzer"), dict):  # words were all that there was
        config |= {"version": 2, "reader": {"kind": "terms", "analyzer": config["analyzer"]}}
    if config.get("version") == 2:  # before heads and shared parts
        config |= {"version": VERSION, "shared": None, "head": None}
    if config.get("version") != VERSION:
        raise CorruptFileError(
            f"{path} has version {config.get('version')!r}: this twotower reads versions 1 to {VERSION}. Save the model "
            "again with this twotower, or read it with the one that wrote it"
        )
    for name, kinds in SETTINGS.items():
        if name not in config or type(config[name]) not in kinds:
            allowed = " or ".join(kind.__name__ for kind in kinds)
            raise CorruptFileError(f"{path}: {name!r} is {config.get(name)!r}, it must be of type {allowed}")
    return config
