"""One drawing by matplotlib as a piece of SVG that can stand inside an HTML page. Knows no data.

Colours are names (`ink`, `s0`, ...) that the page's style sheet gives, one palette for light and one for dark; text stays text.
Nothing that a user wrote is drawn: matplotlib would read dollar signs as formulas, so names stand in the HTML beside it.
"""

import re
from collections.abc import Callable
from html import escape
from io import StringIO
from typing import Any

from twotower.errors import MissingExtraError

N_SERIES = 8
INK, GRID = "#000000", "#000001"
SERIES = [f"#0000{0x10 + number:02x}" for number in range(N_SERIES)]
DASHES: list[Any] = ["-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5))]
_VARIABLES = {INK: "--ink", GRID: "--line"} | {colour: f"--s{number}" for number, colour in enumerate(SERIES)}
_SIZE = 4.8, 3.1  # inches; 72 user units each, so that text keeps its size on a phone's screen
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "twotower",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": GRID,
    "axes.xmargin": 0.02,
}


def need_extra() -> None:
    """Check that what draws the page is installed.

    Raises
    ------
    MissingExtraError
        If it is not.
    """
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f'a report needs jinja2 and matplotlib ({error}): pip install "twotower[report]"'
        ) from error


def drawing(draw: Callable[[Any], None], name: str, title: str, description: str) -> str:
    """Return what `draw` draws on a pair of axes as an inline <svg>.

    Parameters
    ----------
    draw : callable
        Takes matplotlib axes.
    name : str
        Starts every id inside, so that several drawings can stand on one page.
    title, description : str
        Read out in place of the drawing.

    Returns
    -------
    str
        The same bytes for the same drawing.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # what this machine's settings say must not change the page
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=_SIZE, layout="constrained")
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        draw(axes)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    return _inline(out.getvalue(), name, title, description)


def _inline(svg: str, name: str, title: str, description: str) -> str:
    """Drop what belongs to a file of its own, and make ids and colours those of the page."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>\s*", "", body, flags=re.DOTALL)  # it would hold for the whole page
    body = body.replace("xlink:href=", "href=")
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r"(href=\"|url\()#", rf"\g<1>#{name}-", body)
    body = re.sub(r"font: [^;\"]*;", "", body)  # the style sheet's own
    for colour, variable in _VARIABLES.items():
        body = re.sub(rf"{colour}\b", f"var({variable})", body)
    box = re.search(r'viewBox="([^"]+)"', body)
    start = body.index(">") + 1
    assert box is not None, "matplotlib writes a viewBox"
    label = f"{name}-title {name}-desc"
    return (
        f'<svg viewBox="{box[1]}" role="img" aria-labelledby="{label}">\n<title id="{name}-title">{escape(title)}</title>\n'
        f'<desc id="{name}-desc">{escape(description)}</desc>{body[start:]}'
    )
