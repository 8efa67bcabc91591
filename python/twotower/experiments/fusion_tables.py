"""A fusion experiment as Markdown. Knows no statistics: it prints what the result holds."""

from collections.abc import Iterator

from twotower.experiments.fusion_result import FusionResult, Gain, baseline_name


def to_markdown(result: FusionResult) -> str:
    """Return the tables of the tuning, the means, the gains with verdicts, the pooled gains and the cost."""
    parts = [_tuning(result), _sensitivity(result), _means(result), _claims(result), _other(result), _cost(result)]
    return "\n\n".join("\n".join(lines) for lines in parts)


def kind_name(kind: tuple[str, str | None]) -> str:
    """Return what tables call a fusion with its normalisation."""
    return " ".join(filter(None, kind))


def _tuning(result: FusionResult) -> Iterator[str]:
    collections = list(result.kinds[result.kind].own)
    columns = [f"{name} | weights" for name in collections]
    yield f"| {result.measure} on the tuning splits | {' | '.join(columns)} | mean | weights of all |"
    yield "|---|" + "---|" * (2 * len(collections) + 2)
    for kind, tuned in result.kinds.items():
        cells = [f"{tuned.own[name].best:.4f} | {_weights(tuned.own[name].weights)}" for name in collections]
        name = f"**{kind_name(kind)}**" if kind == result.kind else kind_name(kind)
        yield f"| {name} | {' | '.join(cells)} | {tuned.mean:.4f} | {_weights(tuned.pooled.weights)} |"
    yield ""
    order = " and ".join(result.parents)
    yield f"Weights are those of {order}. Chosen: {kind_name(result.kind)}, by its mean. No test split was looked at."


def _sensitivity(result: FusionResult) -> Iterator[str]:
    tuned = result.kinds[result.kind]
    yield "Sensitivity of the chosen kind, on the tuning splits:"
    for tuning in [*tuned.own.values(), *([tuned.pooled] if len(tuned.own) > 1 else [])]:
        yield ""
        yield tuning.to_markdown()


def _means(result: FusionResult) -> Iterator[str]:
    names = " | ".join(f"{test.name} ({test.n_queries})" for test in result.tests)
    yield f"| {result.measure} (queries) | {names} | mean |"
    yield "|---|" + "---|" * (len(result.tests) + 1)
    for row in result.tests[0].rows:
        means = [float(test.rows[row].mean()) for test in result.tests]
        figures = " | ".join(f"{mean:.4f}" for mean in [*means, sum(means) / len(means)])
        yield f"| {row} | {figures} |"
    weights = " | ".join(_weights(test.tuning.weights) for test in result.tests)
    yield f"| weights of hybrid | {weights} | |"


def _claims(result: FusionResult) -> Iterator[str]:
    yield f"| hybrid - better parent | better parent | mean | 95 % interval | p | p (Holm) | above -{result.margin:g} |"
    yield "|---|---|---|---|---|---|---|"
    for gain in result.gains_of(result.questions[0]):
        verdict = "yes" if result.not_inferior(gain) else "no"
        yield f"| {gain.where} | {gain.baseline} | {_figures(gain)} | {gain.p:.4f} | {gain.p_holm:.4f} | {verdict} |"
    overall = result.pooled[0]
    yield f"| {overall.where} | {overall.baseline} | {_figures(overall)} | | | {'above 0' if result.gained else 'not above 0'} |"
    for gain in result.pooled[len(result.questions) :]:
        yield f"| {gain.where} | {gain.baseline} | {_figures(gain)} | | | |"


def _other(result: FusionResult) -> Iterator[str]:
    yield "| difference | " + " | ".join(test.name for test in result.tests) + " | mean of all | 95 % interval |"
    yield "|---|" + "---|" * (len(result.tests) + 2)
    for question, overall in list(zip(result.questions, result.pooled, strict=False))[1:]:
        cells = " | ".join(f"{gain.mean:+.4f} ({gain.p:.3f})" for gain in result.gains_of(question))
        yield f"| {question.row} - {baseline_name(question)} | {cells} | {_figures(overall)} |"
    yield ""
    yield "In brackets: p of the test set, uncorrected."


def _cost(result: FusionResult) -> Iterator[str]:
    yield "| cost of hybrid | queries | encoded | searches | scored | candidates a query | ms a query | of these fusing |"
    yield "|---|---|---|---|---|---|---|---|"
    for test in result.tests:
        cost, n = test.cost, max(test.cost.n_queries, 1)
        parts = cost.parts.values()
        counts = [sum(p.encoded for p in parts), sum(p.searches for p in parts), sum(p.scored for p in parts)]
        figures = " | ".join(str(count) for count in (cost.n_queries, *counts))
        share = cost.fuse_seconds / cost.seconds if cost.seconds else 0.0
        yield f"| {test.name} | {figures} | {cost.candidates / n:.0f} | {1000 * cost.seconds / n:.2f} | {share:.0%} |"


def _weights(weights: tuple[float, ...]) -> str:
    return ", ".join(f"{weight:g}" for weight in weights)


def _figures(gain: Gain) -> str:
    return f"{gain.mean:+.4f} | {gain.low:+.4f} to {gain.high:+.4f}"
