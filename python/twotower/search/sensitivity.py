"""How much a weight matters, as a line of text, a table, or a picture. Knows tunings, nothing of how they came about."""

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from twotower.errors import MissingExtraError

if TYPE_CHECKING:
    from twotower.search.tuning import Tuning

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float]) -> str:
    """Return one bar a value, from the least to the greatest.

    Examples
    --------
    >>> sparkline([0.1, 0.5, 0.9])
    '▁▅█'
    """
    least, width = min(values, default=0.0), max(values, default=0.0) - min(values, default=0.0)
    return "".join(_BARS[round((value - least) / width * (len(_BARS) - 1)) if width else 0] for value in values)


def to_markdown(tuning: "Tuning") -> str:
    """Return the weights, where they were found, and for each searcher the means at the tenths that were tried."""
    found = ", ".join(f"{weight:g} {name}" for weight, name in zip(tuning.weights, tuning.searchers, strict=True))
    kind = tuning.fusion if tuning.normalise is None else f"{tuning.fusion} {tuning.normalise}"
    where = "; ".join(f"{one.collection} {' + '.join(one.splits)}, {one.n_queries} queries" for one in tuning.seen)
    lines = [f"{kind}: {found}; {tuning.measure} {tuning.best:.4f} on {where}; {len(tuning.means)} weights tried", ""]
    lines += ["| weight of | " + " | ".join(f"{tenth / 10:g}" for tenth in range(11)) + " | |", "|---" * 13 + "|"]
    # Of two searchers the curve of the first is that of the second from right to left.
    for name in tuning.searchers[1:] if len(tuning.searchers) == 2 else tuning.searchers:
        profile = tuning.profile(name)
        means = [profile.get(tenth / 10) for tenth in range(11)]
        figures = " | ".join("" if mean is None else f"{mean:.4f}" for mean in means)
        lines.append(f"| {name} | {figures} | {sparkline([mean for mean in means if mean is not None])} |")
    return "\n".join(lines)


def to_svg(tuning: "Tuning") -> str:
    """Return a picture of the mean by the weight of each searcher."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(f'a plot needs matplotlib ({error}): pip install "twotower[report]"') from error
    # Text stays text and ids do not depend on chance or the date: one tuning, one file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "twotower"}):
        figure = Figure(figsize=(6, 3.6), layout="constrained")
        axes = figure.subplots()
        for name in tuning.searchers[1:] if len(tuning.searchers) == 2 else tuning.searchers:
            profile = tuning.profile(name)
            axes.plot(list(profile), list(profile.values()), marker=".", label=name)
            weight = tuning.weights[tuning.searchers.index(name)]
            axes.plot([weight], [tuning.best], marker="o", fillstyle="none", color="black")
        axes.set(xlabel="weight", ylabel=tuning.measure, xlim=(-0.02, 1.02))
        axes.set_title("; ".join(f"{one.collection} {' + '.join(one.splits)}" for one in tuning.seen), fontsize=9)
        axes.legend()
        svg = StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()
