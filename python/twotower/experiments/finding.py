"""What a check of an audit says about one test split. Knows no check."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["ok", "warning", "problem", "not run"]
SEVERITY: dict[Verdict, int] = {"problem": 0, "warning": 1, "not run": 2, "ok": 3}
"""The order in which a page shows verdicts."""

MANY = 0.05
"""Share of a split's queries from which a leak is a problem: it can move a mean by as much as good rankers differ."""

SHOWN = 90
"""Characters of a text in an example."""


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Attributes
    ----------
    check, split : str
    verdict : {"ok", "warning", "problem", "not run"}
    says : str
        One sentence: what may or may not be claimed.
    figures : dict
        JSON-able numbers behind the verdict.
    explanation : str
        What the check can show and what it cannot.
    examples : list of str
        Ids and shortened texts of cases.
    affected : list of str
        Ids of the test queries concerned, for measures without them.
    """

    check: str
    split: str
    verdict: Verdict
    says: str
    figures: dict[str, Any] = field(default_factory=dict)
    explanation: str = ""
    examples: list[str] = field(default_factory=list)
    affected: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values."""
        return asdict(self)


def by_share(n_affected: int, n_queries: int) -> Verdict:
    """Return "ok" for none, "problem" from `MANY` of the queries on, "warning" between.

    Examples
    --------
    >>> by_share(0, 100), by_share(4, 100), by_share(5, 100)
    ('ok', 'warning', 'problem')
    """
    if n_affected == 0:
        return "ok"
    return "problem" if n_affected >= MANY * n_queries else "warning"


def shortened(text: str) -> str:
    """Return a text on one line, cut to `SHOWN` characters."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def percent(part: float, whole: float) -> str:
    """Return a share as text; "0 %" of nothing.

    Examples
    --------
    >>> percent(1, 54), percent(0, 0)
    ('1.9 %', '0 %')
    """
    share = part / whole if whole else 0.0
    return "0 %" if share == 0 else f"{share:.1%}".replace("%", " %")
