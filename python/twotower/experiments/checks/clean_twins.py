"""What training taught, on the test queries that no leak concerns: the part of a gain that is not memory."""

import numpy as np
import numpy.typing as npt

from twotower.evaluation import Difference
from twotower.evaluation.compare import Options
from twotower.evaluation.compare import judge as compared
from twotower.experiments.case import BM25, HYBRID, Case
from twotower.experiments.checks.twins import Beside, judge
from twotower.experiments.finding import SEVERITY, Finding, Verdict

NAME = "twins without leaks"
LEAST = 5
SHOWS = (
    "The comparison of the twins once more, on the test queries that neither the query leaks nor the document leaks nor the shared "
    "sources name. The model was trained with the leaks, so this shows whether it carries over beyond them, not what it would have "
    "learned without."
)


def clean_twins(case: Case) -> list[Finding]:
    """Compare trained rankers with their controls on the clean queries of each test split."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    query_ids = list(case.collection.split(split))
    leaked = case.leaked.get(split, set())
    kept = np.array([query_id not in leaked for query_id in query_ids], bool)
    if not case.controls or not leaked:
        why = "nothing was trained here" if not case.controls else "no query is concerned by a leak, see the twins"
        return Finding(NAME, split, "not run", why, explanation=SHOWS)
    if kept.sum() < LEAST:
        says = f"{int(kept.sum())} of {len(kept)} queries are clean: learning cannot be shown on them"
        return Finding(NAME, split, "problem", says, {"clean queries": int(kept.sum())}, SHOWS)
    figures: dict[str, list[float]] = {}
    judged: list[tuple[Verdict, str]] = []
    for name, controls in case.controls.items():
        # Beside BM25 it is shown and not judged: to learn does not mean to beat it.
        differences = [_difference(case, split, kept, name, control) for control in [*controls, BM25]]
        figures |= {f"{name} - {d.baseline}": _rounded(d) for d in differences}
        judged.append(judge(Beside(name, differences[:-1], agree=True)))
    if HYBRID in case.values:
        figures[f"{HYBRID} - {BM25}"] = _rounded(_difference(case, split, kept, HYBRID, BM25))
    verdict = min((found for found, _ in judged), key=SEVERITY.__getitem__)
    says = f"on the {int(kept.sum())} clean of {len(kept)} queries, {'; '.join(found for _, found in judged)}"
    return Finding(NAME, split, verdict, says, {"clean queries": int(kept.sum()), **figures}, SHOWS)


def _difference(case: Case, split: str, kept: npt.NDArray[np.bool_], name: str, baseline: str) -> Difference:
    """Return the paired difference on the kept queries."""
    paired = (case.measured(name, split) - case.measured(baseline, split))[kept][:, np.newaxis]
    return compared([(name, baseline, case.measure)], paired, Options(10_000, 0.95, None, 0))[0]


def _rounded(difference: Difference) -> list[float]:
    return [round(value, 4) for value in (difference.difference, difference.low, difference.high)]
