"""Did it learn to search? Train towers, and show them beside everything that needs no learning.

The table has the rows random, query-blind and BM25, and for each recipe the rows untrained (same seed), shuffled (trained
on pairs whose documents were permuted among the queries) and trained; last the hybrid of BM25 and the first recipe's tower.
Training, choosing and tuning see the train and valid splits alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twotower.evaluation import Comparison, compare, evaluate
from twotower.index import BM25Index, FlatIndex
from twotower.search import Dense, Hybrid, QueryBlind, random_run, search_split
from twotower.text import Analyzer, Vocabulary
from twotower.towers import TwoTower
from twotower.training import train
from twotower.types import Collection, Run

MEASURES = ("RR@10", "nDCG@10", "R@100")
DEPTH = 100
TRAIN, VALID = "train", "valid"


@dataclass(frozen=True)
class Recipe:
    """A tower and how to train it.

    Attributes
    ----------
    name : str
        What tables call it.
    tower : str
        A name of `twotower.towers.TOWERS`.
    options : mapping
        Further arguments of `TwoTower.build`.
    training : mapping
        Further arguments of `twotower.train`.
    analyzer : str
    min_count : int
        Occurrences that a term needs to get an embedding.
    """

    name: str
    tower: str
    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    analyzer: str = "english"
    min_count: int = 2

    def build(self, collection: Collection, seed: int) -> TwoTower:
        """Return the untrained model; its vocabulary comes from the corpus and the queries of the train split."""
        texts = [document.full_text for document in collection.corpus.values()]
        texts += [collection.queries[query_id] for query_id in collection.qrels.get(TRAIN, {})]
        vocabulary = Vocabulary.count(texts, Analyzer(self.analyzer), min_count=self.min_count)
        return TwoTower.build(self.tower, vocabulary, self.analyzer, seed=seed, **self.options)


@dataclass
class LearningResult:
    """What `learning_experiment` found.

    Attributes
    ----------
    collection, fingerprint : str
        Name and content hash of the data.
    n_queries : dict of str to int
        Judged queries by test split.
    rows : dict of str to dict of str to dict of str to list of float
        Row name to split to measure to means over queries, one a seed.
    comparisons : list of (str, Comparison)
        Split, and a paired comparison of two rows on its queries.
    models : list of TwoTower
        The trained tower of each recipe, first seed.
    seconds : dict of str to list of float
        Training time by row.
    fusion : dict
        How the hybrid of the first seed was tuned.
    """

    collection: str
    fingerprint: str
    n_queries: dict[str, int]
    rows: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    comparisons: list[tuple[str, Comparison]] = field(default_factory=list)
    models: list[TwoTower] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    fusion: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON-able values."""
        return {
            "collection": self.collection,
            "fingerprint": self.fingerprint,
            "n_queries": self.n_queries,
            "rows": self.rows,
            "comparisons": [{"split": split, **comparison.to_dict()} for split, comparison in self.comparisons],
            "seconds": self.seconds,
            "fusion": self.fusion,
        }

    def to_markdown(self) -> str:
        """Return the tables: one of means a split, then the paired differences."""
        blocks = [f"{self.collection}, content {self.fingerprint[:16]}"]
        for split, n_queries in self.n_queries.items():
            measures = list(next(iter(self.rows.values()))[split])
            lines = [f"| {split}, {n_queries} queries | {' | '.join(measures)} |", "|---|" + "---|" * len(measures)]
            for name, by_split in self.rows.items():
                lines.append(f"| {name} | {' | '.join(_figure(by_split[split][m]) for m in measures)} |")
            blocks.append("\n".join(lines))
        lines = ["| split | difference | measure | mean | 95 % interval | p |", "|---|---|---|---|---|---|"]
        for split, comparison in self.comparisons:
            lines += comparison_rows(split, comparison)
        blocks.append("\n".join(lines))
        return "\n\n".join(blocks)
