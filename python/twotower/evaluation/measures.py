"""Measures by their ir-measures names: "nDCG@10", "P(rel=2)@5", "AP"."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.rankings import Values
from twotower.registry import resolve

METRICS = {
    "AP": "twotower.evaluation.average_precision:average_precision",
    "P": "twotower.evaluation.precision:precision",
    "R": "twotower.evaluation.precision:recall",
    "RR": "twotower.evaluation.reciprocal_rank:reciprocal_rank",
    "Success": "twotower.evaluation.precision:success",
    "nDCG": "twotower.evaluation.ndcg:ndcg",
}
NEED_CUTOFF = frozenset({"P", "R", "Success"})
_NAME = re.compile(r"(?P<metric>[A-Za-z]+)(\(rel=(?P<rel>[1-9][0-9]{0,8})\))?(@(?P<k>[1-9][0-9]{0,8}))?")


@dataclass(frozen=True)
class Measure:
    """A metric with its cut-off `k` (None: the whole list) and the lowest grade `rel` that counts as relevant."""

    name: str
    metric: str
    k: int | None
    rel: int

    @property
    def function(self) -> Callable[..., Values]:
        """The pure function behind the metric: (Rankings, k, rel) to float64 [Q]."""
        found: Callable[..., Values] = resolve(METRICS, self.metric, "metric")
        return found


def parse_measure(name: str) -> Measure:
    """Read the name of a measure.

    Raises
    ------
    InputTypeError
        If the name is no string.
    InvalidInputError
        If the form is wrong, the metric unknown, or a cut-off missing where it is needed.

    Examples
    --------
    >>> parse_measure("P(rel=2)@5")
    Measure(name='P(rel=2)@5', metric='P', k=5, rel=2)
    """
    if not isinstance(name, str):
        raise InputTypeError(f"a measure is {type(name).__name__}: give its name, such as 'nDCG@10'")
    found = _NAME.fullmatch(name)
    if found is None:
        raise InvalidInputError(
            f"measure {name!r}: write metric, (rel=GRADE) if wanted, @CUTOFF, such as nDCG@10 or P(rel=2)@5"
        )
    metric, k = found["metric"], found["k"]
    resolve(METRICS, metric, "metric")
    if metric in NEED_CUTOFF and k is None:
        raise InvalidInputError(f"measure {name!r} needs a cut-off, such as {name}@10")
    return Measure(name, metric, int(k) if k else None, int(found["rel"] or 1))
