"""Texts that are nearly the same: queries by their words, documents by runs of words. Knows no split and no collection.

Candidates come from a BM25 index over the words or runs, so cost grows with the number of texts, not with that of pairs; each
candidate is then compared exactly. Thresholds, and what was read to choose them: docs/decisions/audit.md.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np

from twotower.index import BM25Index
from twotower.text import Analyzer

NEAR_QUERY = 0.7
"""Weighted share of terms from which two queries are near-duplicates."""

RAREST = 200
"""No term counts as rarer than one in so many queries: a strange word is a word, and does not outweigh the rest."""

NEAR_DOCUMENT, CONTAINED = 0.6, 0.8
"""Share of all runs, and share of the shorter text's runs, from which two documents are near-duplicates."""

RUN_WORDS, LEAST_RUNS = 4, 10
"""Words of a run; runs that a text needs before being contained in another one means something."""

CANDIDATES = 10
"""Texts compared with each text, the best by BM25."""

_TYPO, _TYPO_WORTH_LOOKING = 0.8, 0.3


class Match(NamedTuple):
    """Text number `asked` of one side is like text number `seen` of the other."""

    asked: int
    seen: int
    similarity: float
    kind: str


def words(texts: Sequence[str]) -> list[list[str]]:
    """Return the lower-cased words of texts: equal lists differ at most in case, punctuation and white space."""
    return Analyzer("plain").analyze_batch(texts)


def similar_queries(seen: Sequence[str], asked: Sequence[str], threshold: float = NEAR_QUERY) -> list[Match]:
    """Return for each of `asked` the most similar of `seen`, if any is similar enough.

    Parameters
    ----------
    seen, asked : sequence of str
        Queries, such as those of the train split and those of the test split.
    threshold : float

    Returns
    -------
    list of Match
        At most one an asked query, in their order. Kinds: "equal" (the same words in the same order; case and punctuation do
        not count), "word order" (the same words), "near-duplicate".

    Notes
    -----
    Similarity is the weighted Jaccard index of the sets of stemmed terms without stop words; a term weighs its idf among the
    seen queries, so that a frame which many share ("what county is ... in") makes no pair. Words that differ by a typing
    error count as one. With n terms of like weight, the threshold finds one that is missing from n = 4 on, and one that was
    replaced from n = 6 on: "mean of a tree" and "mean of a list" are two questions.
    """
    if not seen or not asked:
        return []
    seen_words, asked_words = words(seen), words(asked)
    equal: dict[tuple[str, ...], int] = {}
    for number, found in enumerate(seen_words):
        equal.setdefault(tuple(found), number)
    seen_terms, asked_terms = _terms(seen, seen_words), _terms(asked, asked_words)
    weight = _weights(seen_terms, asked_terms)
    index = BM25Index.build(seen_terms)
    candidates = index.search(asked_terms, k=CANDIDATES).docs.tolist()
    matches = []
    for number, (terms, listed) in enumerate(zip(asked_terms, candidates, strict=True)):
        twin = equal.get(tuple(asked_words[number]))
        if twin is not None and asked_words[number]:
            matches.append(Match(number, twin, 1.0, "equal"))
            continue
        ours = set(terms)
        scored = [(_likeness(ours, set(seen_terms[other]), weight), -other) for other in listed if other >= 0]
        best, other = max(scored, default=(0.0, 0))
        if best >= threshold:
            same = sorted(asked_words[number]) == sorted(seen_words[-other])
            matches.append(Match(number, -other, best, "word order" if same else "near-duplicate"))
    return matches


def similar_documents(seen: Sequence[str], asked: Sequence[str]) -> list[Match]:
    """Return for each of `asked` the most similar of `seen`, if any is similar enough.

    Returns
    -------
    list of Match
        At most one an asked text, in their order. Kinds: "equal", "near-duplicate", "contained".

    Notes
    -----
    A text is the set of its runs of `RUN_WORDS` words (a shorter text is one run). Near-duplicate: resemblance, the Jaccard
    index of the sets, of `NEAR_DOCUMENT` or more. Contained: `CONTAINED` of the runs of the shorter text, if it has
    `LEAST_RUNS`, are in the other one (Broder 1997, "On the resemblance and containment of documents"; sets here, not sketches).
    """
    if not seen or not asked:
        return []
    seen_runs, asked_runs = [runs(w) for w in words(seen)], [runs(w) for w in words(asked)]
    index = BM25Index.build([list(found) for found in seen_runs])
    candidates = index.search([list(found) for found in asked_runs], k=CANDIDATES).docs.tolist()
    matches = []
    for number, (ours, listed) in enumerate(zip(asked_runs, candidates, strict=True)):
        found = [_resemblance(number, other, ours, seen_runs[other]) for other in listed if other >= 0]
        best = max(
            (match for match in found if match.kind), key=lambda match: (match.similarity, -match.seen), default=None
        )
        if best is not None:
            matches.append(best)
    return matches


def runs(text_words: list[str]) -> dict[str, None]:
    """Return the distinct runs of `RUN_WORDS` words in their order; of a shorter text, all of it; none of an empty one.

    Examples
    --------
    >>> list(runs("to be or not to be".split()))
    ['to be or not', 'be or not to', 'or not to be']
    """
    if not text_words:
        return {}
    n = max(1, len(text_words) - RUN_WORDS + 1)
    return dict.fromkeys(" ".join(text_words[at : at + RUN_WORDS]) for at in range(n))


def _terms(texts: Sequence[str], fallback: list[list[str]]) -> list[list[str]]:
    """Return the distinct terms of texts; all words of a text that has nothing but stop words."""
    analysed = Analyzer("english").analyze_batch(texts)
    return [list(dict.fromkeys(terms or other)) for terms, other in zip(analysed, fallback, strict=True)]


def _weights(seen: list[list[str]], asked: list[list[str]]) -> dict[str, float]:
    """Return the idf of each term among the seen queries, capped, so that thresholds mean the same for few queries and many."""
    count = dict.fromkeys((term for terms in asked for term in terms), 0)
    for terms in seen:
        for term in terms:
            count[term] = count.get(term, 0) + 1
    return {term: float(np.log1p(min(len(seen) / max(1, n), RAREST))) for term, n in count.items()}


def _likeness(ours: set[str], theirs: set[str], weight: dict[str, float]) -> float:
    shared = sum(weight[term] for term in ours & theirs)
    left, right = sorted(ours - theirs), sorted(theirs - ours)
    whole = shared + sum(weight[term] for term in left) + sum(weight[term] for term in right)
    if not whole:
        return 0.0
    if left and right and shared >= _TYPO_WORTH_LOOKING * whole:
        for one in left:
            twin = next((other for other in right if _is_typo(one, other)), None)
            if twin is not None:
                right.remove(twin)
                shared += max(weight[one], weight[twin])
                whole -= min(weight[one], weight[twin])
    return shared / whole


def _is_typo(one: str, other: str) -> bool:
    """Tell whether two terms are nearly one word; "pow" and "rpow", "rank" and "unrank" are not: typing errors come later."""
    return one[0] == other[0] and SequenceMatcher(None, one, other).ratio() >= _TYPO


def _resemblance(asked: int, seen: int, ours: dict[str, None], theirs: dict[str, None]) -> Match:
    n_shared = len(ours.keys() & theirs.keys())
    resemblance = n_shared / len(ours.keys() | theirs.keys())
    shorter = min(len(ours), len(theirs))
    kind = ""
    if resemblance >= NEAR_DOCUMENT:
        kind = "equal" if list(ours) == list(theirs) else "near-duplicate"
    elif shorter >= LEAST_RUNS and n_shared >= CONTAINED * shorter:
        kind = "contained"
    return Match(asked, seen, resemblance, kind)
