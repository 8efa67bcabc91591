"""The page: `Figures` and their drawings in one HTML template.

Texts are untrusted: every one is escaped, and none becomes a link, a style or a script.
"""

import re
from pathlib import Path
from typing import Any

from twotower.reporting import charts
from twotower.reporting.curves import JUDGED_AT
from twotower.reporting.differences import MOST_BARS
from twotower.reporting.figures import Figures
from twotower.reporting.reasons import Reason

_FOLDER = Path(__file__).parent
# What no page may hold: control characters, and lone surrogates, which UTF-8 cannot express.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MOST = {"text": 600, "title": 200, "id": 80, "piece": 400}  # characters shown


def render(figures: Figures) -> str:
    """Return the page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip
    environment.filters |= {"short": _short, "share": _share}
    environment.globals |= {"safe_svg": Markup, "judged_at": JUDGED_AT}
    style = Markup((_FOLDER / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    page = environment.get_template("page.html.jinja").render(f=figures, charts=_charts(figures), style=style)
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", page)


def _charts(figures: Figures) -> dict[str, Any]:
    """Return all drawings by place on the page."""
    measure = figures.measures[0]
    learning = figures.learning
    # One scale for all runs, so that their bars can be compared.
    highest = max((abs(bar) for one in figures.differences for bar in one.bars), default=0.0) or 1.0
    return {
        "precision": charts.precision_recall(figures),
        "recall": charts.recall_depth(figures),
        "differences": [charts.difference_bars(d, n, measure, highest) for n, d in enumerate(figures.differences)],
        "scores": [
            None if run.scores is None else charts.score_classes(run.scores, n) for n, run in enumerate(figures.runs)
        ],
        "loss": charts.loss_curves(learning) if learning else None,
        "valid": charts.valid_curves(learning) if any(curve.valid for curve in learning.values()) else None,
        "most_bars": MOST_BARS,
    }


def _short(text: str, kind: str) -> str:
    """Cut a text that would burst the page."""
    most = _MOST[kind]
    return text if len(text) <= most else f"{text[:most].rstrip()} ..."


def _share(reason: Reason, part: float) -> float:
    """Return a part's share of the largest part in the table, from 0 to 1: how dark its cell is."""
    largest = max((abs(other) for row in reason.terms for other in row.parts), default=0.0)
    return round(max(0.0, part) / largest, 2) if largest else 0.0
