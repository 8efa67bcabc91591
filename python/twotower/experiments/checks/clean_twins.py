"""What training taught, on the test queries that no leak concerns: the part of a gain that is not memory."""

import numpy as np

from twotower.evaluation.significance import bootstrap_intervals
from twotower.experiments.case import BM25, Case
from twotower.experiments.finding import SEVERITY, Finding, Verdict

NAME = "twins without leaks"
WORTH, RESAMPLES, LEAST = 0.05, 10_000, 5
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
        against = [*controls, BM25]  # BM25 is shown and not judged: learning does not mean to beat it
        paired = np.column_stack([case.values[name][split] - case.measured(control, split) for control in against])[
            kept
        ]
        low, high = bootstrap_intervals(paired, RESAMPLES, 0.95, np.random.default_rng(0))
        means = paired.mean(axis=0)
        for control, *interval in zip(against, means.tolist(), low.tolist(), high.tolist(), strict=True):
            figures[f"{name} - {control}"] = [round(value, 4) for value in interval]
        means, low, high = means[:-1], low[:-1], high[:-1]
        worst = int(means.argmin())
        shown = (
            f"{case.measure} {means[worst]:+.3f} ({low[worst]:+.3f} to {high[worst]:+.3f}) against {controls[worst]}"
        )
        if (low > 0).all():
            judged.append(("ok", f"{name} learned: {shown}"))
        elif high[worst] >= WORTH:
            judged.append(("warning", f"{name}: learning beyond the leaks cannot be shown: {shown}"))
        else:
            judged.append(("problem", f"{name}: no evidence of learning beyond the leaks: {shown}"))
    verdict = min((found for found, _ in judged), key=SEVERITY.__getitem__)
    says = f"on the {int(kept.sum())} clean of {len(kept)} queries, {'; '.join(found for _, found in judged)}"
    return Finding(NAME, split, verdict, says, {"clean queries": int(kept.sum()), **figures}, SHOWS)
