"""What a fusion experiment found: figures by query, intervals and verdicts. Knows no searcher, and not how to print.

Legend: Q queries.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from twotower.evaluation.significance import bootstrap_intervals, holm, randomisation_p, stratified_interval
from twotower.search import Cost
from twotower.search.tuning import Tuning

Line = npt.NDArray[np.float64]
"""Values of the measure by query, [Q]."""

Kind = tuple[str, str | None]
"""A fusion and a normalisation."""

CONFIDENCE = 0.95
RANDOM, RRF, UNTUNED = "random", "rrf, untuned", "hybrid, untuned"
POOLED, TUNED = "hybrid, weights of all collections", "hybrid"
SHUFFLED, SHUFFLED_ANEW = "hybrid of shuffled, same weights", "hybrid of shuffled, tuned anew"
ORACLE = "better parent of each query (uses gold)"


class Question(NamedTuple):
    """A row, and the parents of which the better one on the test set itself is its baseline; if none, the one that tuning chose."""

    row: str
    among: tuple[str, ...]


@dataclass(frozen=True)
class Tuned:
    """Weights of the same searchers by collection that has splits to tune on, and of all these together."""

    own: dict[str, Tuning]
    pooled: Tuning

    def of(self, collection: str) -> Tuning:
        """Return the tuning that a collection takes."""
        return self.own.get(collection, self.pooled)

    @property
    def mean(self) -> float:
        """The mean over collections of the best mean of each on what it was tuned on."""
        return float(np.mean([tuning.best for tuning in self.own.values()]))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        own = {name: tuning.to_dict() for name, tuning in self.own.items()}
        return {"mean": self.mean, "own": own, "pooled": self.pooled.to_dict()}


@dataclass(frozen=True)
class TestSet:
    """One test split.

    Attributes
    ----------
    name : str
        Collection and split.
    tuning : Tuning
        That the hybrid took.
    rows : dict of str to ndarray of float64, shape [Q]
        Name of the row to values by query.
    cost : Cost
        Of the hybrid's search for these queries.
    """

    __test__ = False  # no test case of pytest

    name: str
    tuning: Tuning
    rows: dict[str, Line]
    cost: Cost

    @property
    def n_queries(self) -> int:
        """Judged queries."""
        return len(next(iter(self.rows.values())))

    def baseline(self, question: Question) -> str:
        """Return the parent that a question compares with here."""
        if question.among:
            return max(question.among, key=lambda name: float(self.rows[name].mean()))
        alone = {name: tuple(float(other == name) for other in self.tuning.searchers) for name in self.tuning.searchers}
        return max(alone, key=lambda name: self.tuning.means[alone[name]])

    def gain(self, question: Question) -> Line:
        """Return the paired differences of a question, by query."""
        return self.rows[question.row] - self.rows[self.baseline(question)]


@dataclass(frozen=True)
class Gain:
    """A mean paired difference with its interval; p-values are absent for means over several test sets."""

    where: str
    row: str
    baseline: str
    mean: float
    low: float
    high: float
    p: float | None = None
    p_holm: float | None = None


@dataclass
class FusionResult:
    """What `fusion_experiment` found.

    Attributes
    ----------
    measure : str
    depth : int
    margin : float
        How much less than the better parent is still "not inferior".
    parents, beside : list of str
        Searchers that are fused; further ones that only stand beside.
    fingerprints : dict of str to str
        Content hash by collection.
    kinds : dict of kind to Tuned
        Everything that was tried on the tuning splits.
    kind : (str, str or None)
        What was chosen.
    shuffled : dict of int to Tuned
        The weights found with the last parent shuffled, by seed.
    tests : list of TestSet
    gains : list of Gain
        On each test set; Holm's correction is over the test sets, for each question on its own.
    pooled : list of Gain
        Means over all test sets, each counting the same; then the claim with each test set left out.
    """

    measure: str
    depth: int
    margin: float
    parents: list[str]
    beside: list[str]
    fingerprints: dict[str, str]
    kinds: dict[Kind, Tuned]
    kind: Kind
    shuffled: dict[int, Tuned]
    tests: list[TestSet]
    gains: list[Gain] = field(default_factory=list)
    pooled: list[Gain] = field(default_factory=list)

    @property
    def questions(self) -> list[Question]:
        """What is compared; the first is the claim."""
        parents, rest = tuple(self.parents), tuple(self.parents[:-1])
        return [
            Question(TUNED, parents),
            Question(TUNED, ()),
            *(Question(TUNED, (name,)) for name in [*self.parents, *self.beside]),
            Question(POOLED, parents),
            Question(UNTUNED, parents),
            Question(RRF, parents),
            Question(SHUFFLED, rest),
            Question(SHUFFLED_ANEW, rest),
        ]

    def judge(self, n_resamples: int, seed: int = 0) -> Self:
        """Fill `gains` and `pooled`; return self."""
        for question in self.questions:
            rows = []
            for number, test in enumerate(self.tests):
                paired = test.gain(question)[:, np.newaxis]
                # The same resamples for every question on a test set.
                for_intervals, for_tests = np.random.default_rng([seed, number]).spawn(2)
                low, high = bootstrap_intervals(paired, n_resamples, CONFIDENCE, for_intervals)
                p = randomisation_p(paired, n_resamples, for_tests)
                rows.append((float(paired.mean()), float(low[0]), float(high[0]), float(p[0])))
            corrected = holm([row[3] for row in rows])
            self.gains += [
                Gain(test.name, question.row, test.baseline(question), *row, p_holm)
                for test, row, p_holm in zip(self.tests, rows, corrected, strict=True)
            ]
            self.pooled.append(self._pool(f"all {len(self.tests)}", self.tests, question, n_resamples, seed))
        for left_out in self.tests if len(self.tests) > 1 else ():
            others = [test for test in self.tests if test is not left_out]
            self.pooled.append(self._pool(f"without {left_out.name}", others, self.questions[0], n_resamples, seed))
        return self

    def _pool(self, where: str, tests: Sequence[TestSet], question: Question, n_resamples: int, seed: int) -> Gain:
        strata = [test.gain(question) for test in tests]
        figures = stratified_interval(strata, n_resamples, CONFIDENCE, np.random.default_rng(seed))
        return Gain(where, question.row, baseline_name(question), *figures)

    @property
    def gained(self) -> bool:
        """Whether the hybrid's mean gain over the better parents has an interval above 0."""
        return self.pooled[0].low > 0

    def not_inferior(self, gain: Gain) -> bool:
        """Tell whether an interval lies above ``-margin``."""
        return gain.low > -self.margin

    def gains_of(self, question: Question) -> list[Gain]:
        """Return the gains that answer one question, by test set."""
        at = self.questions.index(question) * len(self.tests)
        return self.gains[at : at + len(self.tests)]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON-able values, those by query in the order of the qrels."""
        return {
            "measure": self.measure,
            "depth": self.depth,
            "margin": self.margin,
            "parents": self.parents,
            "beside": self.beside,
            "fingerprints": self.fingerprints,
            "kinds": [{"kind": list(kind), **tuned.to_dict()} for kind, tuned in self.kinds.items()],
            "kind": list(self.kind),
            "shuffled": {str(seed): tuned.to_dict() for seed, tuned in self.shuffled.items()},
            "tests": [
                {
                    "name": test.name,
                    "n_queries": test.n_queries,
                    "weights": list(test.tuning.weights),
                    "means": {row: float(values.mean()) for row, values in test.rows.items()},
                    "by_query": {row: values.tolist() for row, values in test.rows.items()},
                    "cost": test.cost.to_dict(),
                }
                for test in self.tests
            ],
            "gains": [asdict(gain) for gain in self.gains],
            "pooled": [asdict(gain) for gain in self.pooled],
            "gained": self.gained,
            "not_inferior": {gain.where: self.not_inferior(gain) for gain in self.gains_of(self.questions[0])},
        }

    def to_markdown(self) -> str:
        """Return the tables: tuning, means, gains with verdicts, pooled gains, cost."""
        from twotower.experiments.fusion_tables import to_markdown

        return to_markdown(self)


def baseline_name(question: Question) -> str:
    """Return what tables call the baseline of a question over several test sets."""
    if not question.among:
        return "parent chosen on the tuning splits"
    return question.among[0] if len(question.among) == 1 else "better parent"
