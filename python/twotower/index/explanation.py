"""A document's score for a query, term by term. Knows no formula."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TermScore:
    """What one query term brings to one document's score.

    Attributes
    ----------
    term : str
    tf : int
        Occurrences in the document; 0: the score is 0.
    df : int
        Documents that contain the term.
    idf : float
    weight : float
        The query's side of the score. BM25: the idf. tf-idf cosine: the term's weight in the query, divided by the query's
        norm. ``score / weight`` is the document's side: BM25's saturated tf, or the cosine's divided weight.
    score : float
        This term's part of the document's score.
    """

    term: str
    tf: int
    df: int
    idf: float
    weight: float
    score: float


@dataclass(frozen=True)
class Explanation:
    """A document's score for a query, and its parts, which sum to it (in float64, in this order).

    Attributes
    ----------
    doc_id : str
    score : float
        The exact float32 score that a search gives.
    doc_length : int
        Analysed terms of the document.
    terms : list of TermScore
        In query order; terms that no document contains are left out. BM25: a term that comes twice is there twice.
        tf-idf: once.
    """

    doc_id: str
    score: float
    doc_length: int
    terms: list[TermScore]
