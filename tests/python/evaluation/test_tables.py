"""Tables: what is written reads back, and no name breaks out of its cell."""

import csv
import io
import re
import shutil
import subprocess

import pytest

import twotower as tt
from twotower.evaluation.compare_tables import CSV_HEADER
from twotower.evaluation.tables import Table, escape_latex, to_csv, to_latex, to_markdown

HOSTILE = [
    r"a\b{c}$d&e#f^g_h%i~j<k>l|m", "[0.5em]", "* starred", '"quoted"', "= 1+1", "@SUM(A1)", "line\nbreak", "tab\there",
    "a,b;c", "`code`", "[x](javascript:0)", "<b>", "--", "-1", "é ± ü",
]  # fmt: skip
QRELS = {f"q{i}": {"good": 1} for i in range(12)}


def run_with(first_place):
    return {f"q{i}": {"good": 2.0 if i in first_place else 0.0, "bad": 1.0} for i in range(12)}


@pytest.fixture(scope="module")
def comparison():
    runs = {name: run_with(range(at % 12)) for at, name in enumerate(HOSTILE)}
    return tt.compare({**runs, "seeds": [run_with(range(4)), None], "dead": None}, QRELS, ["RR", "P(rel=1)@1"])


def unescaped_latex(text):
    """What TeX would set: undo the escapes, longest first, and fail on anything else that has a meaning."""
    words = {
        r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
        r"\textgreater{}": ">", r"\textbar{}": "|", "{''}": '"', r"$\pm$": "±", "$-$": "-",
    }  # fmt: skip
    pattern = re.compile("|".join(map(re.escape, words)) + r"|\\([{}$&#_%])|\{([\[\]*])\}|([\\{}$&#^_%~])")

    def undo(found):
        assert found[3] is None, f"{found[3]!r} is not escaped in {text!r}"
        return words.get(found[0]) or found[1] or found[2]

    return pattern.sub(undo, text)


@pytest.mark.parametrize("name", HOSTILE)
def test_an_escaped_latex_text_is_set_as_it_was(name):
    assert unescaped_latex(escape_latex(name)) == re.sub(r"\s+", " ", name)


def test_every_latex_row_has_the_cells_of_its_header(comparison):
    text = comparison.to_latex()
    bodies = re.findall(r"\\begin\{tabular\}\{([lr]+)\}\n(.*?)\n\\end\{tabular\}", text, re.DOTALL)
    assert len(bodies) == 3
    for columns, body in bodies:
        rows = [line for line in body.split("\n") if line != r"\hline"]
        assert all(line.endswith(r" \\") for line in rows)
        assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {len(columns) - 1}
        assert not any(line.startswith(("[", "*")) for line in rows)
    assert text.count("{") == text.count("}")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX is installed")
def test_latex_compiles(comparison, tmp_path):
    document = "\\documentclass{article}\\begin{document}\\tiny " + comparison.to_latex() + "\\end{document}"
    (tmp_path / "t.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_every_markdown_row_has_the_cells_of_its_header(comparison):
    for block in comparison.to_markdown().split("\n\n"):
        lines = [line for line in block.split("\n") if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) <= 1
    text = to_markdown([Table(["run"], [["<b>`x` [y](z) *a* \\| c"]])])
    assert text.splitlines()[-1] == r"| \<b>\`x\` \[y](z) \*a\* \\\| c |"


def test_csv_reads_back_in_full_precision(comparison):
    rows = list(csv.DictReader(io.StringIO(comparison.to_csv())))
    assert tuple(rows[0]) == CSV_HEADER
    found = {(row["name"].removeprefix("'"), row["measure"]): row for row in rows}
    for d in comparison.differences:
        row = found[d.name, d.measure]
        for key in ("difference", "low", "high", "p", "p_t", "p_holm", "p_t_holm", "detectable"):
            assert float(row[key]) == getattr(d, key)
        assert [int(row[key]) for key in ("wins", "ties", "losses", "n_queries")] == [d.wins, d.ties, d.losses, 12]
        assert float(row["mean"]) == comparison.means[d.name][d.measure]
    assert found["dead", "RR"]["mean"] == found["dead", "RR"]["difference"] == ""
    assert found["seeds", "RR"]["n_failed"] == "1"


def test_no_text_of_a_csv_is_a_formula(comparison):
    for row in csv.reader(io.StringIO(comparison.to_csv())):
        assert not row[0].lstrip(" ").startswith(tuple("=+-@\t\r\n"))
    assert to_csv(["a"], [[" =1"], ["\t1"], [-1.5], ["x=1"], [None]]) == "a\n' =1\n'\t1\n-1.5\nx=1\n\"\"\n"


def test_figures_stand_flush_right_and_empty_tables_are_tables():
    assert r"{lr}" in to_latex([Table(["run", "AP"], [["a", "0.5"], ["b", ""]])])
    assert to_markdown([Table(["run"], [])]) == "| run |\n|---|"
