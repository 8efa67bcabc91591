"""Why a list is as it is, in terms: what BM25 sees in the documents at its head and in the relevant ones that it misses.

BM25 is a sum over terms, so each term's part is the whole truth about a BM25 run. Beside another run it is only a second opinion;
`Reason.exact` tells which of the two it is, by comparing scores and not by the run's name.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twotower.index import BM25Index
from twotower.index.explanation import Explanation
from twotower.types import Collection

_SAME = 1e-5  # scores in run files are float32, some written with six digits
_MOST_GAINS = 3


@dataclass(frozen=True)
class TermRow:
    """One query term; `times` in the query; `parts` and `tfs` by document in the order of `Reason.documents`."""

    term: str
    times: int
    df: int
    idf: float
    parts: list[float]
    tfs: list[int]


@dataclass(frozen=True)
class Explained:
    """A document's BM25 score and analysed length; `missed` tells a missed relevant one from a wrong hit."""

    doc_id: str
    missed: bool
    score: float
    length: int


@dataclass(frozen=True)
class Gap:
    """The query terms that a missed relevant document lacks: the vocabulary gap. `shared` counts those it has."""

    doc_id: str
    lacks: list[str]
    shared: int


@dataclass(frozen=True)
class Push:
    """What lifts a wrong hit over a missed relevant document: terms and their gain in BM25 score, largest first.

    `ahead` is the sum over all terms; below 0, BM25 itself would order the two the other way round.
    """

    hit: str
    missed: str
    gains: list[tuple[str, float]]
    ahead: float


@dataclass(frozen=True)
class Reason:
    """BM25's view of one query.

    Attributes
    ----------
    exact : bool
        The run's scores of these documents are BM25's: the parts explain them in full.
    documents : list of Explained
        Wrong hits, then missed relevant documents.
    terms : list of TermRow
        In query order.
    unknown : list of str
        Query terms that no document contains.
    gaps : list of Gap
    pushes : list of Push
        The first wrong hit against each missed document.
    """

    exact: bool
    documents: list[Explained]
    terms: list[TermRow]
    unknown: list[str]
    gaps: list[Gap]
    pushes: list[Push]


class Explainer:
    """BM25 over a collection's texts (lucene, k1 = 0.9, b = 0.4, English analyzer)."""

    def __init__(self, collection: Collection, threads: int = 0) -> None:
        texts = [document.full_text for document in collection.corpus.values()]
        self._index = BM25Index.build(texts, list(collection.corpus), threads=threads)
        self._known = collection.corpus
        self.analyze = self._index.analyzer.analyze

    def reason(
        self, query: str, wrong: Sequence[str], missed: Sequence[str], scores: Mapping[str, float]
    ) -> Reason | None:
        """Explain wrong hits and missed relevant documents; those that the collection lacks are passed over.

        Parameters
        ----------
        query : str
        wrong, missed : sequence of str
            doc_ids.
        scores : mapping of doc_id to float
            The run's list of the query.

        Returns
        -------
        Reason or None
            None if there is no document to explain.
        """
        asked = [doc_id for doc_id in (*wrong, *missed) if doc_id in self._known]
        if not asked:
            return None
        found = [self._index.explain(query, doc_id) for doc_id in asked]
        absent = [one for one in found if one.doc_id in set(missed)]
        hits = [one for one in found if one.doc_id not in set(missed)]
        listed = [one for one in found if one.doc_id in scores]
        rows = _term_rows(found)
        known = {row.term for row in rows}
        return Reason(
            exact=bool(listed) and all(math.isclose(one.score, scores[one.doc_id], rel_tol=_SAME) for one in listed),
            documents=[Explained(o.doc_id, o.doc_id in set(missed), o.score, o.doc_length) for o in found],
            terms=rows,
            unknown=[term for term in dict.fromkeys(self.analyze(query)) if term not in known],
            gaps=[_gap(one) for one in absent],
            pushes=[_push(hits[0], one) for one in absent] if hits else [],
        )


def _parts(explanation: Explanation) -> dict[str, float]:
    """Return term to part of the score; the parts of a term that the query has twice are added."""
    parts: dict[str, float] = {}
    for term in explanation.terms:
        parts[term.term] = parts.get(term.term, 0.0) + term.score
    return parts


def _term_rows(explanations: Sequence[Explanation]) -> list[TermRow]:
    names = [term.term for term in explanations[0].terms]
    first = {term.term: term for term in explanations[0].terms}
    parts = [_parts(one) for one in explanations]
    tfs = [{term.term: term.tf for term in one.terms} for one in explanations]
    return [
        TermRow(name, names.count(name), term.df, term.idf, [p[name] for p in parts], [tf[name] for tf in tfs])
        for name, term in first.items()
    ]


def _gap(explanation: Explanation) -> Gap:
    tfs = {term.term: term.tf for term in explanation.terms}
    return Gap(explanation.doc_id, [name for name, tf in tfs.items() if not tf], sum(tf > 0 for tf in tfs.values()))


def _push(hit: Explanation, missed: Explanation) -> Push:
    ours, theirs = _parts(hit), _parts(missed)
    gains = sorted(((name, ours[name] - theirs[name]) for name in ours), key=lambda pair: -pair[1])
    positive = [(name, gain) for name, gain in gains if gain > 0]
    return Push(hit.doc_id, missed.doc_id, positive[:_MOST_GAINS], sum(ours.values()) - sum(theirs.values()))
