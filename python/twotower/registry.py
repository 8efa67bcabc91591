"""Registries: dict literals from a name to the dotted path of its object, imported on use.

One file and one registry line adds a thing. An unknown name raises and lists the registry's own keys.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, TypeVar

from twotower.errors import InputTypeError, InvalidInputError

Value = TypeVar("Value")


def choose(registry: Mapping[str, Value], name: str, kind: str) -> Value:
    """Return the entry `name` of `registry`.

    Raises
    ------
    InvalidInputError
        If there is none; the message lists the registry's keys. `kind` is what it holds: "tower", "loss".
    """
    if name not in registry:
        raise InvalidInputError(f"unknown {kind} {name!r}: choose one of {', '.join(sorted(registry))}")
    return registry[name]


def check_options(what: str, asked: Iterable[str], known: Iterable[str]) -> None:
    """Refuse options that `what` does not have.

    Raises
    ------
    InputTypeError
        For the first one; the message lists `known`.
    """
    known = list(known)
    for name in asked:
        if name not in known:
            raise InputTypeError(f"{what} has no option {name!r}: it takes {', '.join(known)}")


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
    module, _, attribute = choose(registry, name, kind).partition(":")
    return getattr(import_module(module), attribute)
