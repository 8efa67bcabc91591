"""Whether training taught anything: a model beside itself untrained, trained on shuffled labels, and beside query-blind control.

Uses `learning_experiment` for recipes; a given model is set against its own twins.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from twotower.evaluation import Difference, compare
from twotower.experiments.case import DEPTH, Case
from twotower.experiments.finding import SEVERITY, Finding, Verdict
from twotower.experiments.learning import TRAIN, VALID, learning_experiment
from twotower.experiments.recipes import RECIPES
from twotower.index import FlatIndex
from twotower.search import Dense, search_split
from twotower.towers import TwoTower
from twotower.training import train
from twotower.types import Collection, Qrels, Run

NAME = "twins"
LEAST_PAIRS, HELD_OUT = 20, 10
WORTH = 0.05
SHOWS = (
    "Learned: better than the same tower untrained, than its twin trained on shuffled pairs and than the query-blind order, each with "
    "a 95 % interval above 0, and with every seed. That shows that these labels taught something which carries over to these test "
    "queries; whether it carries over because of a leak, the other checks say. Intervals speak of other queries."
)


class Beside(NamedTuple):
    """A model's differences to its controls on one split, and whether each seed agrees."""

    name: str
    differences: list[Difference]
    agree: bool


def twins(case: Case) -> list[Finding]:
    """Train the recipes, or take the given model, and compare with the twins on each test split."""
    n_pairs = len(case.collection.pairs(case.learned_from[0])) if case.learned_from else 0
    if case.model is not None:
        return [_finding(case, split, [beside]) for split, beside in _given(case, n_pairs).items()]
    if not case.recipes or n_pairs < LEAST_PAIRS:
        why = "no recipe is asked for" if n_pairs >= LEAST_PAIRS else f"{n_pairs} pairs to learn from"
        return [
            Finding(NAME, split, "not run", f"nothing is trained: {why}", explanation=SHOWS) for split in case.tests
        ]
    return _trained(case)


def judge(beside: Beside) -> tuple[Verdict, str]:
    """Return the verdict on one model, and what it says."""
    below = [d for d in beside.differences if d.low <= 0]
    if not below and beside.agree:
        least = min(beside.differences, key=lambda d: d.difference)
        return "ok", f"{beside.name} learned: {_interval(least)} over its closest control"
    if not below:
        return "problem", f"{beside.name}: no evidence of learning, its seeds disagree about the order of the twins"
    worst = min(below, key=lambda d: d.difference)
    if worst.high >= WORTH:
        return "warning", f"{beside.name}: learning cannot be shown with so few queries: {_interval(worst)}"
    return "problem", f"{beside.name}: no evidence of learning: {_interval(worst)}"


def _interval(d: Difference) -> str:
    return f"{d.measure} {d.difference:+.3f} ({d.low:+.3f} to {d.high:+.3f}) against {d.baseline}"


def _finding(case: Case, split: str, models: Sequence[Beside]) -> Finding:
    judged = [judge(beside) for beside in models]
    verdict = min((found for found, _ in judged), key=SEVERITY.__getitem__)
    intervals = {
        f"{d.name} - {d.baseline}": [round(d.difference, 4), round(d.low, 4), round(d.high, 4)]
        for beside in models for d in beside.differences
    }  # fmt: skip
    means = {name: round(float(found[split].mean()), 4) for name, found in case.values.items() if split in found}
    figures = {"queries": len(case.collection.split(split)), f"mean {case.measure}": means, **intervals}
    return Finding(NAME, split, verdict, "; ".join(says for _, says in judged), figures, SHOWS)


def _trained(case: Case) -> list[Finding]:
    collection = with_valid(case.collection, case.learned_from, case.tests)
    result = learning_experiment(
        collection,
        case.recipes,
        tests=case.tests,
        seeds=case.seeds,
        measures=case.measures,
        threads=case.threads,
        log=case.log,
    )
    case.values.update(result.query_values)
    findings = []
    for split in case.tests:
        models = []
        for recipe in case.recipes:
            controls = [f"{recipe.name}, untrained", f"{recipe.name}, shuffled", "query-blind"]
            found = [c.differences[0] for where, c in result.comparisons if where == split]
            differences = [d for d in found if d.name == recipe.name and d.baseline in controls]
            seeds = {name: result.rows[name][split][case.measure] for name in (recipe.name, *controls[:2])}
            agree = all(own > max(others) for own, *others in zip(*seeds.values(), strict=True))
            models.append(Beside(recipe.name, differences, agree))
            case.controls[recipe.name] = controls
        findings.append(_finding(case, split, models))
    return findings


def with_valid(collection: Collection, learned_from: Sequence[str], tests: Sequence[str]) -> Collection:
    """Return the collection with its learning splits named "train" and "valid"; without a valid split, a tenth of train is one."""
    learn: Qrels = collection.split(learned_from[0])
    if len(learned_from) > 1:
        choose = collection.split(learned_from[1])
    else:
        order = np.random.default_rng(0).permutation(len(learn)).tolist()
        query_ids = list(learn)
        held = {query_ids[at] for at in order[: max(1, len(learn) // HELD_OUT)]}
        choose = {query_id: judged for query_id, judged in learn.items() if query_id in held}
        learn = {query_id: judged for query_id, judged in learn.items() if query_id not in held}
    return replace(
        collection, qrels={TRAIN: learn, VALID: choose, **{split: collection.split(split) for split in tests}}
    )


def _given(case: Case, n_pairs: int) -> dict[str, Beside]:
    """Return for each split the given model beside its untrained twins and, where there are pairs, a shuffled one."""
    model = case.model
    assert model is not None
    rows: dict[str, list[TwoTower]] = {"model": [model]}
    first = [model.twin()] + [model.twin(seed) for seed in case.seeds[1:]]
    rows["model, untrained"] = first
    if n_pairs >= LEAST_PAIRS:
        rows["model, shuffled"] = [_shuffled(case, model, seed) for seed in case.seeds]
    runs: dict[str, dict[str, list[Run]]] = {}
    for name, models in rows.items():
        for one in models:
            dense = Dense(one, FlatIndex.build(one.encode_documents(case.texts), case.doc_ids))
            for split in case.tests:
                runs.setdefault(split, {}).setdefault(name, []).append(
                    search_split(dense, case.collection, split, k=DEPTH)
                )
    return {split: _beside(case, split, found) for split, found in runs.items()}


def _beside(case: Case, split: str, runs: dict[str, list[Run]]) -> Beside:
    qrels = case.collection.split(split)
    for name, found in runs.items():
        values = [case.values_of(run, split)[case.measure] for run in found]
        case.values.setdefault(name, {})[split] = np.mean(values, axis=0)
    controls = [name for name in runs if name != "model"]
    case.controls["model"] = controls
    differences = [
        compare({name: runs[name], "model": runs["model"]}, qrels, [case.measure]).differences[0] for name in controls
    ]
    best = max(float(case.values_of(run, split)[case.measure].mean()) for name in controls for run in runs[name])
    return Beside("model", differences, float(case.values["model"][split].mean()) > best)


def _shuffled(case: Case, model: TwoTower, seed: int) -> TwoTower:
    """Train the model's twin on shuffled pairs, with the settings of the first recipe of its tower: its own are not known."""
    fitting = [recipe for recipe in RECIPES.values() if recipe.tower == model.tower]
    settings = next((recipe.training for recipe in fitting if recipe.options.get("tied") == model.tied), {})
    twin = model.twin(seed)
    case.log(f"training the model's shuffled twin, seed {seed}")
    collection = with_valid(case.collection, case.learned_from, case.tests)
    train(twin, collection, seed=seed, shuffle_labels=True, **settings)
    return twin
