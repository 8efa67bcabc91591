"""Measures by their ir-measures names: "nDCG@10", "P(rel=2)@5", "AP"."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.notation import parse_notation
from twotower.evaluation.parameters import WRITTEN, at_parameter, check, describe
from twotower.evaluation.rankings import Rankings, Values
from twotower.registry import resolve

_ROOM = "twotower.evaluation"
METRICS = {
    "AP": f"{_ROOM}.average_precision:average_precision",
    "Accuracy": f"{_ROOM}.preference:accuracy",
    "BPM": f"{_ROOM}.user_models:bejeweled_player",
    "Bpref": f"{_ROOM}.preference:binary_preference",
    "Compat": f"{_ROOM}.compatibility:compatibility",
    "ERR": f"{_ROOM}.expected_reciprocal_rank:expected_reciprocal_rank",
    "INSQ": f"{_ROOM}.user_models:insq",
    "INST": f"{_ROOM}.user_models:inst",
    "IPrec": f"{_ROOM}.precision:interpolated_precision",
    "Judged": f"{_ROOM}.judged:judged",
    "NERR10": f"{_ROOM}.user_models:nerr10",
    "NERR11": f"{_ROOM}.user_models:nerr11",
    "NERR8": f"{_ROOM}.user_models:nerr8",
    "NERR9": f"{_ROOM}.user_models:nerr9",
    "NumQ": f"{_ROOM}.counts:n_queries",
    "NumRel": f"{_ROOM}.counts:n_relevant",
    "NumRet": f"{_ROOM}.counts:n_retrieved",
    "P": f"{_ROOM}.precision:precision",
    "R": f"{_ROOM}.precision:recall",
    "RBP": f"{_ROOM}.user_models:rank_biased_precision",
    "RR": f"{_ROOM}.reciprocal_rank:reciprocal_rank",
    "R_cap": f"{_ROOM}.precision:capped_recall",
    "Rprec": f"{_ROOM}.precision:r_precision",
    "SDCG": f"{_ROOM}.user_models:scaled_dcg",
    "SetAP": f"{_ROOM}.set_measures:set_average_precision",
    "SetF": f"{_ROOM}.set_measures:set_f",
    "SetP": f"{_ROOM}.set_measures:set_precision",
    "SetR": f"{_ROOM}.set_measures:set_recall",
    "Success": f"{_ROOM}.precision:success",
    "hole": f"{_ROOM}.judged:hole",
    "infAP": f"{_ROOM}.average_precision:inferred_average_precision",
    "nDCG": f"{_ROOM}.ndcg:ndcg",
    "nERR": f"{_ROOM}.expected_reciprocal_rank:normalised_err",
}
ALIASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "BPref": ("Bpref", {}),
    "MAP": ("AP", {}),
    "MRR": ("RR", {}),
    "NDCG": ("nDCG", {}),
    "NumRelRet": ("NumRet", {"rel": 1}),
    "Precision": ("P", {}),
    "RPrec": ("Rprec", {}),
    "Recall": ("R", {}),
    "SetRelP": ("SetP", {"relative": True}),
}
SUMMED = frozenset({"NumQ", "NumRel", "NumRet"})
"""Metrics that are added up over queries; all others are averaged."""
NO_MERIT = SUMMED | {"hole"}
"""Metrics of which more is not better."""


@dataclass(frozen=True)
class Measure:
    """A metric with its parameters; `name` is what it was asked for as."""

    name: str
    metric: str
    parameters: Mapping[str, Any]

    @property
    def k(self) -> int | None:
        """The cut-off, or None: the whole list."""
        return self.parameters.get("k")

    @property
    def rel(self) -> int:
        """The lowest grade that counts as relevant."""
        return int(self.parameters.get("rel") or 1)

    def values(self, rankings: Rankings, **defaults: Any) -> Values:
        """Return the value of each query; float64 [Q]. `defaults` stand for parameters that the name leaves open."""
        function: Callable[..., Values] = resolve(METRICS, self.metric, "metric")
        return function(rankings, **{**defaults, **self.parameters})

    def total(self, values: Values) -> float:
        """Return the mean of the values of all queries, or their sum for a metric that counts."""
        return float(values.sum() if self.metric in SUMMED else values.mean())


def check_order(measures: Any) -> list[Measure]:
    """Read several names by which systems are to be put in order.

    Raises
    ------
    InputTypeError, InvalidInputError
        As `parse_measures`; also for a measure of which more is not better.
    """
    parsed = parse_measures(measures)
    for measure in parsed:
        if measure.metric in NO_MERIT:
            instead = f"take Judged@{measure.k}" if measure.metric == "hole" else "take one of quality, such as nDCG@10"
            raise InvalidInputError(f"more {measure.name} is not better, so it puts no systems in order: {instead}")
    return parsed


def parse_measure(name: str) -> Measure:
    """Read the name of a measure.

    Parameters
    ----------
    name : str
        ir-measures' notation: a metric or alias, parameters in parentheses (the cut-off is called ``cutoff`` there), the cut-off, or
        the recall of IPrec, behind @.

    Raises
    ------
    InputTypeError
        If the name is no string.
    InvalidInputError
        If the form is wrong, the metric unknown, or a parameter is unknown, out of range or missing; it says what there is.

    Examples
    --------
    >>> parse_measure("P(rel=2)@5")
    Measure(name='P(rel=2)@5', metric='P', parameters={'rel': 2, 'k': 5})
    """
    if not isinstance(name, str):
        raise InputTypeError(f"a measure is {type(name).__name__}: give its name, such as 'nDCG@10'")
    asked, given, at = parse_notation(name)
    metric, fixed = ALIASES.get(asked, (asked, {}))
    function = resolve(METRICS, metric, "metric")
    ours = {written: name for name, written in WRITTEN.items()}
    parameters = {**fixed, **{ours.get(key, key): value for key, value in given.items()}}
    if at is not None:
        behind = at_parameter(function)
        if behind is None:
            raise InvalidInputError(f"measure {name!r}: {metric} takes nothing behind @: {describe(metric, function)}")
        parameters[behind] = at
    check(name, metric, function, parameters)
    return Measure(name, metric, parameters)


def parse_measures(measures: Any) -> list[Measure]:
    """Read several names.

    Raises
    ------
    InputTypeError
        If `measures` is one string, or nothing that can be iterated.
    """
    if isinstance(measures, str):
        raise InputTypeError(f"measures is one string: give a list, such as [{measures!r}]")
    try:
        names = list(measures)
    except TypeError as error:
        raise InputTypeError(
            f"measures is {type(measures).__name__}: give a list of names, such as ['nDCG@10', 'AP']"
        ) from error
    return [parse_measure(name) for name in names]
