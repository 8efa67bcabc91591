"""Towers and rankers measured query by query on several test splits, perhaps of several collections, as JSON-able values.

Training, choosing and tuning see the train and valid splits of one collection, the home; tests may lie anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation.evaluate import query_values
from twotower.experiments.learning import DEPTH, TRAIN, VALID, Recipe
from twotower.experiments.searched import SearchedCorpus
from twotower.search import Dense, Hybrid, Searcher, random_run, search_split
from twotower.towers import TwoTower
from twotower.training import History, train
from twotower.types import Collection, Run

Measured = dict[str, dict[str, list[float]]]
"""Test to measure to the value of each query, in the order of the qrels."""

UNTRAINED, SHUFFLED, HYBRID = "{}, untrained", "{}, shuffled", "hybrid with {}"


class Measuring:
    """A home collection to learn from, and the splits to measure on.

    Parameters
    ----------
    home : Collection
        With the splits "train" and "valid".
    tests : mapping of str to (Collection, str)
        Name of a test to its collection and split.
    measures : sequence of str
    threads : int
        For indexes and torch.

    Raises
    ------
    InvalidInputError
        If a test is a split of the home that is trained, chosen or tuned on, or has no relevant document.
    """

    def __init__(
        self, home: Collection, tests: Mapping[str, tuple[Collection, str]], measures: Sequence[str], threads: int = 1
    ) -> None:
        for name, (collection, split) in tests.items():
            if collection is home and split in (TRAIN, VALID):
                raise InvalidInputError(f"{name!r} cannot be a test: {split!r} is trained, chosen or tuned on")
            if not collection.pairs(split):
                raise InvalidInputError(f"{name!r} has no relevant document: nothing to measure")
        self.tests, self.measures, self.threads = dict(tests), list(measures), threads
        self.home = SearchedCorpus(home, threads)
        self._corpora = {id(home): self.home}
        for collection, _ in tests.values():
            if id(collection) not in self._corpora:
                self._corpora[id(collection)] = SearchedCorpus(collection, threads)

    def measure(self, searcher: Callable[[SearchedCorpus], Searcher]) -> Measured:
        """Return the values of what `searcher` makes for each collection of the tests."""
        made: dict[int, Searcher] = {}
        found: Measured = {}
        for name, (collection, split) in self.tests.items():
            if id(collection) not in made:
                made[id(collection)] = searcher(self._corpora[id(collection)])
            found[name] = self._values(search_split(made[id(collection)], collection, split, k=DEPTH), name)
        return found

    def controls(self, untrained: TwoTower, seed: int = 0) -> dict[str, Measured]:
        """Return the rows that hang on no training: random, query-blind and BM25."""
        shuffled = {
            name: self._values(random_run(collection, split, k=DEPTH, seed=seed), name)
            for name, (collection, split) in self.tests.items()
        }
        return {
            "random": shuffled,
            "query-blind": self.measure(lambda corpus: self._blind(corpus, untrained)),
            "BM25": self.measure(lambda corpus: corpus.bm25),
        }

    def untrained(self, recipe: Recipe, seed: int) -> dict[str, Measured]:
        """Return the row of a tower that was not trained."""
        model = recipe.build(self.home.collection, seed)
        return {UNTRAINED.format(recipe.name): self.measure(lambda corpus: corpus.dense(model))}

    def untrained_hybrid(self, recipe: Recipe, seed: int) -> dict[str, Any]:
        """Return the row of BM25 with a tower that was not trained, and its "weight": what the hybrid owes to having two parents.

        The weight is tuned on valid of the home, as that of a trained tower is.
        """
        model = recipe.build(self.home.collection, seed)
        row, weight = self._hybrid({key: corpus.dense(model) for key, corpus in self._corpora.items()})
        return {"rows": {HYBRID.format(UNTRAINED.format(recipe.name)): row}, "weight": weight}

    def trained(self, recipe: Recipe, seed: int, *, shuffled: bool = False, hybrid: bool = True) -> dict[str, Any]:
        """Train a tower, and return its rows with what its training says of itself.

        Parameters
        ----------
        recipe : Recipe
        seed : int
        shuffled : bool
            Train on shuffled pairs, and return the row of this twin alone.
        hybrid : bool
            Add the row of BM25 and the tower, weight tuned on valid of the home, for all tests.

        Returns
        -------
        dict
            "rows" (of `Measured`), "valid" (RR@10 by epoch), "best_epoch", "failure", and "weight" of the hybrid's tower.
        """
        name = recipe.name
        model = recipe.build(self.home.collection, seed)
        history = self._train(model, recipe, seed, shuffled=shuffled)
        said = {"valid": history.valid, "best_epoch": history.best_epoch, "failure": history.failure}
        if shuffled:
            return {"rows": {SHUFFLED.format(name): self.measure(lambda corpus: corpus.dense(model))}, **said}
        dense = {key: corpus.dense(model) for key, corpus in self._corpora.items()}
        rows = {name: self.measure(lambda corpus: dense[id(corpus.collection)])}
        if hybrid:
            rows[HYBRID.format(name)], said["weight"] = self._hybrid(dense)
        return {"rows": rows, **said}

    def tried(self, recipe: Recipe, seed: int) -> dict[str, Any]:
        """Train a tower, and return what valid says of it ("best" RR@10, "valid" by epoch): no test is searched."""
        history = self._train(recipe.build(self.home.collection, seed), recipe, seed)
        return {"best": history.best_valid, "valid": history.valid}

    def _train(self, model: TwoTower, recipe: Recipe, seed: int, *, shuffled: bool = False) -> History:
        options = {"threads": max(1, self.threads), "progress": False, **recipe.training}
        return train(model, self.home.collection, seed=seed, shuffle_labels=shuffled, **options)

    def _hybrid(self, dense: Mapping[int, Dense]) -> tuple[Measured, float | None]:
        """Return the row of BM25 with the dense searchers of all corpora, and the weight that valid of the home chose."""
        both = {key: Hybrid([corpus.bm25, dense[key]], fusion="linear") for key, corpus in self._corpora.items()}
        tuning = both[id(self.home.collection)].tune(self.home.collection, split=VALID)
        return self.measure(lambda corpus: both[id(corpus.collection)].take(tuning)), tuning.weight

    def _blind(self, corpus: SearchedCorpus, untrained: TwoTower) -> Searcher:
        if corpus is self.home:
            return corpus.query_blind(untrained, TRAIN)
        return corpus.query_blind_from(self.home, untrained, TRAIN)

    def _values(self, run: Run, test: str) -> dict[str, list[float]]:
        collection, split = self.tests[test]
        found = query_values(run, collection.split(split), self.measures)
        return {measure: np.round(found[measure], 6).tolist() for measure in self.measures}


def with_fewer(collection: Collection, n: int, seed: int = 0) -> Collection:
    """Return the collection with `n` of its training queries, or all if there are fewer; the same seed nests smaller in larger sets.

    Examples
    --------
    >>> from twotower.types import Document
    >>> c = Collection("c", {"d": Document("x")}, {"a": "x", "b": "x"}, {"train": {"a": {"d": 1}, "b": {"d": 1}}})
    >>> len(with_fewer(c, 1).qrels["train"])
    1
    """
    qrels = collection.split(TRAIN)
    query_ids = list(qrels)
    chosen = sorted(np.random.default_rng(seed).permutation(len(query_ids))[:n].tolist())
    fewer = {query_ids[row]: qrels[query_ids[row]] for row in chosen}
    return replace(collection, qrels={**collection.qrels, TRAIN: fewer})
