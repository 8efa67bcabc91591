"""What a report is made from, checked. Knows where things come from, and nothing of what is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation import Measure
from twotower.evaluation.measures import check_order
from twotower.evaluation.rankings import AnyQrels, AnyRun
from twotower.index.arguments import check_integer
from twotower.training.log import History, read_history
from twotower.types import Collection

LOG = "metrics.jsonl"
MOST_WORST = 100  # queries shown a run: more would make the page heavy, and nobody reads them


@dataclass(frozen=True)
class Material:
    """Checked arguments of `report`.

    Attributes
    ----------
    name : str
        Of the collection, or of the judgements.
    runs : dict of str to run
    qrels : mapping of query_id to mapping of doc_id to grade
    collection : Collection or None
        None: there are no texts.
    split : str or None
    measures : list of Measure
        The first orders queries.
    baseline : str
        A name in `runs`.
    histories : dict of str to History
    worst : int
    """

    name: str
    runs: dict[str, AnyRun]
    qrels: AnyQrels
    collection: Collection | None
    split: str | None
    measures: list[Measure]
    baseline: str
    histories: dict[str, History]
    worst: int

    @property
    def measure(self) -> Measure:
        """The measure by which queries are ordered and compared."""
        return self.measures[0]


def gather(
    runs: Mapping[str, AnyRun],
    judged: Collection | AnyQrels,
    split: str,
    measures: Sequence[str],
    baseline: str | None,
    histories: Mapping[str, History | str | PathLike[str]],
    worst: int,
    name: str,
) -> Material:
    """Check the arguments of `report` and read the logs that it names.

    Raises
    ------
    InvalidInputError
        If there is no run, no judged query or no measure; if more of a measure is not better; if a run has no judged query, no
        run has the baseline's name, a history has no step, or `worst` is out of range.
    """
    if not isinstance(runs, Mapping) or not runs:
        raise InvalidInputError("there is no run: give at least one, by name")
    collection = judged if isinstance(judged, Collection) else None
    qrels = judged.split(split) if isinstance(judged, Collection) else judged
    if not qrels:
        raise InvalidInputError("the judgements have no query: there is nothing to report on")
    for run_name, run in runs.items():
        _check_run(run_name, run, qrels)
    if isinstance(measures, str):
        raise InputTypeError(f"measures is one string: give a list, such as [{measures!r}]")
    if not measures:
        raise InvalidInputError("there is no measure: give at least one, such as 'nDCG@10'")
    if baseline is not None and baseline not in runs:
        raise InvalidInputError(f"no run is named {baseline!r}: choose one of {', '.join(runs)}")
    return Material(
        name=name if collection is None else collection.name,
        runs=dict(runs),
        qrels=qrels,
        collection=collection,
        split=None if collection is None else split,
        measures=check_order(list(dict.fromkeys(measures))),
        baseline=next(iter(runs)) if baseline is None else baseline,
        histories={key: _history(key, history) for key, history in histories.items()},
        worst=check_integer(worst, "worst", 0, MOST_WORST),
    )


def _check_run(name: str, run: AnyRun, qrels: AnyQrels) -> None:
    if not isinstance(run, Mapping):
        raise InputTypeError(f"run {name!r} is of type {type(run).__name__}: give query_id -> doc_id -> score")
    if not any(query_id in qrels for query_id in run):
        theirs, ours = next(iter(run), None), next(iter(qrels))
        came = "it has no query at all" if theirs is None else f"its queries are such as {theirs!r}"
        raise InvalidInputError(
            f"run {name!r} has none of the {len(qrels)} judged queries: {came}, the judged ones such as {ours!r}. "
            "Give the judgements, or the split, that the run was made for"
        )


def _history(name: str, history: History | str | PathLike[str]) -> History:
    if not isinstance(history, History):
        path = Path(history)
        history = read_history(path / LOG if path.is_dir() else path)
    if not history.losses:
        raise InvalidInputError(
            f"history {name!r} has no step: give the {LOG} of a training, or the folder that holds it"
        )
    return history
