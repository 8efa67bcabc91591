"""Registries: dict literals from a name to the dotted path of its object, imported on use.

One file and one registry line adds a thing. An unknown name raises and lists the registry's own keys.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from twotower.errors import InvalidInputError


def resolve(registry: Mapping[str, str], name: str, kind: str) -> Any:
    """Return the object that `name` stands for in `registry`.

    Parameters
    ----------
    registry : mapping of str to str
        Name to ``"package.module:attribute"``.
    name : str
        The key to look up.
    kind : str
        What the registry holds, for the error message: "tower", "loss".

    Raises
    ------
    InvalidInputError
        If the registry has no such name.
    """
    if name not in registry:
        raise InvalidInputError(f"unknown {kind} {name!r}: choose one of {', '.join(sorted(registry))}")
    module, _, attribute = registry[name].partition(":")
    return getattr(import_module(module), attribute)
