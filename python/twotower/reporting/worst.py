"""The queries on which a run does worst: what it found, what it missed, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twotower.reporting.material import Material
from twotower.reporting.reasons import Explainer, Reason
from twotower.text.snippet import snippet
from twotower.types import Document

N_HITS, N_MISSED = 5, 5
N_EXPLAINED = 3  # wrong hits, and missed documents: a table that fits a page
_CUT = 10  # a relevant document further down is missed, if the measure has no cut-off of its own


@dataclass(frozen=True)
class Shown:
    """A document as the page shows it.

    Attributes
    ----------
    doc_id : str
    place : int or None
        From 1; None: not in the list.
    score : float or None
    grade : int or None
        None: nobody judged it.
    relevant : bool
    known : bool
        False: the collection has no such document.
    title : str
    snippet : list of (str, bool)
        Pieces of text, and whether they are query terms. Empty where there are no texts.
    """

    doc_id: str
    place: int | None
    score: float | None
    grade: int | None
    relevant: bool
    known: bool
    title: str
    snippet: list[tuple[str, bool]]


@dataclass(frozen=True)
class WorstQuery:
    """A query, the head of its list, and its relevant documents that are not there.

    Attributes
    ----------
    query_id : str
    text : str or None
    values : dict of str to float
        Run name to value, this run first.
    n_relevant, n_listed : int
        Relevant documents; documents in the list.
    hits, missed : list of Shown
    n_missed : int
        All of them, shown or not.
    reason : Reason or None
        None without texts.
    """

    query_id: str
    text: str | None
    values: dict[str, float]
    n_relevant: int
    n_listed: int
    hits: list[Shown]
    missed: list[Shown]
    n_missed: int
    reason: Reason | None


def worst_queries(
    material: Material, name: str, values: Mapping[str, Mapping[str, float]], explainer: Explainer | None
) -> list[WorstQuery]:
    """Return the queries on which the run `name` does worst by the first measure, worst first.

    Parameters
    ----------
    material : Material
    name : str
    values : mapping of run name to mapping of query_id to float
    explainer : Explainer or None
        None: there are no texts.

    Notes
    -----
    Among queries with equal values those come first on which another run does best: there it can be done. Queries without
    a relevant document, on which no run can do anything, are left out.
    """
    rel = material.measure.rel
    others = [values[other] for other in values if other != name]
    wanted = [q for q, judged in material.qrels.items() if any(grade >= rel for grade in judged.values())]
    wanted.sort(key=lambda q: (values[name][q], -max((other[q] for other in others), default=0.0)))
    return [_worst_query(material, name, query_id, values, explainer) for query_id in wanted[: material.worst]]


def best_first(scores: Mapping[str, float]) -> list[str]:
    """Return the doc_ids of a list in trec_eval's order: score as float32 descending, ties by doc_id descending."""
    with np.errstate(over="ignore"):
        return sorted(scores, key=lambda doc_id: (np.float32(scores[doc_id]), doc_id), reverse=True)


def _worst_query(
    material: Material, name: str, query_id: str, values: Mapping[str, Mapping[str, float]], explainer: Explainer | None
) -> WorstQuery:
    run, judged, rel = material.runs[name], material.qrels[query_id], material.measure.rel
    scores = run.get(query_id, {})
    ranked = best_first(scores)
    places = {doc_id: place for place, doc_id in enumerate(ranked, 1)}
    cut = material.measure.k or _CUT
    relevant = [doc_id for doc_id, grade in judged.items() if grade >= rel]
    missed = [doc_id for doc_id in relevant if places.get(doc_id, cut + 1) > cut]
    missed.sort(key=lambda doc_id: (-judged[doc_id], places.get(doc_id, len(ranked) + 1)))
    wrong = [doc_id for doc_id in ranked[:N_HITS] if judged.get(doc_id, 0) < rel]
    text = None if material.collection is None else material.collection.queries.get(query_id)
    view = _View(material, query_id, places, explainer)
    reason = None
    if explainer is not None and text is not None:
        reason = explainer.reason(text, wrong[:N_EXPLAINED], missed[:N_EXPLAINED], scores)
    return WorstQuery(
        query_id=query_id,
        text=text,
        values={one: values[one][query_id] for one in dict.fromkeys([name, *values])},
        n_relevant=len(relevant),
        n_listed=len(ranked),
        hits=[view.show(doc_id, scores) for doc_id in ranked[:N_HITS]],
        missed=[view.show(doc_id, scores) for doc_id in missed[:N_MISSED]],
        n_missed=len(missed),
        reason=reason,
    )


class _View:
    """Shows documents of one query."""

    def __init__(
        self, material: Material, query_id: str, places: Mapping[str, int], explainer: Explainer | None
    ) -> None:
        self._judged, self._rel, self._places = material.qrels[query_id], material.measure.rel, places
        collection = material.collection
        self._corpus = None if collection is None else collection.corpus
        self._analyze = None if explainer is None else explainer.analyze
        text = "" if collection is None else collection.queries.get(query_id, "")
        self._terms = set() if self._analyze is None else set(self._analyze(text))

    def show(self, doc_id: str, scores: Mapping[str, float]) -> Shown:
        """Return what is shown of a document."""
        grade = self._judged.get(doc_id)
        document = (self._corpus or {}).get(doc_id, Document(""))
        score = scores.get(doc_id)
        return Shown(
            doc_id=doc_id,
            place=self._places.get(doc_id),
            score=None if score is None else float(score),
            grade=None if grade is None else int(grade),
            relevant=grade is not None and grade >= self._rel,
            known=self._corpus is None or doc_id in self._corpus,
            title=document.title,
            snippet=self._pieces(document.text),
        )

    def _pieces(self, text: str) -> list[tuple[str, bool]]:
        """Return the words of the best window, neighbours of one kind joined."""
        if self._analyze is None or not text:
            return []
        pieces: list[tuple[str, bool]] = []
        for word in snippet(text, self._terms, self._analyze).split():
            marked = not self._terms.isdisjoint(self._analyze(word))
            if pieces and pieces[-1][1] == marked:
                pieces[-1] = (f"{pieces[-1][0]} {word}", marked)
            else:
                pieces.append((word, marked))
        return pieces
