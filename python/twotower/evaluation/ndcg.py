"""Normalised discounted cumulative gain."""

import numpy as np
import numpy.typing as npt

from twotower.evaluation.ranking import Ranking


def ndcg(ranking: Ranking, k: int | None, rel: int) -> float:
    """Return DCG / ideal DCG over the first k places, with the grade as gain and log2(place + 1) as discount.

    Notes
    -----
    Järvelin and Kekäläinen 2002 with trec_eval's linear gains. Grades below `rel` gain nothing.
    """
    ideal = _dcg(ranking.judged[:k], rel)
    return _dcg(ranking.top(k), rel) / ideal if ideal else 0.0


def _dcg(grades: npt.NDArray[np.int64], rel: int) -> float:
    gains = np.where(grades >= rel, grades, 0)
    return float((gains / np.log2(np.arange(2, len(grades) + 2))).sum())
