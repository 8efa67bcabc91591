"""Did it learn to search? Train towers, and show them beside everything that needs no learning.

The table has the rows random, query-blind and BM25, and for each recipe the rows untrained (same seed), shuffled (trained
on pairs whose documents were permuted among the queries) and trained; last the hybrid of BM25 and the first recipe's tower.
Training, choosing and tuning see the train and valid splits alone.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation import Comparison, compare
from twotower.evaluation.evaluate import query_values
from twotower.evaluation.rankings import Values
from twotower.experiments.searched import SearchedCorpus
from twotower.search import Hybrid, Searcher, random_run, search_split
from twotower.text import Analyzer, Vocabulary, WordPiece
from twotower.towers import TwoTower
from twotower.training import History, train
from twotower.types import Collection, Run

MEASURES = ("nDCG@10", "RR@10", "R@100")
DEPTH = 100
HYBRID = "hybrid"
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
        Occurrences that a word needs to get an embedding.
    n_tokens : int, optional
        Read the subword tokens of a WordPiece vocabulary of this size, trained on the same texts, in the place of words;
        `analyzer` and `min_count` then mean nothing.
    start : str, optional
        Folder of a model to start from; of the others, `name` and `training` alone then count. The row "untrained" is this
        model, and seeds are of the order of pairs alone.
    """

    name: str
    tower: str
    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    analyzer: str = "english"
    min_count: int = 1
    n_tokens: int | None = None
    start: str | None = None

    def build(self, collection: Collection, seed: int) -> TwoTower:
        """Return the untrained model; its vocabulary comes from the corpus and the queries of the train split."""
        if self.start is not None:
            return TwoTower.from_pretrained(self.start)
        texts = [document.full_text for document in collection.corpus.values()]
        texts += [collection.queries[query_id] for query_id in collection.qrels.get(TRAIN, {})]
        if self.n_tokens is not None:
            tokenizer = WordPiece.train(texts, self.n_tokens, progress=False)
            return TwoTower.build(self.tower, tokenizer, seed=seed, **self.options)
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
        Split, and a paired comparison of two rows on its queries by the first measure.
    models : list of TwoTower
        The trained tower of each recipe, first seed.
    histories : list of History
        How each of them was trained.
    seconds : dict of str to list of float
        Training time by row.
    fusion : dict
        How the hybrid of the first seed was tuned.
    query_values : dict of str to dict of str to ndarray of float64, shape [Q]
        Row name to split to the first measure by query, in the order of the qrels, mean over seeds. Not in `to_dict`.
    """

    collection: str
    fingerprint: str
    n_queries: dict[str, int]
    rows: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    comparisons: list[tuple[str, Comparison]] = field(default_factory=list)
    models: list[TwoTower] = field(default_factory=list)
    histories: list[History] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    fusion: dict[str, Any] = field(default_factory=dict)
    query_values: dict[str, dict[str, Values]] = field(default_factory=dict)

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
            for d in comparison.differences:
                interval = f"{d.low:+.4f} to {d.high:+.4f}"
                lines.append(
                    f"| {split} | {d.name} - {d.baseline} | {d.measure} | {d.difference:+.4f} | {interval} | {d.p:.4f} |"
                )
        blocks.append("\n".join(lines))
        return "\n\n".join(blocks)


def learning_experiment(
    collection: Collection,
    recipes: Sequence[Recipe],
    *,
    tests: Sequence[str] = ("test",),
    seeds: Sequence[int] = (0,),
    measures: Sequence[str] = MEASURES,
    threads: int = 0,
    log: Callable[[str], None] = lambda line: None,
) -> LearningResult:
    """Train each recipe with each seed, and its shuffled twin, and measure everything on the test splits.

    Parameters
    ----------
    collection : Collection
        With the splits "train" and "valid" and those of `tests`.
    recipes : sequence of Recipe
        The first is the one that the hybrid row uses.
    tests : sequence of str
    seeds : sequence of int
        Of weights, order of pairs and shuffling.
    measures : sequence of str
        For the rows; differences are taken on the first.
    threads : int
        For indexes; 0 is every core. torch keeps its own setting.
    log : callable
        Gets a line for each step.

    Raises
    ------
    InvalidInputError
        If a split is missing, or a test split is one that is trained or chosen on.
    """
    for split in (TRAIN, VALID, *tests):
        if not collection.pairs(split):
            raise InvalidInputError(
                f"split {split!r} of {collection.name} has no relevant document: nothing to learn or measure"
            )
    if overlap := {TRAIN, VALID} & set(tests):
        raise InvalidInputError(f"{sorted(overlap)} cannot be test splits: they are trained, chosen and tuned on")
    if not recipes or not seeds:
        raise InvalidInputError("give at least one recipe and one seed")
    bench = _Bench(collection, tests, measures, threads, log)
    return bench.run(recipes, seeds)


class _Bench:
    """The state of one experiment: indexes over the corpus, and the runs found so far."""

    def __init__(
        self,
        collection: Collection,
        tests: Sequence[str],
        measures: Sequence[str],
        threads: int,
        log: Callable[[str], None],
    ) -> None:
        self.collection, self.tests, self.measures, self.log = collection, tests, measures, log
        self.corpus = SearchedCorpus(collection, threads)
        self.runs: dict[str, dict[str, list[Run]]] = {}
        self.result = LearningResult(
            collection.name, collection.fingerprint(), {split: len(collection.split(split)) for split in tests}
        )

    def run(self, recipes: Sequence[Recipe], seeds: Sequence[int]) -> LearningResult:
        """Fill the result."""
        for seed in seeds:
            self._add_runs(
                "random", {split: random_run(self.collection, split, k=DEPTH, seed=seed) for split in self.tests}
            )
        untrained = recipes[0].build(self.collection, seeds[0])
        self._add("query-blind", self.corpus.query_blind(untrained, TRAIN))
        self._add("BM25", self.corpus.bm25)
        for number, recipe in enumerate(recipes):
            for seed in seeds:
                self._train(recipe, seed, keep=seed == seeds[0], fuse=number == 0)
        # The rows in the order of the story: no learning, then each tower's twins before it, the hybrid last.
        hybrid = self.runs.pop(HYBRID)
        self.runs[HYBRID] = hybrid
        self._measure(recipes)
        return self.result

    def _train(self, recipe: Recipe, seed: int, *, keep: bool, fuse: bool) -> None:
        model = recipe.build(self.collection, seed)
        self._add(f"{recipe.name}, untrained", self.corpus.dense(model))
        shuffled = deepcopy(model)
        self._fit(f"{recipe.name}, shuffled", shuffled, recipe, seed, shuffle_labels=True)
        self._add(f"{recipe.name}, shuffled", self.corpus.dense(shuffled))
        history = self._fit(recipe.name, model, recipe, seed, shuffle_labels=False)
        dense = self.corpus.dense(model)
        self._add(recipe.name, dense)
        if keep:
            self.result.models.append(model)
            self.result.histories.append(history)
        if fuse:
            hybrid = Hybrid([self.corpus.bm25, dense], fusion="linear")
            tuning = hybrid.tune(self.collection, split=VALID)
            best = tuning.sensitivity[tuning.weight]
            self.log(f"hybrid: weight {tuning.weight} for {recipe.name}, {tuning.measure} {best:.4f} on {VALID}")
            if keep:
                self.result.fusion = hybrid.to_config()
            self._add(HYBRID, hybrid)

    def _fit(self, name: str, model: TwoTower, recipe: Recipe, seed: int, *, shuffle_labels: bool) -> History:
        self.log(f"training {name}, seed {seed}")
        history = train(model, self.collection, seed=seed, shuffle_labels=shuffle_labels, **recipe.training)
        best = (
            ""
            if history.best_valid is None
            else f", best valid RR@10 {history.best_valid:.4f} in epoch {history.best_epoch}"
        )
        self.log(f"trained {name}: {history.seconds:.0f} s{best}")
        if history.failure is not None and not shuffle_labels:
            self.log(f"this run FAILED: {history.failure}")
        self.result.seconds.setdefault(name, []).append(history.seconds)
        return history

    def _add(self, name: str, searcher: Searcher) -> None:
        self._add_runs(name, {split: search_split(searcher, self.collection, split, k=DEPTH) for split in self.tests})

    def _add_runs(self, name: str, runs: Mapping[str, Run]) -> None:
        for split, run in runs.items():
            self.runs.setdefault(name, {}).setdefault(split, []).append(run)

    def _measure(self, recipes: Sequence[Recipe]) -> None:
        for name, by_split in self.runs.items():
            self.result.rows[name] = {}
            for split, runs in by_split.items():
                tables = [query_values(run, self.collection.split(split), self.measures) for run in runs]
                self.result.rows[name][split] = {m: [float(table[m].mean()) for table in tables] for m in self.measures}
                first = np.mean([table[self.measures[0]] for table in tables], axis=0)
                self.result.query_values.setdefault(name, {})[split] = first
        pairs = [
            (r.name, twin) for r in recipes for twin in (f"{r.name}, untrained", f"{r.name}, shuffled", "query-blind")
        ]
        pairs += [(recipes[0].name, "BM25"), (HYBRID, "BM25"), (HYBRID, recipes[0].name)]
        for split in self.tests:
            for name, baseline in pairs:
                both = {baseline: self.runs[baseline][split], name: self.runs[name][split]}
                self.result.comparisons.append((split, compare(both, self.collection.split(split), self.measures[:1])))


def _figure(values: Sequence[float]) -> str:
    """Return the mean over seeds, and their standard deviation if there are several."""
    spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{spread}"
