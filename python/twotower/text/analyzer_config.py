"""What a saved analyzer looks like, version by version. Knows no text and no core."""

import warnings
from collections.abc import Mapping
from typing import Any

import Stemmer

from twotower.errors import InputTypeError, InvalidInputError, VersionWarning
from twotower.text.options import OPTIONS

CONFIG_VERSION = 2
_FIRST_OPTIONS = ("words", "lowercase", "stop_words", "stemmer")
_KEYS = {1: _FIRST_OPTIONS, 2: OPTIONS}


def write_config(parts: Mapping[str, Any], unicode_version: str) -> dict[str, Any]:
    """Return the saved form of a name, or of all options."""
    return {"version": CONFIG_VERSION, **parts, **_versions(unicode_version)}


def read_config(config: Mapping[str, Any], unicode_version: str) -> dict[str, Any]:
    """Return the name, or the options, that a saved form has. Of version 1 some options are absent: they are "plain"'s.

    Raises
    ------
    InputTypeError
        If `config` is no mapping.
    InvalidInputError
        If it is of an unknown version, or lacks or has what it should not.

    Warns
    -----
    VersionWarning
        If Unicode or PyStemmer has another version than the one saved.
    """
    if not isinstance(config, Mapping):
        raise InputTypeError(f"config is of type {type(config).__name__}: give the dict of to_config")
    version = config.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version not in _KEYS:
        raise InvalidInputError(
            f"analyzer config has version {version!r}: this twotower reads version 1 to {CONFIG_VERSION}"
        )
    versions = _versions(unicode_version)
    parts = ("name",) if "name" in config else _KEYS[version]
    expected = {"version", *parts, *versions}
    if config.keys() != expected:
        raise InvalidInputError(
            f"analyzer config has the keys {', '.join(sorted(map(str, config)))}: "
            f"it must have {', '.join(sorted(expected))}"
        )
    _warn_of_versions(config, versions)
    return {part: config[part] for part in parts}


def _versions(unicode_version: str) -> dict[str, str]:
    return {"unicode_version": unicode_version, "pystemmer_version": Stemmer.version()}


def _warn_of_versions(config: Mapping[str, Any], versions: Mapping[str, str]) -> None:
    parts = {"unicode_version": "Unicode", "pystemmer_version": "PyStemmer"}
    if config.get("stemmer") is None:
        del parts["pystemmer_version"]
    for key, part in parts.items():
        if config[key] != versions[key]:
            warnings.warn(
                f"this was analysed with {part} {config[key]}, here is {part} {versions[key]}: some words may get "
                "other terms and not be found; analyse and save it again, or install the saved version",
                VersionWarning,
                stacklevel=4,
            )
