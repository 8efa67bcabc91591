"""Room above the rankers at hand: a test set that is solved, or on which nothing works, cannot show a gain."""

import numpy as np

from twotower.evaluation.significance import bootstrap_intervals, detectable_effect
from twotower.experiments.case import Case
from twotower.experiments.finding import Finding, Verdict

NAME = "saturation"
CEILING, NEAR_CEILING, FLOOR = 0.95, 0.85, 0.05
PERFECT, MANY_PERFECT = 0.9, 0.75
RESAMPLES = 2000
SHOWS = (
    "Looks at the best ranker at hand. Where it leaves no room, no gain can be shown, however good a new ranker is. With BM25 "
    "and tf-idf alone it can miss saturation: give runs of strong rankers."
)


def saturation(case: Case) -> list[Finding]:
    """Measure the room above the best ranker on each test split."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    rng = np.random.default_rng(0)
    levels: dict[str, Verdict] = {}
    figures, sentences = {}, {}
    rankers = {name: case.values_of(run, split) for name, run in case.rankers(split).items()}
    for measure in case.measures:
        best = max(rankers, key=lambda name: float(rankers[name][measure].mean()))
        values = rankers[best][measure]
        mean, perfect = float(values.mean()), float((values >= 1 - 1e-9).mean())
        low, high = bootstrap_intervals(values[:, np.newaxis], RESAMPLES, 0.95, rng)
        half = (1 - mean) / 2
        spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        needed = detectable_effect(spread, len(values)) if len(values) > 1 else 1.0
        levels[measure], sentences[measure] = _judge(best, measure, mean, perfect, float(high[0]), half, needed)
        figures[measure] = {
            "best": best,
            "mean": round(mean, 4),
            "interval": [round(float(low[0]), 4), round(float(high[0]), 4)],
            "queries at the maximum": round(perfect, 4),
            "queries at zero": round(float((values <= 0).mean()), 4),
            "gain if half of what is missing were found": round(half, 4),
            "smallest gain that shows": round(needed, 4),
        }
    says = sentences[case.measure]
    others = [measure for measure in case.measures[1:] if levels[measure] == "problem"]
    if others and levels[case.measure] != "problem":
        says += f"; {' and '.join(others)} is saturated here ({figures[others[0]]['mean']:.3f}), use {case.measure}"
    return Finding(NAME, split, levels[case.measure], says, figures, SHOWS)


def _judge(
    best: str, measure: str, mean: float, perfect: float, high: float, half: float, needed: float
) -> tuple[Verdict, str]:
    at = f"{best} has {measure} {mean:.3f} and is perfect on {perfect:.0%} of the queries".replace("%", " %")
    if mean >= CEILING or perfect >= PERFECT or (mean >= NEAR_CEILING and half < needed):
        return "problem", f"saturated: {at}; show no gain here"
    if mean >= NEAR_CEILING or perfect >= MANY_PERFECT:
        return "warning", f"near the ceiling: {at}; half of what is missing would be a gain of {half:.3f}"
    if high <= FLOOR:
        return "problem", f"at the floor: {at}; nothing finds anything, look at the judgements first"
    return "ok", f"room is left: {at}"
