"""Verification: is this the same speaker, writer, source as before? Enrolment, scores, error rates, small templates.

A subject is enrolled with six or more vectors (`enrol`); a later vector is scored against what was kept
(`Enrolment.scores`), and accepted from a threshold on. `error_curve` says what each threshold costs. Knows no network and
no file: vectors are whatever an encoder made of recordings; `dtw_distances` compares recordings without any.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "twotower.verification.dtw": "dtw_distances",
    "twotower.verification.enrolment": "SCORES Enrolment enrol",
    "twotower.verification.error_rates": "ErrorCurve OperatingPoint error_curve",
    "twotower.verification.template": "pack_template unpack_template",
}
_EXPORTS = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'twotower.verification' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
