"""Relevant documents of test queries from a page or record that has relevant documents of learned queries too."""

import re
from collections import Counter
from collections.abc import Mapping

from twotower.experiments.case import Case
from twotower.experiments.finding import Finding, by_share, percent, shortened

NAME = "shared sources"
LARGEST, LARGEST_SHARE = 50, 0.01
SHOWS = (
    f"Groups documents by equal titles, by a page in their id (page#3, page_3, page-3, a URL; where half of the ids have one), and by "
    f"the groups that you give. A title or page of more than {LARGEST} documents and {LARGEST_SHARE:.0%} of the corpus is no source but a "
    "habit of naming. Other passages of a page that was learned from tell of its subject and its style. Dotted names such as "
    "package.module are no page: give groups if they should be."
)
EXAMPLES = 3
_PASSAGE = re.compile(r"(?P<page>.+?)[#:_/|-]+(?:p|passage|chunk)?\d+", re.IGNORECASE)
_URL = re.compile(r"https?://([^#?]+)", re.IGNORECASE)


def page_of(doc_id: str) -> str | None:
    """Return the page that a passage id names, or None.

    Examples
    --------
    >>> page_of("wiki/Rome#12"), page_of("https://a.org/x?y=1#part"), page_of("rome_3"), page_of("7067032"), page_of("os.path")
    ('wiki/Rome', 'a.org/x', 'rome', None, None)
    """
    url = _URL.match(doc_id)
    if url:
        return url[1].rstrip("/")
    passage = _PASSAGE.fullmatch(doc_id)
    return passage["page"] if passage else None


def shared_sources(case: Case) -> list[Finding]:
    """Look for groups with relevant documents on both sides."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    if not case.learned_from:
        return Finding(NAME, split, "not run", "no split is learned from here", explanation=SHOWS)
    tested = case.relevant([split])
    learned = {doc_id for found in case.relevant(case.learned_from).values() for doc_id in found}
    titles = {doc_id: " ".join(document.title.split()) for doc_id, document in case.collection.corpus.items()}
    pages = {doc_id: page for doc_id in case.doc_ids if (page := page_of(doc_id))}
    ways = {
        "title": _believable({doc_id: title for doc_id, title in titles.items() if title}, len(titles)),
        "page": _believable(pages, len(titles)) if 2 * len(pages) >= len(titles) else {},
        "given group": case.groups,
    }
    affected: dict[str, str] = {}
    figures = {}
    for name, group_of in ways.items():
        groups = {group_of[doc_id]: doc_id for doc_id in case.doc_ids if doc_id in learned and doc_id in group_of}
        found = {q: hit for q, wanted in tested.items() if (hit := _first_shared(wanted, learned, groups, group_of))}
        figures[f"queries with a shared {name}"] = len(found)
        affected |= {query_id: f"{hit} ({name})" for query_id, hit in found.items()}
    n = len(case.collection.split(split))
    splits = " or ".join(case.learned_from)
    says = (
        f"{len(affected)} of {n} test queries ({percent(len(affected), n)}) have a relevant document from a title, page or "
        f"group that {splits} teaches"
        if affected
        else f"no relevant document shares a title, page or group with one of {splits}"
    )
    examples = [f"{query_id}: {shortened(hit)}" for query_id, hit in list(affected.items())[:EXAMPLES]]
    case.leaked.setdefault(split, set()).update(affected)
    return case.leak(NAME, split, affected, says, SHOWS, by_share(len(affected), n), figures, examples)


def _believable(group_of: dict[str, str], n_docs: int) -> dict[str, str]:
    """Return the groups without those that are too large to be one source."""
    sizes = Counter(group_of.values())
    largest = max(LARGEST, LARGEST_SHARE * n_docs)
    return {doc_id: group for doc_id, group in group_of.items() if sizes[group] <= largest}


def _first_shared(
    wanted: list[str], learned: set[str], groups: Mapping[str, str], group_of: Mapping[str, str]
) -> str | None:
    """Return a pair of different documents in one group; a document shared as it is belongs to the document leaks."""
    for doc_id in wanted:
        group = group_of.get(doc_id)
        if doc_id not in learned and group is not None and group in groups:
            return f"{doc_id} and {groups[group]}"
    return None
