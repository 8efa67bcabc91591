"""Test queries that were copied from their own relevant document: word match is planted there."""

from twotower.experiments.case import Case
from twotower.experiments.finding import Finding, by_share, percent, shortened
from twotower.experiments.near_duplicates import words

NAME = "copied queries"
LEAST_WORDS = 6
SHOWS = (
    f"Finds queries of {LEAST_WORDS} words or more that stand word for word in a relevant document, or are its title. Rankers "
    "by words then find what was put there for them, and a learned ranker has nothing left to show. Short keyword queries often "
    "stand in good answers by nature and are not counted."
)
EXAMPLES = 3


def copied_queries(case: Case) -> list[Finding]:
    """Look for each test query in its relevant documents."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    tested = case.relevant([split])
    asked = words(case.query_texts(tested))
    wanted = list(dict.fromkeys(doc_id for found in tested.values() for doc_id in found))
    documents = [case.collection.corpus[doc_id] for doc_id in wanted]
    texts = dict(zip(wanted, map(_padded, words([document.text for document in documents])), strict=True))
    titles = dict(zip(wanted, map(_padded, words([document.title for document in documents])), strict=True))
    as_title: dict[str, str] = {}
    inside: dict[str, str] = {}
    for (query_id, found), query_words in zip(tested.items(), asked, strict=True):
        query = _padded(query_words)
        if len(query_words) < LEAST_WORDS:
            continue
        for doc_id in found:
            if titles[doc_id] == query:
                as_title.setdefault(query_id, doc_id)
            elif query in texts[doc_id] or query in titles[doc_id]:
                inside.setdefault(query_id, doc_id)
    affected = {**inside, **as_title}
    n = len(case.collection.split(split))
    says = (
        f"{len(affected)} of {n} test queries ({percent(len(affected), n)}) stand word for word in a relevant document: "
        "there, word match was given"
        if affected
        else "no test query was copied from a relevant document"
    )
    examples = [
        f"{query_id} “{shortened(case.collection.queries[query_id])}” in {doc_id}"
        for query_id, doc_id in list(affected.items())[:EXAMPLES]
    ]
    figures = {"equal to the title": len(as_title), "inside the document": len(inside)}
    return case.leak(NAME, split, affected, says, SHOWS, by_share(len(affected), n), figures, examples)


def _padded(found: list[str]) -> str:
    return f" {' '.join(found)} "
