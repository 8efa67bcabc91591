"""Relevant documents that differ from the others without a look at the query."""

import numpy as np
import numpy.typing as npt

from twotower.experiments.case import Case
from twotower.experiments.features import auc, auc_error, crowding, surface
from twotower.experiments.finding import Finding, Verdict
from twotower.search.logistic import Logistic

NAME = "query-blind classifier"
PROBLEM, WARNING = 0.8, 0.65
DEPTH, SAMPLE, FOLDS, LEAST = 50, 5000, 5, 20
REMEDY = "other queries' relevant documents (shown, not judged)"
SHOWS = (
    "Cross-validated by document, a classifier sees length, title, punctuation, kinds of characters and how crowded a document's "
    "neighbourhood is, never the query. AUC .5: nothing to see. High: a model can learn to know relevant documents as such, and so "
    "can look good against these negatives without reading queries. Draw hard negatives from other queries' relevant documents "
    "too: those look alike. A classifier with better features may see more."
)


def blind_classifier(case: Case) -> list[Finding]:
    """Tell the relevant documents of each test split from others, query-blind."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    rng = np.random.default_rng(0)
    positives = sorted({case.number[doc_id] for _, doc_id in case.collection.pairs(split)})
    figures: dict[str, dict[str, float]] = {}
    for name, negatives in _negatives(case, split, set(positives)).items():
        if min(len(negatives), len(positives)) < LEAST:
            continue
        chosen = rng.permutation(negatives)[:SAMPLE]
        labels = np.arange(len(positives) + len(chosen)) < len(positives)
        value = _cross_validated(_features(case, np.concatenate([positives, chosen])), labels, rng)
        error = auc_error(value, len(positives), len(chosen))
        figures[name] = {"AUC": round(value, 3), "standard error": round(error, 3), "documents": len(chosen)}
    judged = {name: found for name, found in figures.items() if name != REMEDY}
    if not judged:
        return Finding(NAME, split, "not run", f"fewer than {LEAST} documents on one side", figures, SHOWS)
    where, worst = max(judged.items(), key=lambda item: item[1]["AUC"])
    value = worst["AUC"]
    verdict: Verdict = "problem" if value >= PROBLEM else "warning" if value >= WARNING else "ok"
    says = f"a query-blind classifier tells relevant documents from others with AUC {value:.2f} (against {where})"
    if verdict != "ok":
        says += ": negatives differ without looking at the query; draw hard negatives from other queries' positives too"
    return Finding(NAME, split, verdict, says, {"relevant documents": len(positives), **figures}, SHOWS)


def _negatives(case: Case, split: str, positives: set[int]) -> dict[str, list[int]]:
    """Return what a learner would call negatives, none of it relevant to any query of the split."""
    ever = {case.number[doc_id] for name in case.collection.qrels for _, doc_id in case.collection.pairs(name)}
    query_ids = list(case.collection.split(split))
    found = case.bm25.search(case.query_texts(query_ids), k=DEPTH, threads=case.threads).docs
    sets = {
        "documents relevant to no query": [doc for doc in range(len(case.doc_ids)) if doc not in ever],
        f"BM25's first {DEPTH}": sorted(set(found[found >= 0].tolist()) - positives),
    }
    taught = {case.number[doc_id] for name in case.learned_from for _, doc_id in case.collection.pairs(name)}
    sets[REMEDY] = sorted(taught - positives)
    if case.collection.candidates:
        own = {case.number[doc_id] for q in query_ids for doc_id in case.collection.candidates.get(q, [])}
        sets["candidates that were not selected"] = sorted(own - positives)
    return sets


def _features(case: Case, docs: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    documents = [case.collection.corpus[case.doc_ids[doc]] for doc in docs.tolist()]
    return np.hstack([surface(documents), crowding(case.tfidf, documents, case.threads)])


def _cross_validated(
    features: npt.NDArray[np.float32], labels: npt.NDArray[np.bool_], rng: np.random.Generator
) -> float:
    """Return the mean AUC over folds of documents."""
    fold = np.empty(len(labels), np.int64)
    for side in (labels, ~labels):  # each fold has its part of both
        fold[side] = rng.permutation(int(side.sum())) % FOLDS
    values = []
    for number in range(FOLDS):
        held = fold == number
        scores = Logistic.fit(features[~held], labels[~held]).scores(features[held])
        values.append(auc(scores, labels[held]))
    return float(np.mean(values))
