"""Measures of ranked lists, and whether one list is better than another. Takes runs and qrels; knows no index.

A metric is a pure function of `Rankings` and its own parameters, for all queries at once; it stands in a file with its family and has
one line in `METRICS`. Places of judged documents come from the C++ core.
"""

from twotower.evaluation.answers import answer_accuracy, first_answer_places, has_answer
from twotower.evaluation.compare import Comparison, Difference, compare
from twotower.evaluation.evaluate import evaluate, evaluate_queries, evaluate_table
from twotower.evaluation.measures import ALIASES, METRICS, Measure, parse_measure
from twotower.evaluation.pooled import PooledComparison, PooledDifference, compare_pooled
from twotower.evaluation.qrels_table import QrelsTable
from twotower.evaluation.query_table import QueryTable
from twotower.evaluation.rankings import Rankings
from twotower.evaluation.run_table import RunTable

__all__ = [
    "ALIASES",
    "METRICS",
    "Comparison",
    "Difference",
    "Measure",
    "PooledComparison",
    "PooledDifference",
    "QrelsTable",
    "QueryTable",
    "Rankings",
    "RunTable",
    "answer_accuracy",
    "compare",
    "compare_pooled",
    "evaluate",
    "evaluate_queries",
    "evaluate_table",
    "first_answer_places",
    "has_answer",
    "parse_measure",
]
