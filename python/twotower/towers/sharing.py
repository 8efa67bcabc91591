"""The two towers of a model, and which parts both have in common."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch

from twotower.errors import InvalidInputError
from twotower.registry import check_options, resolve
from twotower.towers import TOWERS
from twotower.towers.heads import HeadedTower
from twotower.towers.shape import check_flag
from twotower.towers.tower import Tower

SHARED = ("embedding", "encoder")
MODEL_OPTIONS = ("tied", "shared", "head", "similarity", "max_terms", "seed")
"""What `TwoTower.build` takes beside the options of a tower."""


def make_towers(
    tower: str,
    n_terms: int,
    options: dict[str, Any],
    *,
    tied: bool,
    shared: str | None,
    head: Mapping[str, Any] | None,
    seed: int,
) -> tuple[Tower, Tower]:
    """Return the query and the document tower.

    Parameters
    ----------
    tower, n_terms, options
        A name of ``twotower.towers.TOWERS`` and what builds it.
    tied : bool
        Both are one object.
    shared : {"embedding", "encoder"}, optional
        Of towers that are not tied: one embedding table under two networks, or one network under two heads.
    head : mapping, optional
        As of `twotower.towers.heads.check_head`.
    seed : int
        Of the first weights, which are equal on both sides.

    Raises
    ------
    InputTypeError
        If the tower has no such option, or `tied` is no bool.
    InvalidInputError
        If the tower or `shared` is unknown, `shared` is given beside `tied`, or "encoder" without a head; or if the towers
        do not fit into memory.
    """
    _check(tied, shared, head)
    make = resolve(TOWERS, tower, "tower")
    _, *own = inspect.signature(make).parameters  # the first is n_terms
    check_options(f"the tower {tower!r}", options, [*own, *MODEL_OPTIONS])
    try:
        return _pair(make, n_terms, options, tied, shared, head, seed)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _of_memory(error):
            raise
        raise InvalidInputError(
            f"a tower {tower!r} of {n_terms} terms with {options} does not fit into memory: take smaller sizes"
        ) from error


def _of_memory(error: RuntimeError) -> bool:
    """Tell whether torch could not allocate a tensor, or not even count its bytes; it has no class of its own for that."""
    return any(words in str(error) for words in ("allocate memory", "not enough memory", "overflow"))


def _pair(
    make: Callable[..., Tower], n_terms: int, options: dict[str, Any], tied: bool, shared: str | None,
    head: Mapping[str, Any] | None, seed: int,
) -> tuple[Tower, Tower]:  # fmt: skip
    query = _seeded(make, n_terms, options, head, seed)
    if tied:
        return query, query
    if isinstance(query, HeadedTower) and shared == "encoder":
        return query, query.beside()
    document = _seeded(make, n_terms, options, head, seed)
    if shared == "embedding":
        if isinstance(document, HeadedTower):
            document.take_table(query.embedding)
        else:
            document.embedding = query.embedding
    return query, document


def _check(tied: bool, shared: str | None, head: Mapping[str, Any] | None) -> None:
    check_flag("tied", tied)
    if shared is None:
        return
    if shared not in SHARED:
        raise InvalidInputError(f"shared is {shared!r}: choose one of {', '.join(SHARED)}, or None")
    if tied:
        raise InvalidInputError(f"shared is {shared!r}, but tied towers share everything: give tied=False")
    if shared == "encoder" and head is None:
        raise InvalidInputError("shared is 'encoder' without a head: the two sides would not differ. Give a head")


def _seeded(
    make: Callable[..., Tower], n_terms: int, options: dict[str, Any], head: Mapping[str, Any] | None, seed: int
) -> Tower:
    """Build a tower with the first weights of `seed`; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = make(n_terms, **options)
        return tower if head is None else HeadedTower(tower, head)
