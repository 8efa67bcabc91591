"""Checks the options that the training of every vocabulary takes."""

from collections.abc import Iterable
from typing import Any, SupportsIndex

from twotower.errors import InputTypeError, InvalidInputError


def check_special_tokens(tokens: Any, needed: tuple[str, ...]) -> list[str]:
    """Return special tokens as a list of distinct, writable str with all of `needed`.

    Raises
    ------
    InputTypeError
        If it is no sequence of str.
    InvalidInputError
        If one is empty, comes twice, has a lone surrogate, or a needed one is missing.
    """
    if isinstance(tokens, (str, bytes)) or not isinstance(tokens, Iterable):
        raise InputTypeError(f"special_tokens is of type {type(tokens).__name__}: give a list of str")
    checked: list[str] = []
    for number, token in enumerate(tokens):
        if not isinstance(token, str):
            raise InputTypeError(f"special token {number} is of type {type(token).__name__}: it must be a str")
        if not token:
            raise InvalidInputError(f"special token {number} is empty")
        if any("\ud800" <= char <= "\udfff" for char in token):
            raise InvalidInputError(f"special token {number}, {token!r}, has a lone surrogate: give Unicode text")
        if token in checked:
            raise InvalidInputError(f"the special token {token!r} comes twice: give each once")
        checked.append(token)
    for token in needed:
        if token not in checked:
            raise InvalidInputError(f"special_tokens has no {token!r}, which the tokenizer needs: {checked}")
    return checked


def check_flag(name: str, value: Any) -> bool:
    """Return True or False.

    Raises
    ------
    InputTypeError
        If it is something else.
    """
    if not isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r}: it must be True or False")
    return value


def check_count(name: str, value: Any, least: int) -> int:
    """Return an integer of at least `least`.

    Raises
    ------
    InputTypeError
        If it is no integer.
    InvalidInputError
        If it is smaller, or 2^31 or more.
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise InputTypeError(f"{name} is of type {type(value).__name__}: it must be an integer")
    number = int(value)
    if not least <= number < 2**31:
        raise InvalidInputError(f"{name} is {number}: it must be at least {least} and below 2^31")
    return number
