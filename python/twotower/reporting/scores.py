"""How a run scores relevant, judged and unjudged documents: one histogram of three classes."""

from dataclasses import dataclass

import numpy as np

from twotower.evaluation.rankings import AnyQrels, AnyRun, Values

CLASSES = ("relevant", "judged not relevant", "unjudged")
_BINS = 40
_TAIL = 0.005
_LARGEST = 1e300  # keeps differences of scores finite


@dataclass(frozen=True)
class ScoreHistogram:
    """Scores of all documents in the lists of judged queries, by class.

    Attributes
    ----------
    edges : list of float
        Of the bins. They reach over all classes but for the outermost 0.5 % of each, which count in the first and last bin:
        a range over all scores together would push the few relevant documents into one bin.
    counts : dict of str to list of int
        Class to documents in each bin.
    medians : dict of str to float or None
        None for a class without documents.
    """

    edges: list[float]
    counts: dict[str, list[int]]
    medians: dict[str, float | None]


def score_histogram(run: AnyRun, qrels: AnyQrels, rel: int) -> ScoreHistogram | None:
    """Return the histogram of a run's scores; None if it lists no document for a judged query."""
    by_class: dict[str, list[Values]] = {name: [] for name in CLASSES}
    for query_id, judged in qrels.items():
        scores = run.get(query_id, {})
        good = [scores[doc_id] for doc_id, grade in judged.items() if grade >= rel and doc_id in scores]
        bad = [scores[doc_id] for doc_id, grade in judged.items() if grade < rel and doc_id in scores]
        rest = [score for doc_id, score in scores.items() if doc_id not in judged]
        for name, values in zip(CLASSES, (good, bad, rest), strict=True):
            by_class[name].append(np.array(values, np.float64))
    values_of = {name: np.clip(np.concatenate(parts), -_LARGEST, _LARGEST) for name, parts in by_class.items()}
    ends = [np.quantile(values, [_TAIL, 1 - _TAIL], method="nearest") for values in values_of.values() if len(values)]
    if not ends:
        return None
    low, high = float(np.min(ends)), float(np.max(ends))
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high = low - max(0.5, abs(low) / 2), high + max(0.5, abs(high) / 2)
    edges = np.linspace(low, high, _BINS + 1)
    return ScoreHistogram(
        edges=edges.tolist(),
        counts={n: np.histogram(np.clip(v, low, high), edges)[0].tolist() for n, v in values_of.items()},
        medians={n: float(np.median(v)) if len(v) else None for n, v in values_of.items()},
    )
