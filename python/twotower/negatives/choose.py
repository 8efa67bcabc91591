"""From what the caller wrote to sources: a name, a mapping, a source, or several of them."""

from collections.abc import Mapping, Sequence

from twotower.errors import InputTypeError
from twotower.negatives import NEGATIVES
from twotower.negatives.listed import given
from twotower.negatives.source import Source
from twotower.registry import resolve

Negatives = str | Source | Mapping[str, Sequence[str]] | Sequence[str | Source | Mapping[str, Sequence[str]]] | None


def as_sources(negatives: Negatives) -> list[Source]:
    """Return the sources that `negatives` names.

    Parameters
    ----------
    negatives : None, str, Source, mapping of query_id to doc_ids, or a sequence of these
        A name is one of ``twotower.negatives.NEGATIVES``.

    Raises
    ------
    InvalidInputError
        If there is no source of that name.
    InputTypeError
        If it is none of these.
    """
    if negatives is None:
        return []
    if isinstance(negatives, str):
        made: Source = resolve(NEGATIVES, negatives, "negatives")()
        return [made]
    if isinstance(negatives, Source):
        return [negatives]
    if isinstance(negatives, Mapping):
        return [given(negatives)]
    if isinstance(negatives, Sequence):
        return [source for part in negatives for source in as_sources(part)]
    raise InputTypeError(
        f"negatives is {type(negatives).__name__}: give a source such as tt.mine.bm25(), one of the names "
        f"{', '.join(sorted(NEGATIVES))}, a dict of query_id to doc_ids, or a list of these"
    )
