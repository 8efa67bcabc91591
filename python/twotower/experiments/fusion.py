"""Does fusing searchers gain over the better of them? Tuned on train and valid splits, reported on test splits with controls.

Knows no searcher and no collection by name. The rules are those of docs/decisions/fusion.md, "Protocol"; what was found is a
`FusionResult`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from twotower.errors import InvalidInputError
from twotower.evaluation import evaluate_queries
from twotower.experiments.fusion_result import (
    ORACLE,
    POOLED,
    RANDOM,
    RRF,
    SHUFFLED,
    SHUFFLED_ANEW,
    TUNED,
    UNTUNED,
    FusionResult,
    Kind,
    Line,
    TestSet,
    Tuned,
)  # fmt: skip
from twotower.search import Hybrid, Searcher, Shuffled, random_run, search_split, tune_together
from twotower.search.tuning import Tuning
from twotower.types import Collection, Run

KINDS = (
    ("linear", "minmax"), ("linear", "zscore"), ("linear", "none"), ("convex", "theoretical"), ("combmnz", "minmax"), ("rrf", None),
)  # fmt: skip
"""Fusions and normalisations to choose from; CombSUM is not among them, since tuned it is linear fusion."""

DEPTH = 100


@dataclass(frozen=True)
class FusionCase:
    """A collection with the searchers to be fused on it.

    Attributes
    ----------
    collection : Collection
    searchers : sequence of Searcher
        The parents: of the same names and in the same order in every case.
    tune : sequence of str
        Splits to tune on, as one set; if empty, the case takes the weights tuned on all other cases together.
    tests : sequence of str
        Splits to report.
    beside : mapping of str to Searcher
        Further searchers, for rows of their own; of the same names in every case.
    """

    collection: Collection
    searchers: Sequence[Searcher]
    tune: Sequence[str] = ()
    tests: Sequence[str] = ("test",)
    beside: Mapping[str, Searcher] = field(default_factory=dict)


def fusion_experiment(
    cases: Sequence[FusionCase],
    *,
    kinds: Sequence[Kind] = KINDS,
    measure: str = "nDCG@10",
    depth: int = DEPTH,
    margin: float = 0.02,
    seeds: Sequence[int] = (0, 1, 2),
    n_resamples: int = 10_000,
    log: Callable[[str], None] = lambda line: None,
) -> FusionResult:
    """Choose a kind of fusion and tune it on the tuning splits, then measure hybrid, parents and controls on the tests.

    Parameters
    ----------
    cases : sequence of FusionCase
    kinds : sequence of (fusion, normalise)
        The one with the best mean on the tuning splits is taken; of equals the first.
    measure : str
    depth : int
        Of all hybrids.
    margin : float
        The hybrid is called not inferior where the interval of its gain lies above ``-margin``.
    seeds : sequence of int
        Of the random and the shuffled rows, which are means over them.
    n_resamples : int
        Of intervals and tests.
    log : callable
        Gets a line for each step.

    Raises
    ------
    InvalidInputError
        If no case has a split to tune on, two cases have collections of one name or differ in the names of
        their searchers, a test split is tuned on, or a split is missing.

    Notes
    -----
    Gold decides nothing but figures, with one exception that is named so in the table: the row that takes the better parent of each
    query. "Better parent" of a test set is the parent with the higher mean on that test set.
    """
    _check(cases)
    tried: dict[Kind, Tuned] = {}
    for kind in kinds:
        tried[kind] = _tune(cases, kind, depth, measure)
        log(f"{' '.join(filter(None, kind))}: {measure} {tried[kind].mean:.4f} on the tuning splits")
    chosen = max(tried, key=lambda kind: tried[kind].mean)
    shuffled = {}
    for seed in seeds:
        shuffled[seed] = _tune([_shuffled(case, seed) for case in cases], chosen, depth, measure)
        log(f"last parent shuffled, seed {seed}: weights {shuffled[seed].pooled.weights}")
    bench = _Bench(chosen, depth, measure, tried[chosen], shuffled)
    tests = []
    for case in cases:
        for split in case.tests:
            log(f"testing on {case.collection.name} {split}")
            tests.append(bench.test(case, split))
    fingerprints = {case.collection.name: case.collection.fingerprint() for case in cases}
    beside = list(cases[0].beside)
    result = FusionResult(
        measure, depth, margin, _names(cases[0]), beside, fingerprints, tried, chosen, shuffled, tests
    )
    return result.judge(n_resamples)


def _check(cases: Sequence[FusionCase]) -> None:
    names = [case.collection.name for case in cases]
    if len(set(names)) != len(names):
        raise InvalidInputError(f"the collections are named {names}: give each a name of its own")
    if any((list(case.beside), _names(case)) != (list(cases[0].beside), _names(cases[0])) for case in cases):
        raise InvalidInputError("the cases differ in the names of their searchers: give each the same, in one order")
    if not any(case.tune for case in cases):
        raise InvalidInputError("no case has a split to tune on: name one in `tune`")
    for case in cases:
        if overlap := set(case.tune) & set(case.tests):
            raise InvalidInputError(f"{sorted(overlap)} of {case.collection.name} cannot be tuned on and reported")


def _names(case: FusionCase) -> list[str]:
    return [searcher.name for searcher in case.searchers]


def _tune(cases: Sequence[FusionCase], kind: Kind, depth: int, measure: str) -> Tuned:
    judged = [
        (Hybrid(case.searchers, kind[0], depth=depth, normalise=kind[1]), case.collection, case.tune)
        for case in cases
        if case.tune
    ]
    own = {collection.name: hybrid.tune(collection, splits, measure) for hybrid, collection, splits in judged}
    return Tuned(own, tune_together(judged, measure))


def _shuffled(case: FusionCase, seed: int) -> FusionCase:
    """Return the case with its last searcher shuffled."""
    return replace(case, searchers=[*case.searchers[:-1], Shuffled(case.searchers[-1], seed)])


@dataclass(frozen=True)
class _Bench:
    """Everything that is measured on a test set, once all weights are found."""

    kind: Kind
    depth: int
    measure: str
    tuned: Tuned
    shuffled: Mapping[int, Tuned]

    def test(self, case: FusionCase, split: str) -> TestSet:
        """Return the values of every row, by query, and what the hybrid's search cost."""
        collection, name = case.collection, case.collection.name
        tuning = self.tuned.of(name)
        hybrid = self._hybrid(case, tuning)
        searchers = {searcher.name: searcher for searcher in case.searchers} | dict(case.beside)
        searchers |= {
            RRF: Hybrid(case.searchers, "rrf", depth=self.depth),
            UNTUNED: Hybrid(case.searchers, self.kind[0], depth=self.depth, normalise=self.kind[1]),
            POOLED: self._hybrid(case, self.tuned.pooled),
            TUNED: hybrid,
        }
        rows = {
            RANDOM: self._mean([random_run(collection, split, self.depth, seed) for seed in self.shuffled], case, split)
        }
        for row, searcher in searchers.items():
            rows[row] = self._mean([search_split(searcher, collection, split, self.depth)], case, split)
        for row, weights in {
            SHUFFLED: dict.fromkeys(self.shuffled, tuning),
            SHUFFLED_ANEW: {seed: tuned.of(name) for seed, tuned in self.shuffled.items()},
        }.items():
            controls = [self._hybrid(_shuffled(case, seed), found) for seed, found in weights.items()]
            runs = [search_split(control, collection, split, self.depth) for control in controls]
            rows[row] = self._mean(runs, case, split)
        rows[ORACLE] = np.max([rows[searcher.name] for searcher in case.searchers], axis=0)
        assert hybrid.cost is not None
        return TestSet(name if split == "test" else f"{name} {split}", tuning, rows, hybrid.cost)

    def _hybrid(self, case: FusionCase, tuning: Tuning) -> Hybrid:
        return Hybrid(case.searchers, self.kind[0], depth=self.depth, normalise=self.kind[1]).take(tuning)

    def _mean(self, runs: Sequence[Run], case: FusionCase, split: str) -> Line:
        """Return the values by query, averaged over runs."""
        qrels = case.collection.split(split)
        values = [next(iter(evaluate_queries(run, qrels, [self.measure]).values())) for run in runs]
        return np.asarray(np.mean([list(by_query.values()) for by_query in values], axis=0))
