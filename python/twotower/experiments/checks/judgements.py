"""How complete are the judgements: unjudged documents at the top, queries without an answer, answers that nobody finds."""

import numpy as np

from twotower.experiments.case import DEPTH, Case
from twotower.experiments.finding import Finding, Verdict, percent
from twotower.experiments.near_duplicates import similar_documents

NAME = "judgements"
TOP = 10
SPARSE, MANY_EMPTY = 0.5, 0.2
SHOWS = (
    f"Counts judged documents among the first {TOP} of each ranker: where most are unjudged, a new ranker may lose for answers that "
    "nobody looked at. Does not know whether an unjudged document is relevant, nor whether a judgement is right."
)


def judgements(case: Case) -> list[Finding]:
    """Count holes on each test split."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    qrels = case.collection.split(split)
    relevant = case.relevant([split])
    rankers = case.rankers(split)
    n, n_empty = len(qrels), len(qrels) - len(relevant)
    n_single = sum(len(found) == 1 for found in relevant.values())
    judged = {name: float(np.mean([_judged(run.get(q, {}), qrels[q]) for q in qrels])) for name, run in rankers.items()}
    wanted = [(query_id, doc_id) for query_id, found in relevant.items() for doc_id in found]
    missed = sum(not any(doc_id in run.get(query_id, {}) for run in rankers.values()) for query_id, doc_id in wanted)
    elsewhere = {
        doc_id for name, other in case.collection.qrels.items() for q, found in other.items()
        if name != split or q not in qrels for doc_id in found
    }  # fmt: skip
    outside = sum(doc_id not in elsewhere for _, doc_id in wanted)
    best = max(judged.values())
    verdict: Verdict = "ok"
    if n_empty > MANY_EMPTY * n:
        verdict = "problem"
    elif n_empty or best < SPARSE:
        verdict = "warning"
    figures = {
        f"judged@{TOP}": {name: round(share, 4) for name, share in judged.items()},
        "queries without a relevant document": n_empty,
        "queries with a single relevant document": n_single,
        f"relevant documents that no ranker finds in {DEPTH}": [missed, len(wanted)],
        "relevant documents judged for no query of another split": [outside, len(wanted)],
        "relevant documents with an unjudged near-duplicate": _unjudged_copies(case, split, relevant),
    }
    says = (
        f"{best:.0%} of the first {TOP} are judged at best; {n_single} of {n} queries have a single relevant document, "
        f"{n_empty} have none; {percent(missed, len(wanted))} of the relevant documents are found by no ranker"
    ).replace("% of the first", " % of the first")
    return Finding(NAME, split, verdict, says, figures, SHOWS)


def _judged(found: dict[str, float], judged: dict[str, int]) -> float:
    top = sorted(found, key=lambda doc_id: -found[doc_id])[:TOP]
    return sum(doc_id in judged for doc_id in top) / TOP


def _unjudged_copies(case: Case, split: str, relevant: dict[str, list[str]]) -> int:
    """Count relevant documents of which the corpus has a near-duplicate that nobody judged for any query of the split."""
    judged = {doc_id for found in case.collection.split(split).values() for doc_id in found}
    wanted = list(dict.fromkeys(doc_id for found in relevant.values() for doc_id in found))
    others = [text for doc_id, text in zip(case.doc_ids, case.texts, strict=True) if doc_id not in judged]
    return len(similar_documents(others, [case.texts[case.number[doc_id]] for doc_id in wanted]))
