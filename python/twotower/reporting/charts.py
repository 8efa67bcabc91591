"""Which drawings the page has, and how each is drawn from `Figures`. Knows matplotlib's axes, and no HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twotower.reporting.differences import Differences
from twotower.reporting.figures import Figures
from twotower.reporting.learning import LearningCurve
from twotower.reporting.scores import CLASSES, ScoreHistogram
from twotower.reporting.svg import DASHES, INK, N_SERIES, SERIES, drawing


@dataclass(frozen=True)
class Key:
    """One entry of a legend: the name, the number of its colour, and of its dashes (None: a filled area)."""

    name: str
    colour: int
    dash: int | None


@dataclass(frozen=True)
class Chart:
    """A drawing with its legend."""

    svg: str
    keys: list[Key]


_CLASS_COLOURS = 2, 1, 7  # of CLASSES; page.css marks relevant and not relevant documents with the first two
Line = tuple[Sequence[float], Sequence[float]]


def precision_recall(figures: Figures) -> Chart:
    """Draw interpolated precision against recall."""
    recall = [level / 10 for level in range(11)]

    def draw(axes: Any) -> None:
        _lines(axes, [(recall, run.precision) for run in figures.runs], marker="o")
        axes.set(xlabel="recall", ylabel="interpolated precision", xlim=(-0.02, 1.02), ylim=(0, 1.02))

    text = "; ".join(f"{run.name}: from {run.precision[0]:.2f} to {run.precision[-1]:.2f}" for run in figures.runs)
    return Chart(drawing(draw, "precision", "Precision by recall", text), _keys([run.name for run in figures.runs]))


def recall_depth(figures: Figures) -> Chart:
    """Draw recall by depth of the list, the depth on a logarithmic scale."""

    def draw(axes: Any) -> None:
        _lines(axes, [(figures.depths, run.recall) for run in figures.runs])
        axes.set(xlabel="depth", ylabel="recall", ylim=(0, 1.02))
        _plain_log_axis(axes, figures.depths[-1])

    deepest = figures.depths[-1]
    text = "; ".join(f"{run.name}: {run.recall[-1]:.2f} at depth {deepest}" for run in figures.runs)
    return Chart(drawing(draw, "recall", "Recall by depth", text), _keys([run.name for run in figures.runs]))


def difference_bars(found: Differences, number: int, measure: str, highest: float) -> Chart:
    """Draw the sorted differences of one run to the baseline, gains and losses in different colours, up to +-`highest`."""

    def draw(axes: Any) -> None:
        edges = range(len(found.bars) + 1)
        axes.stairs([max(0.0, bar) for bar in found.bars], edges, fill=True, color=SERIES[0], lw=0)
        axes.stairs([min(0.0, bar) for bar in found.bars], edges, fill=True, color=SERIES[1], lw=0)
        axes.axhline(0, color=INK, lw=0.8)
        axes.set(xlabel="queries, by difference", ylabel=f"difference in {measure}", xticks=[])
        axes.set_ylim(-1.05 * highest, 1.05 * highest)
        axes.grid(axis="x", visible=False)

    text = f"{found.better} queries better, {found.worse} worse, {found.equal} equal"
    keys = [Key(f"better: {found.better}", 0, None), Key(f"worse: {found.worse}", 1, None)]
    return Chart(drawing(draw, f"difference-{number}", "Differences by query", text), keys)


def score_classes(scores: ScoreHistogram, number: int) -> Chart:
    """Draw the share of each class's documents in each bin of scores, in the colours that mark the documents below."""
    totals = {name: sum(counts) for name, counts in scores.counts.items()}
    styles = dict(zip(CLASSES, _CLASS_COLOURS, strict=True))

    def draw(axes: Any) -> None:
        for dash, (name, colour) in enumerate(styles.items()):
            if totals[name]:
                shares = [count / totals[name] for count in scores.counts[name]]
                axes.stairs(shares, scores.edges, color=SERIES[colour], lw=1.6, ls=DASHES[dash])
                axes.stairs(shares, scores.edges, fill=True, color=SERIES[colour], alpha=0.12, lw=0)
        axes.set(xlabel="score", ylabel="share of the class", ylim=(0, None))
        axes.locator_params(axis="x", nbins=6)

    text = "; ".join(f"{n}: {totals[n]} documents, median {m:.4g}" for n, m in scores.medians.items() if m is not None)
    keys = [Key(f"{name}: {totals[name]:,}", colour, dash) for dash, (name, colour) in enumerate(styles.items())]
    return Chart(drawing(draw, f"scores-{number}", "Scores by class", text), keys)


def loss_curves(learning: dict[str, LearningCurve]) -> Chart:
    """Draw losses by step."""

    def draw(axes: Any) -> None:
        _lines(axes, [(curve.steps, curve.losses) for curve in learning.values()])
        axes.set(xlabel="step", ylabel="loss")

    text = "; ".join(f"{name}: from {c.losses[0]:.3g} to {c.losses[-1]:.3g}" for name, c in learning.items())
    return Chart(drawing(draw, "loss", "Loss by step", text), _keys(list(learning)))


def valid_curves(learning: dict[str, LearningCurve]) -> Chart:
    """Draw RR@10 on the valid split by step; only of the trainings that have it."""

    def draw(axes: Any) -> None:
        _lines(axes, [(curve.valid_steps, curve.valid) for curve in learning.values()], marker="o")
        axes.set(xlabel="step", ylabel="RR@10 on valid")
        axes.set_ylim(0, 1.08 * max(value for curve in learning.values() for value in curve.valid) or 1.0)

    text = "; ".join(f"{n}: best {max(c.valid):.4f} in epoch {c.best_epoch}" for n, c in learning.items() if c.valid)
    keys = [key for key, curve in zip(_keys(list(learning)), learning.values(), strict=True) if curve.valid]
    return Chart(drawing(draw, "valid", "RR@10 on the valid split", text), keys)


def _lines(axes: Any, lines: Sequence[Line], marker: str = "") -> None:
    for number, (x, y) in enumerate(lines):
        alone = marker or ("o" if len(x) == 1 else "")  # a line of one point would not be seen
        colour, dash = SERIES[number % N_SERIES], DASHES[number % len(DASHES)]
        axes.plot(x, y, color=colour, ls=dash, lw=1.8, marker=alone, ms=3.5)


def _keys(names: Sequence[str]) -> list[Key]:
    return [Key(name, number % N_SERIES, number % len(DASHES)) for number, name in enumerate(names)]


def _plain_log_axis(axes: Any, deepest: int) -> None:
    """Make depths logarithmic, with ticks such as 1, 10, 100."""
    axes.set_xscale("log")
    ticks = [10**power for power in range(9) if 10**power <= deepest]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
