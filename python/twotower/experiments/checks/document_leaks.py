"""Relevant documents of test queries that are relevant in what is learned from, themselves or as near-duplicates."""

from twotower.experiments.case import Case
from twotower.experiments.finding import Finding, by_share, percent, shortened
from twotower.experiments.near_duplicates import similar_documents

NAME = "document leaks"
SHOWS = (
    "Finds test queries with a relevant document that is relevant for a learned query too, or shares most runs of words with "
    "one that is. A model can then answer by memory of the document. Does not find the same content in other words."
)
EXAMPLES = 3


def document_leaks(case: Case) -> list[Finding]:
    """Compare the relevant documents of each test split with those of the splits that are learned from."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    if not case.learned_from:
        return Finding(NAME, split, "not run", "no split is learned from here", explanation=SHOWS)
    tested = case.relevant([split])
    learned = {doc_id for found in case.relevant(case.learned_from).values() for doc_id in found}
    wanted = dict.fromkeys(doc_id for found in tested.values() for doc_id in found)
    shared = [doc_id for doc_id in wanted if doc_id in learned]
    fresh = [doc_id for doc_id in wanted if doc_id not in learned]
    sources = [doc_id for doc_id in case.doc_ids if doc_id in learned]
    matches = similar_documents(
        *([case.collection.corpus[doc_id].full_text for doc_id in ids] for ids in (sources, fresh))
    )
    near = {fresh[match.asked] for match in matches}
    same, like = set(shared), near
    by_same = [query_id for query_id, found in tested.items() if same & set(found)]
    by_like = [query_id for query_id, found in tested.items() if like & set(found)]
    affected = set(by_same) | set(by_like)
    n = len(case.collection.split(split))
    figures = {
        "shared documents": len(shared),
        "queries with a shared document": len(by_same),
        "near-duplicate documents": len(near),
        "queries with a near-duplicate document": len(by_like),
    }
    splits = " or ".join(case.learned_from)
    says = (
        f"{len(affected)} of {n} test queries ({percent(len(affected), n)}) have a relevant document that {splits} teaches: "
        f"the same for {len(by_same)}, a near-duplicate for {len(by_like)}"
        if affected
        else f"no relevant document is taught by {splits}, nor a near-duplicate"
    )
    examples = [f"{doc_id} “{shortened(case.collection.corpus[doc_id].full_text)}” (shared)" for doc_id in shared]
    pairs = [
        f"{fresh[m.asked]} “{shortened(case.collection.corpus[fresh[m.asked]].full_text)}” and {sources[m.seen]} ({m.kind}, "
        f"{m.similarity:.2f})"
        for m in sorted(matches, key=lambda m: -m.similarity)
    ]
    examples = examples[: EXAMPLES - len(pairs[:1])] + pairs
    case.leaked.setdefault(split, set()).update(affected)
    return case.leak(NAME, split, affected, says, SHOWS, by_share(len(affected), n), figures, examples[:EXAMPLES])
