"""How far one order of documents gets that is the same for all queries."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twotower.evaluation.evaluate import evaluate
from twotower.experiments.case import BM25, DEPTH, Case
from twotower.experiments.features import surface
from twotower.experiments.finding import Finding, Verdict
from twotower.search import QueryBlind
from twotower.types import Run

NAME = "query-blind order"
FOLDS, LEAST_QUERIES = 5, 10
PROBLEM_SHARE, WARNING_SHARE = 0.5, 0.1
SHOWS = (
    "Orders documents by their looks and by whether other queries wanted them, learned from the train queries and, cross-fitted, "
    "from the other test queries; the better of the two is the control. Where it comes near a ranker, that ranker may have "
    "learned which documents are popular. It cannot come far where each query has documents of its own."
)


def blind_order(case: Case) -> list[Finding]:
    """Measure the best query-blind order on each test split."""
    features = surface(list(case.collection.corpus.values()))
    return [_check(case, split, features) for split in case.tests]


def _check(case: Case, split: str, features: npt.NDArray[np.float32]) -> Finding:
    qrels = case.collection.split(split)
    tested, learned = _asked(case, [split]), _asked(case, case.learned_from)
    orders: dict[str, Run] = {}
    if len(learned) >= LEAST_QUERIES:
        orders["learned from " + " and ".join(case.learned_from)] = _run(
            case, features, list(learned.values()), list(qrels)
        )
    if len(tested) >= LEAST_QUERIES:
        orders["learned from the other test queries"] = _cross_fitted(case, features, split, list(learned.values()))
    if not orders:
        return Finding(NAME, split, "not run", f"fewer than {LEAST_QUERIES} queries to learn from", {}, SHOWS)
    means = {name: evaluate(run, qrels, case.measures) for name, run in orders.items()}
    bm25 = evaluate(case.rankers(split)[BM25], qrels, case.measures)
    best = max(means, key=lambda name: means[name][case.measure])
    value, lexical = means[best][case.measure], bm25[case.measure]
    case.values.setdefault("query-blind, best", {})[split] = case.values_of(orders[best], split)[case.measure]
    share = value / lexical if lexical else 1.0
    verdict: Verdict = "problem" if share >= PROBLEM_SHARE else "warning" if share >= WARNING_SHARE else "ok"
    says = f"the best query-blind order ({best}) has {case.measure} {value:.3f}, BM25 {lexical:.3f}"
    if verdict != "ok":
        says += ": popularity alone explains part of a score, set every ranker against this order"
    figures = {name: {m: round(v, 4) for m, v in found.items()} for name, found in {**means, BM25: bm25}.items()}
    return Finding(NAME, split, verdict, says, figures, SHOWS)


def _asked(case: Case, splits: Sequence[str]) -> dict[str, list[int]]:
    found = case.relevant(splits)
    return {query_id: [case.number[doc_id] for doc_id in docs] for query_id, docs in found.items()}


def _run(
    case: Case,
    features: npt.NDArray[np.float32],
    asked: Sequence[Sequence[int]],
    query_ids: Sequence[str],
    avoid: bool = True,
) -> Run:
    """Return the run of one order."""
    blind = QueryBlind.fit_asked(features, asked, case.doc_ids, folds=FOLDS, avoid=avoid)
    run: Run = blind.search(case.query_texts(query_ids), DEPTH).to_run(list(query_ids))
    return run


def _cross_fitted(case: Case, features: npt.NDArray[np.float32], split: str, learned: list[list[int]]) -> Run:
    """Return a run in which each query is ordered by what all but its own part of the test queries taught."""
    query_ids = list(case.collection.split(split))
    fold = np.random.default_rng(0).permutation(len(query_ids)) % FOLDS
    tested = _asked(case, [split])
    run: Run = {}
    for number in range(FOLDS):
        own = [q for q, part in zip(query_ids, fold.tolist(), strict=True) if part == number]
        others = [docs for q, docs in tested.items() if q not in set(own)]
        run |= _run(case, features, learned + others, own, avoid=False)
    return run
