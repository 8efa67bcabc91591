"""Measures of ranked lists, and whether one list is better than another. Takes runs and qrels; knows no index.

A metric is a pure function of `Rankings`, `k` and `rel`, for all queries at once; it stands in one file and has one line in `METRICS`.
"""

from twotower.evaluation.compare import Comparison, Difference, compare
from twotower.evaluation.evaluate import evaluate, evaluate_queries
from twotower.evaluation.measures import METRICS, Measure, parse_measure
from twotower.evaluation.pooled import PooledComparison, PooledDifference, compare_pooled
from twotower.evaluation.rankings import Rankings

__all__ = [
    "METRICS",
    "Comparison",
    "Difference",
    "Measure",
    "PooledComparison",
    "PooledDifference",
    "Rankings",
    "compare",
    "compare_pooled",
    "evaluate",
    "evaluate_queries",
    "parse_measure",
]
