"""Is there evidence for a claim of learning? One page of verdicts about a collection, its splits, and what is set against it.

Checks are the files of `checks`; this one puts them together and shows what they say. Knows no check.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.measures import check_order
from twotower.experiments.case import Case
from twotower.experiments.checks import CHECKS
from twotower.experiments.claims import Answer, claims
from twotower.experiments.finding import SEVERITY, Finding
from twotower.experiments.seen import read_texts
from twotower.experiments.training_sets import MODELS, TRAINING_SETS
from twotower.registry import choose, resolve
from twotower.types import Collection, Run

if TYPE_CHECKING:
    from twotower.experiments.learning import Recipe
    from twotower.towers import TwoTower

MEASURES = ("nDCG@10", "RR@10")
MARKS = {"ok": "ok", "warning": "WARNING", "problem": "PROBLEM", "not run": "not run"}


@dataclass(frozen=True)
class Audit:
    """What `audit` found.

    Attributes
    ----------
    collection, fingerprint : str
        Name and content hash of the data.
    splits : dict of str to int
        Test split to number of judged queries.
    findings : list of Finding
        By check, then split.
    """

    collection: str
    fingerprint: str
    splits: dict[str, int]
    findings: list[Finding] = field(default_factory=list)

    def of(self, check: str, split: str) -> Finding:
        """Return the finding of one check on one split.

        Raises
        ------
        InvalidInputError
            If there is none.
        """
        found = [finding for finding in self.findings if (finding.check, finding.split) == (check, split)]
        if not found:
            there = sorted({finding.check for finding in self.findings})
            raise InvalidInputError(
                f"no check {check!r} on split {split!r}: there are {', '.join(there)} on {list(self.splits)}"
            )
        return found[0]

    def problems(self) -> list[Finding]:
        """Return the findings with the verdict "problem"."""
        return [finding for finding in self.findings if finding.verdict == "problem"]

    def claims(self, split: str) -> dict[str, Answer]:
        """Return for each claim of `twotower.experiments.claims.CLAIMS` whether this split bears it."""
        return claims([finding for finding in self.findings if finding.split == split])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values."""
        return {
            "collection": self.collection,
            "fingerprint": self.fingerprint,
            "splits": self.splits,
            "claims": {split: self.claims(split) for split in self.splits},
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def to_table(self) -> str:
        """Return one table, a column a split: what may be claimed, then the verdict of each check."""
        names = list(dict.fromkeys(finding.check for finding in self.findings))
        lines = [f"| {self.collection} | {' | '.join(f'{s} ({n} queries)' for s, n in self.splits.items())} |"]
        lines.append("|---" * (1 + len(self.splits)) + "|")
        answers = [self.claims(split) for split in self.splits]
        lines += [f"| *{claim}* | {' | '.join(found[claim] for found in answers)} |" for claim in answers[0]]
        for name in names:
            verdicts = [MARKS[self.of(name, split).verdict] for split in self.splits]
            lines.append(f"| {name} | {' | '.join(verdicts)} |")
        return "\n".join(lines)

    def to_markdown(self) -> str:
        """Return the page: what may be claimed, the verdicts, what each says, then figures, examples and what the checks can show."""
        blocks = [f"# Audit of {self.collection}, content {self.fingerprint[:16]}", self.to_table()]
        for split in self.splits:
            found = [finding for finding in self.findings if finding.split == split]
            found.sort(key=lambda finding: SEVERITY[finding.verdict])
            lines = [f"**{split}**", *(f"- {MARKS[f.verdict]}, {f.check}: {f.says}." for f in found)]
            blocks.append("\n".join(lines))
        blocks.append("## Details")
        for name in dict.fromkeys(finding.check for finding in self.findings):
            found = [finding for finding in self.findings if finding.check == name]
            lines = [f"**{name}**. {found[0].explanation}"]
            for finding in found:
                lines += [f"- {finding.split}: {_shown(finding.figures)}"] if finding.figures else []
                lines += [f"  - {example}" for example in finding.examples]
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks)


def audit(
    collection: Collection,
    *,
    tests: Sequence[str] | None = None,
    train: str | None = "train",
    valid: str | None = "valid",
    runs: Mapping[str, Run] | None = None,
    model: "TwoTower | None" = None,
    recipes: "Sequence[Recipe] | None" = None,
    seeds: Sequence[int] = (0, 1, 2),
    measures: Sequence[str] = MEASURES,
    seen: Iterable[str | Path] = (),
    derived_from: Sequence[str] = (),
    groups: Mapping[str, str] | None = None,
    checks: Sequence[str] | None = None,
    threads: int = 1,
    log: Callable[[str], None] = lambda line: None,
) -> Audit:
    """Look for reasons not to believe a claim of learning.

    Parameters
    ----------
    collection : Collection
    tests : sequence of str, optional
        Splits that claims are made on; default: all but `train` and `valid`.
    train, valid : str, optional
        Splits that a model learns from and is chosen on. None, or a default name that the collection lacks: none is.
    runs : mapping of str to Run, optional
        Ranked lists to look at beside BM25 and tf-idf, such as those of a pretrained model.
    model : TwoTower, optional
        A trained model to set against its twins, instead of training the recipes.
    recipes : sequence of Recipe, optional
        What the twins are made of; default: the average tower. Empty: nothing is trained.
    seeds : sequence of int
        Of training.
    measures : sequence of str
        Verdicts speak of the first; saturation looks at all.
    seen : iterable of str or path
        Names of pretrained models or training sets (`twotower.experiments.training_sets`), or files of texts that a model has
        seen (`twotower.experiments.seen.read_texts`).
    derived_from : sequence of str
        Training sets that the collection was made from, where its name does not tell.
    groups : mapping of str to str, optional
        doc_id to the page or record that it was cut from.
    checks : sequence of str, optional
        Names of `twotower.experiments.checks.CHECKS`; default: all.
    threads : int
        Of the indexes. torch keeps its own setting.
    log : callable
        Gets a line for each step.

    Returns
    -------
    Audit

    Raises
    ------
    InvalidInputError
        If a split, check or measure is unknown, a split is both learned from and tested, there is no test split, or `seen` or
        `derived_from` names nothing.

    Notes
    -----
    What each check can show and what it cannot: docs/decisions/audit.md.
    """
    learned_from = tuple(_learned_from(collection, train, valid))
    tests = tuple(split for split in collection.qrels if split not in learned_from) if tests is None else tuple(tests)
    _check_splits(collection, tests, learned_from)
    check_order(measures)
    if not seeds or not measures:
        raise InvalidInputError("give at least one seed and one measure")
    names = list(CHECKS if checks is None else checks)
    functions = {name: resolve(CHECKS, name, "check") for name in names}
    known, files = _known_and_files(seen)
    for name in derived_from:
        if name not in TRAINING_SETS:
            raise InvalidInputError(f"unknown training set {name!r}: choose one of {', '.join(TRAINING_SETS)}")
    _check_runs(runs or {}, collection, tests)
    case = Case(
        collection, tests, learned_from, dict(runs or {}), model, _recipes(recipes), list(seeds), list(measures),
        {str(file): read_texts(file) for file in files}, known, tuple(derived_from), dict(groups or {}), threads, log,
    )  # fmt: skip
    result = Audit(collection.name, collection.fingerprint(), {split: len(collection.split(split)) for split in tests})
    for name, check in functions.items():
        log(f"checking: {name}")
        result.findings.extend(check(case))
    return result


def _check_runs(runs: Mapping[str, Run], collection: Collection, tests: Sequence[str]) -> None:
    """Refuse a run that answers no judged query: it would be left out of every figure without a word."""
    if not isinstance(runs, Mapping):
        raise InputTypeError(f"runs is {type(runs).__name__}: give a mapping of name to run")
    asked = set().union(*(collection.split(split) for split in tests))
    for name, run in runs.items():
        if not isinstance(run, Mapping):
            raise InputTypeError(
                f"run {name!r} is {type(run).__name__}: give query_id to doc_id to score, as read_run does"
            )
        if asked.isdisjoint(run):
            raise InvalidInputError(
                f"run {name!r} answers none of the {len(asked)} queries of {', '.join(tests)}: its queries are such as "
                f"{next(iter(run), 'none at all')!r}, theirs such as {next(iter(asked), 'none at all')!r}"
            )


def _learned_from(collection: Collection, train: str | None, valid: str | None) -> Iterable[str]:
    for name, default in ((train, "train"), (valid, "valid")):
        if name is not None and (name in collection.qrels or name != default):
            collection.split(name)  # refuses a name that is not there
            yield name


def _check_splits(collection: Collection, tests: Sequence[str], learned_from: Sequence[str]) -> None:
    if not tests:
        raise InvalidInputError(
            f"{collection.name} has no split to test on besides {', '.join(learned_from) or 'none at all'}"
        )
    for split in tests:
        if not collection.pairs(split):
            raise InvalidInputError(f"split {split!r} of {collection.name} has no relevant document: nothing to audit")
    if both := set(tests) & set(learned_from):
        raise InvalidInputError(f"{sorted(both)} cannot be test splits: they are learned from or chosen on")


def _recipes(recipes: "Sequence[Recipe] | None") -> "Sequence[Recipe]":
    if recipes is not None:
        return recipes
    from twotower.experiments.recipes import RECIPES

    return [choose(RECIPES, "average", "recipe")]


def _known_and_files(seen: Iterable[str | Path]) -> tuple[tuple[str, ...], list[Path]]:
    known, files = [], []
    for item in seen:
        if str(item) in MODELS or str(item) in TRAINING_SETS:
            known.append(str(item))
        elif Path(item).is_file():
            files.append(Path(item))
        else:
            raise InvalidInputError(
                f"{str(item)!r} is neither a file nor a known name: give a file of texts, a model ({', '.join(MODELS)}) or a "
                f"training set ({', '.join(TRAINING_SETS)})"
            )
    return tuple(known), files


def _shown(figures: Mapping[str, Any]) -> str:
    """Return figures on one line."""
    parts = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            parts.append(f"{name}: {_shown(value) or 'none'}" if not _plain(value) else f"{name} ({_shown(value)})")
        elif isinstance(value, list):
            parts.append(f"{name} {' / '.join(map(str, value)) or 'none'}")
        else:
            parts.append(f"{name} {value}")
    return ("; " if any(isinstance(value, Mapping) for value in figures.values()) else ", ").join(parts)


def _plain(value: Mapping[str, Any]) -> bool:
    return not any(isinstance(inner, Mapping) for inner in value.values())
