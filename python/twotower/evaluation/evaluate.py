"""Measures of a run against qrels, by query and as means."""

from collections.abc import Iterable
from functools import partial

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.measures import parse_measure
from twotower.evaluation.rankings import AnyQrels, AnyRun, Values, rank_judged

DENOMINATORS = ("relevant", "retrieved")


def evaluate_queries(
    run: AnyRun, qrels: AnyQrels, measures: Iterable[str], *, denominator: str = "relevant"
) -> dict[str, dict[str, float]]:
    """Return the value of each measure for each judged query.

    Parameters
    ----------
    run : mapping of query_id to mapping of doc_id to score
    qrels : mapping of query_id to mapping of doc_id to grade
        A grade above 0 is relevant unless the measure says ``rel=``.
    measures : iterable of str
        ir-measures names: P@k, R@k, Success@k, AP, AP@k, RR, RR@k, nDCG, nDCG@k, each also with ``(rel=GRADE)``.
    denominator : {"relevant", "retrieved"}
        Of average precision; see `twotower.evaluation.average_precision`.

    Returns
    -------
    dict of str to dict of str to float
        Measure to query_id to value, the queries in the order of `qrels`. A judged query that the run lacks has 0, and so has
        one without a relevant document; queries that nobody judged are left out.

    Raises
    ------
    InvalidInputError
        For an unknown measure or denominator, or a score of a judged query that is NaN.
    InputTypeError
        If a score is not a number, or a grade not an integer.

    Notes
    -----
    Values are trec_eval's: scores compared as float32, ties by doc_id descending.

    Examples
    --------
    >>> evaluate_queries({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}}, ["RR", "P@2"])
    {'RR': {'q': 0.5}, 'P@2': {'q': 0.5}}
    """
    values = query_values(run, qrels, measures, denominator=denominator)
    return {name: dict(zip(qrels, column.tolist(), strict=True)) for name, column in values.items()}


def query_values(
    run: AnyRun, qrels: AnyQrels, measures: Iterable[str], *, denominator: str = "relevant"
) -> dict[str, Values]:
    """Return what `evaluate_queries` returns, as arrays [Q] in the order of `qrels`."""
    if denominator not in DENOMINATORS:
        raise InvalidInputError(f"denominator {denominator!r}: choose one of {', '.join(DENOMINATORS)}")
    if isinstance(measures, str):
        raise InputTypeError(f"measures is one string: give a list, such as [{measures!r}]")
    parsed = [parse_measure(name) for name in measures]
    rankings = rank_judged(run, qrels)
    values = {}
    for measure in parsed:
        function = partial(measure.function, denominator=denominator) if measure.metric == "AP" else measure.function
        values[measure.name] = function(rankings, k=measure.k, rel=measure.rel)
    return values


def evaluate(
    run: AnyRun, qrels: AnyQrels, measures: Iterable[str], *, denominator: str = "relevant"
) -> dict[str, float]:
    """Return the mean of each measure over all judged queries.

    Parameters, errors and definitions are those of `evaluate_queries`. A judged query missing from the run counts 0. Without any
    judged query there is no mean, and that is an error.

    Examples
    --------
    >>> evaluate({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}, "missing": {"a": 1}}, ["RR"])
    {'RR': 0.25}
    """
    if not qrels:
        raise InvalidInputError("qrels has no query: there is nothing to average over")
    values = query_values(run, qrels, measures, denominator=denominator)
    return {name: float(column.mean()) for name, column in values.items()}
