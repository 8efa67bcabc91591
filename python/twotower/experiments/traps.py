"""What do rankers get wrong? Accuracy on retrieval traps, by heuristic and subcase, beside shortcuts and controls.

An average over traps can hide that a whole subcase fails, so the breakdown is always there, and the worst subcase is named.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twotower.data.traps import CONTROL, HEURISTICS, TrapItem, fingerprint, trap_items
from twotower.errors import InvalidInputError
from twotower.evaluation.significance import wilson_interval
from twotower.evaluation.tables import Table, to_markdown
from twotower.experiments.traps_scorers import SHORTCUTS, Scorer

EVERY = "all"
"""Stands for the subcase in the row of a whole heuristic, controls left out."""
RIGHT, TIED, WRONG = 1.0, 0.5, 0.0
_TIE = 1e-5  # relative: embeddings of the same words in another order differ in their last bits


@dataclass(frozen=True)
class TrapRow:
    """How one scorer did on one subcase, or on a whole heuristic.

    Attributes
    ----------
    heuristic, subcase : str
        `subcase` is "all" for the heuristic without its controls.
    n_items, ties : int
    accuracy : float
        Share of items whose right passage scored higher; a tie counts half.
    low, high : float
        Wilson's interval with the number of pairs, since the two items of a pair are not independent. It speaks of other
        fillings of the same templates.
    """

    heuristic: str
    subcase: str
    n_items: int
    accuracy: float
    low: float
    high: float
    ties: int


@dataclass(frozen=True)
class TrapExample:
    """An item that a scorer got wrong, with its scores."""

    heuristic: str
    subcase: str
    query: str
    right: str
    wrong: str
    right_score: float
    wrong_score: float


@dataclass(frozen=True)
class TrapReport:
    """What `trap_report` found.

    Attributes
    ----------
    fingerprint : str
        Of the items.
    confidence : float
    rows : dict of str to list of TrapRow
        By scorer, shortcuts first: for each heuristic its subcases, the control, then all without it.
    outcomes : dict of str to list of float
        By scorer, for each item: 1 right, 0.5 tied, 0 wrong.
    worst : dict of str to TrapRow
        By scorer: the subcase with the lowest accuracy, controls left out.
    examples : dict of str to list of TrapExample
        By scorer, shortcuts left out: from its worst subcases the item with the largest lead of the wrong passage.
    """

    fingerprint: str
    confidence: float
    rows: dict[str, list[TrapRow]]
    outcomes: dict[str, list[float]]
    worst: dict[str, TrapRow]
    examples: dict[str, list[TrapExample]]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON-able values."""
        return asdict(self)

    def to_markdown(self, n_examples: int = 0) -> str:
        """Return the breakdown in percent, the worst subcase of each scorer, and examples if wanted."""
        lines = next(iter(self.rows.values()))
        note = (
            f"Percent of items whose right passage scores higher, with {self.confidence * 100:g}% intervals; = counts ties, each "
            f"half right. Whoever never looks at the query has exactly 50 everywhere. Items {self.fingerprint[:16]}."
        )
        cells = [
            [row.heuristic, row.subcase, str(row.n_items), *(_cell(name, rows[at]) for name, rows in self.rows.items())]
            for at, row in enumerate(lines)
        ]
        table = Table(["heuristic", "subcase", "items", *self.rows], cells, [note])
        worst = [
            [name, f"{row.heuristic}, {row.subcase}", _cell(name, row)]
            for name, row in self.worst.items()
            if name not in SHORTCUTS
        ]
        blocks = [to_markdown([table, Table(["scorer", "worst subcase", "percent right"], worst)])]
        for name, examples in self.examples.items():
            blocks += [_example(name, example) for example in examples[:n_examples]]
        return "\n\n".join(blocks)


def trap_report(
    scorers: Mapping[str, Scorer], items: Sequence[TrapItem] | None = None, *, confidence: float = 0.95
) -> TrapReport:
    """Put traps before scorers.

    Parameters
    ----------
    scorers : mapping of str to scorer
        Name to ``score(query, passages) -> one number a passage``: a re-ranker, or an adapter of
        `twotower.experiments.traps_scorers`. The shortcuts there are always scored too.
    items : sequence of TrapItem, optional
        Default: `twotower.trap_items`.
    confidence : float in (0, 1)

    Raises
    ------
    InvalidInputError
        If there is no item, a name is a shortcut's, or a scorer returns anything but one finite number a passage.

    Examples
    --------
    >>> report = trap_report({"nothing": lambda query, passages: [0, 0]}, trap_items(n=2))
    >>> report.worst["nothing"].accuracy, report.worst["nothing"].ties
    (0.5, 2)
    """
    items = trap_items() if items is None else items
    if not items:
        raise InvalidInputError("no items: give some, or leave them out for the whole suite")
    if taken := SHORTCUTS.keys() & scorers.keys():
        raise InvalidInputError(f"{sorted(taken)} are names of shortcuts: call the scorer something else")
    if not 0 < confidence < 1:
        raise InvalidInputError(f"confidence is {confidence}: give a number between 0 and 1")
    scores = {name: _scores(name, scorer, items) for name, scorer in {**SHORTCUTS, **scorers}.items()}
    outcomes = {name: [_outcome(*both) for both in found] for name, found in scores.items()}
    rows = {name: _rows(items, found, confidence) for name, found in outcomes.items()}
    by_accuracy = {name: sorted(filter(_is_trap, of), key=lambda row: row.accuracy) for name, of in rows.items()}
    return TrapReport(
        fingerprint=fingerprint(items),
        confidence=confidence,
        rows=rows,
        outcomes=outcomes,
        worst={name: ordered[0] for name, ordered in by_accuracy.items()},
        examples={name: _examples(items, scores[name], by_accuracy[name]) for name in scorers},
    )


def _scores(name: str, scorer: Scorer, items: Sequence[TrapItem]) -> list[tuple[float, float]]:
    """Return the scores of the right and the wrong passage of each item."""
    found = []
    for item in items:
        scores = [float(score) for score in scorer(item.query, item.passages)]
        if len(scores) != len(item.passages) or not all(map(math.isfinite, scores)):
            raise InvalidInputError(
                f"{name} gives {scores} for the two passages of {item.item_id}: it must give one finite number each"
            )
        found.append((scores[item.right], scores[1 - item.right]))
    return found


def _outcome(right: float, wrong: float) -> float:
    if math.isclose(right, wrong, rel_tol=_TIE, abs_tol=_TIE / 10):
        return TIED
    return RIGHT if right > wrong else WRONG


def _rows(items: Sequence[TrapItem], outcomes: Sequence[float], confidence: float) -> list[TrapRow]:
    groups: dict[tuple[str, str], list[float]] = {}
    for item, outcome in zip(items, outcomes, strict=True):
        groups.setdefault((item.heuristic, item.subcase), []).append(outcome)
        if not item.is_control:
            groups.setdefault((item.heuristic, EVERY), []).append(outcome)
    order = {heuristic: at for at, heuristic in enumerate(HEURISTICS)}
    keys = sorted(
        groups, key=lambda key: (order.get(key[0], len(order)), key[1] == EVERY)
    )  # stable: subcases keep theirs
    return [_row(key, groups[key], confidence) for key in keys]


def _row(key: tuple[str, str], outcomes: Sequence[float], confidence: float) -> TrapRow:
    accuracy = float(np.mean(outcomes))
    low, high = wilson_interval(accuracy, max(1, len(outcomes) // 2), confidence)
    return TrapRow(*key, len(outcomes), accuracy, low, high, sum(outcome == TIED for outcome in outcomes))


def _is_trap(row: TrapRow) -> bool:
    return row.subcase not in (EVERY, CONTROL)


def _examples(
    items: Sequence[TrapItem], scores: Sequence[tuple[float, float]], worst_first: Iterable[TrapRow]
) -> list[TrapExample]:
    """Return for each subcase that has a wrong item the one with the largest lead of the wrong passage."""
    found = []
    for row in worst_first:
        group = [
            (wrong - right, item, right, wrong)
            for item, (right, wrong) in zip(items, scores, strict=True)
            if (item.heuristic, item.subcase) == (row.heuristic, row.subcase) and _outcome(right, wrong) == WRONG
        ]
        if group:
            _, item, right, wrong = max(group, key=lambda entry: entry[0])
            passages = (item.passages[item.right], item.passages[1 - item.right])
            found.append(TrapExample(row.heuristic, row.subcase, item.query, *passages, right, wrong))
    return found


def _cell(name: str, row: TrapRow) -> str:
    if name in SHORTCUTS:
        return f"{row.accuracy * 100:.0f}"
    ties = f" {row.ties}=" if row.ties else ""
    return f"{row.accuracy * 100:.0f} ({row.low * 100:.0f} to {row.high * 100:.0f}){ties}"


def _example(name: str, example: TrapExample) -> str:
    return (
        f"{name} on {example.heuristic}, {example.subcase}: {example.query}\n"
        f"  wrong {example.wrong_score:.4f}  {example.wrong}\n"
        f"  right {example.right_score:.4f}  {example.right}"
    )
