"""What may be claimed on a test split, from what the checks found. Knows verdicts, not data."""

from collections.abc import Mapping, Sequence
from typing import Literal

from twotower.experiments.finding import Finding, Verdict

Answer = Literal["yes", "with care", "no", "not looked at"]

LEAKS = ("query leaks", "document leaks", "shared sources")
CLAIMS: dict[str, tuple[str, ...]] = {
    "training taught something that carries over": ("twins", "twins without leaks", *LEAKS),
    "a good ranker reads the query here": ("query-blind order", "query-blind classifier"),
    "one ranker is better than another": ("saturation", "smallest effect", "judgements", "copied queries"),
    "no sign that the named models saw this data": ("contamination", "seen texts"),
}
"""Claim to the checks that it rests on."""

_ANSWERS: dict[Verdict, Answer] = {"problem": "no", "warning": "with care", "ok": "yes"}


def claims(findings: Sequence[Finding]) -> dict[str, Answer]:
    """Return the answer to each claim, from the findings on one split.

    Notes
    -----
    The worst verdict decides; a check that had nothing to run on says nothing, and without all of a claim's checks there is no
    "yes". One exception: leaks do not forbid to say that training taught
    something if it did so on the clean queries too; they ask for care.
    """
    verdicts = {finding.check: finding.verdict for finding in findings}
    if verdicts.get("twins without leaks") == "ok":
        verdicts |= {check: "warning" for check in LEAKS if verdicts.get(check) == "problem"}
    if verdicts.get("twins", "not run") == "not run":  # leaks of a training that nobody did
        verdicts = {check: verdict for check, verdict in verdicts.items() if check not in LEAKS or verdict == "problem"}
    return {claim: _answer(verdicts, checks) for claim, checks in CLAIMS.items()}


def _answer(verdicts: Mapping[str, Verdict], checks: Sequence[str]) -> Answer:
    found = [verdicts[check] for check in checks if check in verdicts]
    for verdict in ("problem", "warning"):
        if verdict in found:
            return _ANSWERS[verdict]
    if "ok" in found and len(found) == len(checks):
        return _ANSWERS["ok"]
    return "not looked at"
