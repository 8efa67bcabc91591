"""How large a difference must be before so many queries can show it."""

from itertools import combinations

import numpy as np

from twotower.evaluation.significance import detectable_effect
from twotower.experiments.case import HYBRID, Case
from twotower.experiments.finding import Finding, Verdict

NAME = "smallest effect"
COARSE, BLUNT = 0.05, 0.1
SHOWS = (
    "The smallest true mean difference that a two-sided paired t-test at level .05 finds with probability .8, from how much the "
    "differences of the rankers at hand vary over queries. Two rankers that are more alike vary less and show smaller "
    "differences; that a measured difference is smaller than this figure does not show that the two are equal."
)


def smallest_effect(case: Case) -> list[Finding]:
    """Compute the smallest effect on each test split."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    # A hybrid contains one of the others and so hardly differs from it: no measure of what two rankers need.
    measured = {name: values for name, values in case.compared(split).items() if name != HYBRID}
    n = len(case.collection.split(split))
    if n < 2:
        return Finding(NAME, split, "problem", f"{n} query: nothing can be shown", {"queries": n}, SHOWS)
    effects = {}
    for one, other in combinations(measured, 2):
        spread = float(np.std(measured[one] - measured[other], ddof=1))
        if spread > 0:
            effects[f"{one} and {other}"] = (round(detectable_effect(spread, n), 4), round(spread, 4))
    if not effects:
        return Finding(NAME, split, "warning", "the rankers at hand do not differ on any query", {"queries": n}, SHOWS)
    pair, (least, _) = min(effects.items(), key=lambda item: item[1][0])
    other, (most, _) = max(effects.items(), key=lambda item: item[1][0])
    verdict: Verdict = "ok" if least <= COARSE else "warning" if least <= BLUNT else "problem"
    says = f"{n} queries: differences of {case.measure} below {least:.3f} cannot be shown (as between {pair})"
    if other != pair:
        says += f", nor those below {most:.3f} between rankers as different as {other}"
    shown = {name: list(pair) for name, pair in effects.items()}
    figures = {"queries": n, "smallest effect / deviation of the differences": shown}
    return Finding(NAME, split, verdict, says, figures, SHOWS)
