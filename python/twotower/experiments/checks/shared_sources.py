"""Relevant documents of test queries from a page or record that has relevant documents of learned queries too."""

import re
from collections.abc import Callable

from twotower.data.normalise import normalise
from twotower.experiments.case import Case
from twotower.experiments.finding import Finding, by_share, percent, shortened

NAME = "shared sources"
SHOWS = (
    "Groups documents by equal titles, by a page in their id (page#3, page_3, page-3, a URL), and by the groups that you "
    "give. Other passages of a page that was learned from tell of its subject and its style. Dotted names such as package.module "
    "are no page: give groups if they should be."
)
EXAMPLES = 3
_PASSAGE = re.compile(r"(?P<page>.*[^\d].*?|.*[#:/]\d+)[#:_/|-]+(?:p|passage|chunk)?\d+$", re.IGNORECASE)
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
    ways: dict[str, Callable[[str], str | None]] = {
        "title": lambda doc_id: normalise(case.collection.corpus[doc_id].title) or None,
        "page": page_of,
        "given group": case.groups.get,
    }
    affected: dict[str, str] = {}
    figures = {}
    for name, group_of in ways.items():
        groups = {group_of(doc_id): doc_id for doc_id in learned}
        groups.pop(None, None)
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


def _first_shared(
    wanted: list[str], learned: set[str], groups: dict[str | None, str], group_of: Callable[[str], str | None]
) -> str | None:
    """Return a pair of different documents in one group; a document shared as it is belongs to the document leaks."""
    for doc_id in wanted:
        group = group_of(doc_id)
        if doc_id not in learned and group is not None and group in groups:
            return f"{doc_id} and {groups[group]}"
    return None
