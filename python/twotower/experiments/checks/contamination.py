"""Pretrained models that were trained on the data that the collection was made from."""

from twotower.experiments.case import Case
from twotower.experiments.finding import Finding, Verdict
from twotower.experiments.training_sets import MODELS, Origin, origin_of

NAME = "contamination"
SHOWS = (
    "Looks the model up in a list of training sets that its makers name, and the collection in a list of what it was made from. "
    "Speaks of sources, not of single texts: the very test queries may or may not have been there. A model or collection that is "
    "not listed says nothing, and language models have read more than any card lists."
)


def contamination(case: Case) -> list[Finding]:
    """Compare the training sets of named models with the origin of the collection."""
    return [_check(case, split) for split in case.tests]


def _check(case: Case, split: str) -> Finding:
    origin = Origin(tuple(case.derived_from)) if case.derived_from else origin_of(case.collection.name)
    if not case.known:
        says = "no pretrained model or training set is named: name those that a claim rests on"
        return Finding(NAME, split, "not run", says, {"origin": _shown(origin)}, SHOWS)
    if origin is None:
        says = f"the origin of {case.collection.name} is not known: say what it was derived from"
        return Finding(NAME, split, "not run", says, {}, SHOWS)
    verdict: Verdict = "ok"
    sentences, figures = [], {}
    for name in case.known:
        trained_on = MODELS[name].trained_on if name in MODELS else (name,)
        surely = sorted(set(trained_on) & set(origin.made_from))
        perhaps = sorted(set(trained_on) & set(origin.may_be_in))
        figures[name] = {
            "a source of the collection": surely,
            "may hold the collection": perhaps,
            "said in": MODELS[name].source if name in MODELS else "given",
        }
        if surely:
            verdict = "problem"
            sentences.append(
                f"{name} was trained on {' and '.join(surely)}, a source of this collection: zero-shot is not zero-shot"
            )
        elif perhaps:
            verdict = "warning" if verdict == "ok" else verdict
            sentences.append(f"{name} was trained on {' and '.join(perhaps)}, which may hold texts of this collection")
        else:
            sentences.append(f"no source of this collection is named for {name}")
    return Finding(NAME, split, verdict, "; ".join(sentences), {"origin": _shown(origin), **figures}, SHOWS)


def _shown(origin: Origin | None) -> dict[str, list[str]]:
    return {} if origin is None else {"made from": list(origin.made_from), "may be in": list(origin.may_be_in)}
