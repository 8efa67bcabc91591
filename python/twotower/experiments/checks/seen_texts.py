"""Test queries or relevant documents among texts that a model has seen."""

from twotower.experiments.case import Case
from twotower.experiments.finding import Finding, by_share, percent, shortened
from twotower.experiments.near_duplicates import similar_documents, similar_queries

NAME = "seen texts"
SHOWS = (
    "Compares test queries by words, and their relevant documents by runs of words, with the texts of the files that you give. "
    "Not found is no proof: it speaks of these files alone, and paraphrases are not found."
)
EXAMPLES = 3


def seen_texts(case: Case) -> list[Finding]:
    """Compare each test split with the texts that a model has seen."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    if not case.seen:
        return Finding(NAME, split, "not run", "no file of texts that a model has seen is given", explanation=SHOWS)
    query_ids = list(case.collection.split(split))
    relevant = case.relevant([split])
    wanted = list(dict.fromkeys(doc_id for found in relevant.values() for doc_id in found))
    affected: set[str] = set()
    figures, examples = {}, []
    for name, texts in case.seen.items():
        queries = similar_queries(texts, case.query_texts(query_ids))
        documents = similar_documents(texts, [case.texts[case.number[doc_id]] for doc_id in wanted])
        like = {wanted[match.asked] for match in documents}
        with_document = {query_id for query_id, found in relevant.items() if like & set(found)}
        affected |= with_document | {query_ids[match.asked] for match in queries}
        figures[name] = {
            "texts": len(texts),
            "queries seen": len(queries),
            "relevant documents seen": len(documents),
            "queries with a seen document": len(with_document),
        }
        examples += [
            f"{query_ids[m.asked]} “{shortened(case.collection.queries[query_ids[m.asked]])}” and “{shortened(texts[m.seen])}” "
            f"({m.kind}, {m.similarity:.2f})"
            for m in queries[:EXAMPLES]
        ]
        examples += [f"{wanted[m.asked]} and “{shortened(texts[m.seen])}” ({m.kind})" for m in documents[:EXAMPLES]]
    n = len(query_ids)
    says = (
        f"{len(affected)} of {n} test queries ({percent(len(affected), n)}) or their relevant documents stand in what was seen"
        if affected
        else "no test query and no relevant document stands in what was seen"
    )
    return case.leak(NAME, split, affected, says, SHOWS, by_share(len(affected), n), figures, examples[: 2 * EXAMPLES])
