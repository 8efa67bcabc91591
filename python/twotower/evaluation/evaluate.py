"""Measures of a run against qrels, by query and as means."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation.measures import parse_measures
from twotower.evaluation.parameters import PARAMETERS
from twotower.evaluation.qrels_table import QrelsSource, QrelsTable
from twotower.evaluation.query_table import QueryTable
from twotower.evaluation.rankings import Values
from twotower.evaluation.run_table import Judged, RunSource, rank_judged


def evaluate_table(
    run: RunSource, qrels: QrelsSource, measures: Iterable[str], *, denominator: str = "relevant"
) -> QueryTable:
    """Return the value of each measure for each judged query, as arrays.

    Parameters
    ----------
    run : mapping of query_id to mapping of doc_id to score, path, or RunTable
        A path names a TREC run, plain, .gz or .xz; it is streamed, one list at a time.
    qrels : mapping of query_id to mapping of doc_id to grade, path, or QrelsTable
        A grade above 0 is relevant unless the measure says ``rel=``. A path names a TREC or BEIR file.
    measures : iterable of str
        In ir-measures' notation: AP, P@k, R@k, RR, nDCG@k, ``nDCG(dcg='exp-log2')@10``, ``P(rel=2)@5``; `METRICS` has all.
    denominator : {"relevant", "retrieved"}
        Of AP; see `twotower.evaluation.average_precision`.

    Returns
    -------
    QueryTable
        The queries in the order of `qrels`. A judged query that the run lacks has 0; queries that nobody judged are left out.

    Raises
    ------
    InputTypeError
        If `run`, `qrels` or `measures` is something else, a score is not a number, or a grade not an integer.
    InvalidInputError
        For an unknown measure, parameter or denominator, or a score of a judged query that is NaN.
    DataFormatError
        If a line of a file is malformed, or repeats a document.

    Notes
    -----
    One order for all measures, trec_eval's: scores compared as float32, ties by doc_id descending.

    Examples
    --------
    >>> table = evaluate_table({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}, "missing": {"a": 1}}, ["RR", "P@2"])
    >>> table.values.tolist(), table.n_missing
    ([[0.5, 0.5], [0.0, 0.0]], 1)
    """
    if not PARAMETERS["denominator"].fits(denominator):
        raise InvalidInputError(f"denominator {denominator!r}: choose one of relevant, retrieved")
    parsed = parse_measures(measures)
    table = QrelsTable.of(qrels)
    judged = rank_judged(run, table)
    values = np.zeros((len(table), len(parsed)))
    for i, measure in enumerate(parsed):
        defaults: dict[str, Any] = {"denominator": denominator} if measure.metric == "AP" else {}
        values[:, i] = measure.values(judged.rankings, **defaults)
    values[judged.missing] = 0.0
    return QueryTable(table.query_ids, tuple(parsed), values, int(judged.missing.sum()), _warnings(judged, table))


def evaluate_queries(
    run: RunSource, qrels: QrelsSource, measures: Iterable[str], *, denominator: str = "relevant"
) -> dict[str, dict[str, float]]:
    """Return the value of each measure for each judged query, as dictionaries.

    Parameters, errors and definitions are those of `evaluate_table`, which fits millions of queries.

    Returns
    -------
    dict of str to dict of str to float
        Measure to query_id to value.

    Examples
    --------
    >>> evaluate_queries({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}}, ["RR", "P@2"])
    {'RR': {'q': 0.5}, 'P@2': {'q': 0.5}}
    """
    table = evaluate_table(run, qrels, measures, denominator=denominator)
    ids = list(table.query_ids)
    return {name: dict(zip(ids, table.column(name).tolist(), strict=True)) for name in table.names}


def query_values(
    run: RunSource, qrels: QrelsSource, measures: Iterable[str], *, denominator: str = "relevant"
) -> dict[str, Values]:
    """Return what `evaluate_queries` returns, as arrays [Q] in the order of `qrels`."""
    table = evaluate_table(run, qrels, measures, denominator=denominator)
    return {name: np.ascontiguousarray(table.column(name)) for name in table.names}


def evaluate(
    run: RunSource, qrels: QrelsSource, measures: Iterable[str], *, denominator: str = "relevant"
) -> dict[str, float]:
    """Return the mean of each measure over all judged queries, and the sum of those that count (NumQ, NumRet, NumRel).

    Parameters, errors and definitions are those of `evaluate_table`. A judged query missing from the run counts 0. Without any
    judged query there is no mean, and that is an error.

    Examples
    --------
    >>> evaluate({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}, "missing": {"a": 1}}, ["RR"])
    {'RR': 0.25}
    """
    return evaluate_table(run, qrels, measures, denominator=denominator).means()


def _warnings(judged: Judged, qrels: QrelsTable) -> tuple[str, ...]:
    """Say that run and judgements share no query, or no document."""
    if not len(qrels):
        return ()
    if not judged.n_queries:
        return ("the run is empty: every value is 0",)
    if judged.missing.all():
        said = (
            f"the run shares no query with the judgements: it has ids such as {judged.sample!r}, they have ids such as "
            f"{qrels.query_ids[0]!r}; every value is 0"
        )
    elif not len(judged.rankings.query):
        said = (
            "the run lists none of the judged documents: are these judgements of another corpus, or ids of another kind? "
            "Every value is 0"
        )
    else:
        return ()
    return (said,)
