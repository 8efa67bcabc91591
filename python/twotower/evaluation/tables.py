"""Tables as Markdown, LaTeX and CSV. Knows cells and their escaping, not what they mean.

Names come from users and files, so every format escapes what it would otherwise act on: Markdown its markup, LaTeX its
commands, CSV what a spreadsheet would run as a formula.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | None

_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")
_MARKDOWN = re.compile(r"([\\|<*`\[])")
_MINUS = re.compile(r"(?<![\w.-])-(?=\.?\d)")
_FORMULA = re.compile(r"\s*[=+\-@]|[\t\r\n]")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "±": r"$\pm$",
    # A row that begins with one of these would be read as an argument of the line break before it.
    **{mark: f"{{{mark}}}" for mark in "[]*"},
    **{mark: f"\\{mark}" for mark in "{}$&#_%"},
}


@dataclass(frozen=True)
class Table:
    """A header, rows of as many cells, all text, and sentences to stand below."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def to_markdown(tables: Sequence[Table]) -> str:
    r"""Return pipe tables, one below the other, each followed by its notes.

    Examples
    --------
    >>> print(to_markdown([Table(["run", "AP"], [["a|b", "0.5"]])]))
    | run | AP |
    |---|---|
    | a\|b | 0.5 |
    """
    blocks = []
    for table in tables:
        lines = [_markdown_row(table.header), "|---" * len(table.header) + "|"]
        blocks.append("\n".join([*lines, *map(_markdown_row, table.rows)]))
        blocks += table.notes
    return "\n\n".join(blocks)


def to_latex(tables: Sequence[Table]) -> str:
    r"""Return ``tabular`` environments that need no package; the notes stand below as text.

    Notes
    -----
    Every character with a meaning to TeX is escaped. Letters outside Latin-1 need an engine and a font that have them.

    Examples
    --------
    >>> print(to_latex([Table(["run", "AP"], [["bm25_k1", "-0.5"]])]))
    \begin{tabular}{lr}
    \hline
    run & AP \\
    \hline
    bm25\_k1 & $-$0.5 \\
    \hline
    \end{tabular}
    """
    blocks = []
    for table in tables:
        columns = "".join("r" if _is_figures(table, at) else "l" for at in range(len(table.header)))
        body = [_latex_row(table.header), r"\hline", *map(_latex_row, table.rows), r"\hline"]
        blocks.append("\n".join([rf"\begin{{tabular}}{{{columns}}}", r"\hline", *body, r"\end{tabular}"]))
        blocks += map(escape_latex, table.notes)
    return "\n\n".join(blocks)


def to_csv(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    r"""Return comma-separated values; numbers in full precision, None as an empty field.

    Notes
    -----
    A text that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end) gets an
    apostrophe in front; numbers stay as they are.

    Examples
    --------
    >>> to_csv(["run", "difference"], [["=1+1", -0.25]])
    "run,difference\n'=1+1,-0.25\n"
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in [header, *rows]:
        writer.writerow(["'" + cell if isinstance(cell, str) and _FORMULA.match(cell) else cell for cell in row])
    return text.getvalue()


def escape_latex(text: str) -> str:
    r"""Return a text that TeX sets as it is; a minus sign before a number becomes one.

    Examples
    --------
    >>> print(escape_latex("100 % of #1, C_5: -0.2"))
    100 \% of \#1, C\_5: $-$0.2
    """
    pieces = _MINUS.split(_SPACE.sub(" ", text))
    return "$-$".join("".join(_LATEX.get(mark, mark) for mark in piece) for piece in pieces)


def _markdown_row(cells: Sequence[str]) -> str:
    escaped = (_MARKDOWN.sub(r"\\\1", _SPACE.sub(" ", cell)) for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(escape_latex, cells)) + r" \\"


def _is_figures(table: Table, column: int) -> bool:
    """Tell whether a column holds figures, which stand flush right."""
    cells = [row[column] for row in table.rows if row[column]]
    return bool(cells) and all(re.match(r"[+-]?\d", cell) for cell in cells)
