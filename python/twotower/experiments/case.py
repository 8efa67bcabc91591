"""What the checks of an audit look at: a collection, its splits, rankers and what a model has seen. Knows no check."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twotower.evaluation.evaluate import query_values
from twotower.experiments.finding import Finding, Verdict
from twotower.index import BM25Index, TfidfIndex
from twotower.search import search_split
from twotower.types import Collection, Run

if TYPE_CHECKING:
    from twotower.experiments.learning import Recipe
    from twotower.towers import TwoTower

Values = npt.NDArray[np.float64]
DEPTH = 100
BM25, TFIDF, HYBRID = "BM25", "tf-idf", "hybrid"


@dataclass
class Case:
    """The material of one audit. Fields are the arguments of `twotower.audit`, checked.

    Attributes
    ----------
    tests, learned_from : tuple of str
        Splits that claims are made on; splits that a model learns from or is chosen on, "train" first.
    runs : dict of str to Run
        Given runs, by name.
    seen : dict of str to list of str
        Texts that a model has seen, by the name of their file.
    known : tuple of str
        Names of pretrained models or training sets (`twotower.experiments.training_sets`).
    values : dict of str to dict of str to ndarray of float64, shape [Q]
        Ranker to split to the first measure by query, in the order of the qrels, mean over seeds. Grows while checks run.
    controls : dict of str to list of str
        Trained ranker to the controls that it must beat; both have `values`. Filled by the twins.
    leaked : dict of str to set of str
        Split to the queries that some leak between what is learned from and what is tested concerns. Filled by the leaks.
    """

    collection: Collection
    tests: tuple[str, ...]
    learned_from: tuple[str, ...] = ()
    runs: Mapping[str, Run] = field(default_factory=dict)
    model: "TwoTower | None" = None
    recipes: "Sequence[Recipe]" = ()
    seeds: Sequence[int] = (0,)
    measures: Sequence[str] = ("nDCG@10", "RR@10")
    seen: Mapping[str, list[str]] = field(default_factory=dict)
    known: Sequence[str] = ()
    derived_from: Sequence[str] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    log: Callable[[str], None] = lambda line: None
    values: dict[str, dict[str, Values]] = field(default_factory=dict)
    controls: dict[str, list[str]] = field(default_factory=dict)
    leaked: dict[str, set[str]] = field(default_factory=dict)
    _runs: dict[tuple[str, str], Run] = field(default_factory=dict)

    @property
    def measure(self) -> str:
        """The measure that verdicts speak of: the first."""
        return self.measures[0]

    @cached_property
    def doc_ids(self) -> list[str]:
        """Ids in corpus order."""
        return list(self.collection.corpus)

    @cached_property
    def number(self) -> dict[str, int]:
        """DocId by id."""
        return {doc_id: number for number, doc_id in enumerate(self.doc_ids)}

    @cached_property
    def texts(self) -> list[str]:
        """Full texts in corpus order."""
        return [document.full_text for document in self.collection.corpus.values()]

    @cached_property
    def bm25(self) -> BM25Index:
        """BM25 over the corpus, as the package builds it."""
        return BM25Index.build(self.texts, self.doc_ids, threads=self.threads)

    @cached_property
    def tfidf(self) -> TfidfIndex:
        """The cosine of tf-idf vectors over the corpus."""
        return TfidfIndex.build(self.texts, self.doc_ids)

    def query_texts(self, query_ids: Iterable[str]) -> list[str]:
        """Return the texts of queries."""
        return [self.collection.queries[query_id] for query_id in query_ids]

    def relevant(self, splits: Iterable[str]) -> dict[str, list[str]]:
        """Return query_id to the ids of its relevant documents, for the queries of some splits that have any."""
        found: dict[str, list[str]] = {}
        for split in splits:
            for query_id, doc_id in self.collection.pairs(split):
                found.setdefault(query_id, []).append(doc_id)
        return found

    def rankers(self, split: str) -> dict[str, Run]:
        """Return the runs over a split: BM25, tf-idf, and the given ones that answer one of its queries."""
        for name, index in ((BM25, self.bm25), (TFIDF, self.tfidf)):
            if (name, split) not in self._runs:
                self._runs[name, split] = search_split(index, self.collection, split, k=DEPTH)
        qrels = self.collection.split(split)
        found = {name: self._runs[name, split] for name in (BM25, TFIDF)}
        return found | {name: run for name, run in self.runs.items() if not qrels.keys().isdisjoint(run)}

    def measured(self, name: str, split: str) -> Values:
        """Return the first measure of a ranker by query, in the order of the qrels."""
        by_split = self.values.setdefault(name, {})
        if split not in by_split:
            by_split[split] = self.values_of(self.rankers(split)[name], split)[self.measure]
        return by_split[split]

    def values_of(self, run: Run, split: str) -> dict[str, Values]:
        """Return measure to values by query."""
        return query_values(run, self.collection.split(split), self.measures)

    def compared(self, split: str) -> dict[str, Values]:
        """Return the first measure by query of the rankers that a reader would compare: lexical, given and trained ones."""
        names = [*self.rankers(split), *self.controls, *(name for name in (HYBRID,) if name in self.values)]
        return {name: self.measured(name, split) for name in names}

    def leak(self, check: str, split: str, affected: Iterable[str], says: str, shows: str,
             verdict: Verdict, figures: dict[str, Any], examples: list[str]) -> Finding:  # fmt: skip
        """Return the finding of a leak, with the measure of each ranker on all queries and without the affected ones."""
        concerned = set(affected)
        query_ids = list(self.collection.split(split))
        kept = np.array([query_id not in concerned for query_id in query_ids], bool)
        figures = {"queries": len(query_ids), "affected": len(concerned), **figures}
        if concerned and kept.any():
            figures[f"{self.measure}, all queries / without the affected"] = {
                name: [round(float(values.mean()), 4), round(float(values[kept].mean()), 4)]
                for name, values in self.compared(split).items()
            }
        listed = [query_id for query_id in query_ids if query_id in concerned]
        return Finding(check, split, verdict, says, figures, shows, examples, listed)
