"""Test queries that stand, nearly word for word, among the queries that are learned from."""

from collections import Counter

from twotower.experiments.case import Case
from twotower.experiments.finding import Finding, by_share, percent, shortened
from twotower.experiments.near_duplicates import similar_queries

NAME = "query leaks"
SHOWS = (
    "Finds test queries whose words are nearly those of a query that is learned from. Does not find paraphrases in other words, "
    "and does not see operators and other signs: formulas that differ in a sign alone count as the same."
)
EXAMPLES = 3


def query_leaks(case: Case) -> list[Finding]:
    """Compare the queries of each test split with those of the splits that are learned from."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    if not case.learned_from:
        return Finding(NAME, split, "not run", "no split is learned from here", explanation=SHOWS)
    learned = [query_id for source in case.learned_from for query_id in case.collection.split(source)]
    tested = list(case.collection.split(split))
    matches = similar_queries(case.query_texts(learned), case.query_texts(tested))
    by_name = {q for q in tested if q in set(learned)}  # the same id in two splits, whatever the words
    relevant = {q: set(found) for q, found in case.relevant((*case.learned_from, split)).items()}
    same_answer = [m for m in matches if relevant.get(tested[m.asked], set()) & relevant.get(learned[m.seen], set())]
    affected = {tested[m.asked] for m in matches} | by_name
    kinds = Counter(match.kind for match in matches)
    figures = {**kinds, "with a relevant document in common": len(same_answer), "same id": len(by_name)}
    share = percent(len(affected), len(tested))
    says = (
        f"{len(affected)} of {len(tested)} test queries ({share}) nearly repeat a query of {' or '.join(case.learned_from)}; "
        f"{len(same_answer)} of them with a relevant document in common"
        if affected
        else f"no test query repeats one of {' or '.join(case.learned_from)}"
    )
    best = sorted(matches, key=lambda m: (m not in same_answer, -m.similarity))[:EXAMPLES]
    examples = [
        f"{tested[m.asked]} “{shortened(case.collection.queries[tested[m.asked]])}” and {learned[m.seen]} "
        f"“{shortened(case.collection.queries[learned[m.seen]])}” ({m.kind}, {m.similarity:.2f})"
        for m in best
    ]
    case.leaked.setdefault(split, set()).update(affected)
    return case.leak(NAME, split, affected, says, SHOWS, by_share(len(affected), len(tested)), figures, examples)
