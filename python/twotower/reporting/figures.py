"""All figures of the page, as plain numbers and texts. Knows no chart and no HTML."""

import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twotower import __version__
from twotower.evaluation import Comparison, compare, evaluate_queries
from twotower.evaluation.significance import bootstrap_intervals
from twotower.reporting.curves import curves, depths
from twotower.reporting.differences import Differences, differences
from twotower.reporting.learning import LearningCurve, learning_curve
from twotower.reporting.material import Material
from twotower.reporting.reasons import Explainer
from twotower.reporting.scores import ScoreHistogram, score_histogram
from twotower.reporting.worst import WorstQuery, worst_queries

CONFIDENCE = 0.95
_RESAMPLES = 10_000


@dataclass(frozen=True)
class Mean:
    """A mean over queries and its percentile bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class RunFigures:
    """What is told of one run.

    Attributes
    ----------
    name : str
    n_missing : int
        Judged queries for which it has no list; they count 0.
    median_length : float
        Documents in a list.
    means : dict of str to Mean
        By measure.
    judged : float
        Judged@10.
    precision : list of float
        Interpolated, at recall 0, .1, ..., 1.
    recall : list of float
        At `Figures.depths`.
    scores : ScoreHistogram or None
    worst : list of WorstQuery
    """

    name: str
    n_missing: int
    median_length: float
    means: dict[str, Mean]
    judged: float
    precision: list[float]
    recall: list[float]
    scores: ScoreHistogram | None
    worst: list[WorstQuery]


@dataclass(frozen=True)
class Figures:
    """What the page shows.

    Attributes
    ----------
    name : str
    fingerprint, split : str or None
        None without a collection.
    n_documents : int or None
    n_queries, n_judgements, n_relevant, n_hopeless : int
        Judged queries; judgements; those with a grade of `rel` or more; queries without such a document.
    measures : list of str
    rel : int
        Lowest grade that counts as relevant, by the first measure.
    baseline : str
    depths : list of int
    runs : list of RunFigures
    comparison : Comparison or None
        None for a single run.
    differences : list of Differences
    learning : dict of str to LearningCurve
    confidence : float
    seed : int
    versions : dict of str to str
    command : str or None
    """

    name: str
    fingerprint: str | None
    split: str | None
    n_documents: int | None
    n_queries: int
    n_judgements: int
    n_relevant: int
    n_hopeless: int
    measures: list[str]
    rel: int
    baseline: str
    depths: list[int]
    runs: list[RunFigures]
    comparison: Comparison | None
    differences: list[Differences]
    learning: dict[str, LearningCurve]
    confidence: float
    seed: int
    versions: dict[str, str]
    command: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values."""
        return asdict(self)


def compute(material: Material, *, seed: int, threads: int, command: str | None) -> Figures:
    """Return all figures; `seed` draws the resamples."""
    measures = [measure.name for measure in material.measures]
    values = {name: evaluate_queries(run, material.qrels, measures) for name, run in material.runs.items()}
    first = {name: by_measure[measures[0]] for name, by_measure in values.items()}
    collection, rel = material.collection, material.measure.rel
    grades = [grade for judged in material.qrels.values() for grade in judged.values()]
    deepest = max(len(run.get(query_id, {})) for run in material.runs.values() for query_id in material.qrels)
    at = depths(deepest)
    explainer = None if collection is None or not material.worst else Explainer(collection, threads)
    means = _means(values, seed)
    runs = [_run_figures(material, name, means[name], at, first, explainer) for name in material.runs]
    texts = {} if collection is None else collection.queries
    return Figures(
        name=material.name,
        fingerprint=None if collection is None else collection.fingerprint(),
        split=material.split,
        n_documents=None if collection is None else len(collection.corpus),
        n_queries=len(material.qrels),
        n_judgements=len(grades),
        n_relevant=sum(grade >= rel for grade in grades),
        n_hopeless=sum(all(grade < rel for grade in judged.values()) for judged in material.qrels.values()),
        measures=measures,
        rel=rel,
        baseline=material.baseline,
        depths=at,
        runs=runs,
        comparison=_compared(material, measures, seed),
        differences=[
            differences(name, first[name], first[material.baseline], texts, material.worst)
            for name in material.runs
            if name != material.baseline
        ],
        learning={name: learning_curve(history) for name, history in material.histories.items()},
        confidence=CONFIDENCE,
        seed=seed,
        versions=_versions(),
        command=command,
    )


def _compared(material: Material, measures: list[str], seed: int) -> Comparison | None:
    if len(material.runs) < 2 or len(material.qrels) < 2:  # one query has no deviation to compare by
        return None
    return compare(
        material.runs, material.qrels, measures, baseline=material.baseline, confidence=CONFIDENCE, seed=seed
    )


def _means(values: dict[str, dict[str, dict[str, float]]], seed: int) -> dict[str, dict[str, Mean]]:
    """Return run to measure to mean, all intervals from the same resamples of queries."""
    columns = [(name, measure) for name, by_measure in values.items() for measure in by_measure]
    table = np.column_stack([list(values[name][measure].values()) for name, measure in columns])
    low, high = bootstrap_intervals(table, _RESAMPLES, CONFIDENCE, np.random.default_rng(seed))
    means: dict[str, dict[str, Mean]] = {name: {} for name in values}
    for (name, measure), *figures in zip(
        columns, table.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True
    ):
        means[name][measure] = Mean(*figures)
    return means


def _run_figures(
    material: Material, name: str, means: dict[str, Mean], at: list[int], first: dict[str, dict[str, float]],
    explainer: Explainer | None,
) -> RunFigures:  # fmt: skip
    run, qrels, rel = material.runs[name], material.qrels, material.measure.rel
    precision, recall, judged = curves(run, qrels, rel, at)
    lengths = np.array([len(run.get(query_id, {})) for query_id in qrels])
    return RunFigures(
        name=name,
        n_missing=sum(query_id not in run for query_id in qrels),
        median_length=float(np.median(lengths)),
        means=means,
        judged=judged,
        precision=precision,
        recall=recall,
        scores=score_histogram(run, qrels, rel),
        worst=worst_queries(material, name, first, explainer),
    )


def _versions() -> dict[str, str]:
    python = ".".join(map(str, sys.version_info[:3]))
    return {"twotower": __version__, "Python": python, "numpy": np.__version__}
