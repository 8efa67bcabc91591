"""What a metric may be told: the meaning and the range of each parameter, and the parameters of each metric.

A metric's parameters are the keyword-only ones of its function; a default makes one optional. One line here makes a new name known.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twotower.errors import InvalidInputError


@dataclass(frozen=True)
class Parameter:
    """The values that one parameter takes: a test, and its words."""

    fits: Callable[[Any], bool]
    says: str


def _whole(lowest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value < 2**31


def _between(low: float, high: float, ends: bool) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return low <= value <= high if ends else low < value < high

    return fits


def _one_of(*choices: Any) -> Parameter:
    return Parameter(
        lambda value: any(value is c or value == c for c in choices if type(value) is type(c)),
        " or ".join(map(repr, choices)),
    )


def _is_gains(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 2**31
        for pair in value.items()
        for n in pair
    )


PARAMETERS = {
    "k": Parameter(_whole(1), "an integer from 1"),
    "rel": Parameter(_whole(1), "a grade from 1"),
    "recall": Parameter(_between(0, 1, True), "a number from 0 to 1"),
    "p": Parameter(_between(0, 1, False), "a number between 0 and 1"),
    "beta": Parameter(_between(0, 1e9, True), "a number from 0"),
    "goal": Parameter(_between(0, 1e9, False), "a number above 0"),
    "min_rel": Parameter(_whole(0), "a grade from 0"),
    "max_rel": Parameter(_whole(1), "a grade from 1"),
    "dcg": _one_of("log2", "exp-log2"),
    "gains": Parameter(_is_gains, "{grade: gain, ...}"),
    "judged_only": _one_of(True, False),
    "relative": _one_of(True, False),
    "normalize": _one_of(True, False),
    "denominator": _one_of("relevant", "retrieved"),
}
WRITTEN = {"k": "cutoff", "goal": "T"}
"""Parameters that ir-measures calls otherwise than the functions do."""
AFTER_AT = ("k", "recall")
"""Parameters that stand behind the @ of a name."""


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the keyword-only parameters of a metric's function."""
    found = inspect.signature(function).parameters
    return {name: parameter for name, parameter in found.items() if parameter.kind is parameter.KEYWORD_ONLY}


def at_parameter(function: Callable[..., Any]) -> str | None:
    """Return the parameter that a metric takes behind @, if it takes one."""
    return next((name for name in parameters_of(function) if name in AFTER_AT), None)


def describe(metric: str, function: Callable[..., Any]) -> str:
    """Return a sentence: what a metric takes."""
    said = []
    for name, parameter in parameters_of(function).items():
        shown = f"@{name}" if name in AFTER_AT else WRITTEN.get(name, name)
        need = ", needed" if parameter.default is parameter.empty else ""
        said.append(f"{shown} ({PARAMETERS[name].says}{need})")
    return f"{metric} takes {', '.join(said) or 'no parameter'}"


def check(name: str, metric: str, function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Refuse parameters that `function` does not take, values out of range, and missing ones.

    Raises
    ------
    InvalidInputError
        It says what the metric takes.
    """
    known = parameters_of(function)
    takes = describe(metric, function)
    for parameter, value in given.items():
        if parameter not in known:
            raise InvalidInputError(f"measure {name!r}: {metric} has no parameter {parameter!r}: {takes}")
        if not PARAMETERS[parameter].fits(value):
            raise InvalidInputError(
                f"measure {name!r}: {parameter} is {value!r}, but must be {PARAMETERS[parameter].says}: {takes}"
            )
    for parameter, spec in known.items():
        if spec.default is spec.empty and parameter not in given:
            what = f"a cut-off, such as {name}@10" if parameter == "k" else parameter
            raise InvalidInputError(f"measure {name!r} needs {what}: {takes}")
