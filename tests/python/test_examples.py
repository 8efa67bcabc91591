"""Examples run: every doctest of the package, and the code of the README word by word on a small collection."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import twotower as tt

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(tt.__path__, "twotower.") if "__main__" not in module.name
)
README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for case in finder.find(module, name, extraglobs={"np": np, "tt": tt}):
        runner.run(case)
    assert runner.summarize(verbose=False).failed == 0


def test_there_are_doctests_to_run():
    finder = doctest.DocTestFinder(exclude_empty=True)
    assert sum(bool(case.examples) for name in MODULES for case in finder.find(importlib.import_module(name))) > 30


def test_the_code_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    words = ["csv", "json", "graph", "tensor", "date", "path", "array", "matrix", "socket", "thread", "file", "frame"]
    corpus = {
        f"d{i}": tt.Document(f"{a} {b} read write", f"{a}.{b}")
        for i, (a, b) in enumerate((a, b) for a in words for b in words)
    }
    queries = {f"q{i}": f"read a {document.text}" for i, document in enumerate(corpus.values())}
    pairs = {f"q{i}": {doc_id: 1} for i, doc_id in enumerate(corpus)}
    splits = {
        name: {q: d for i, (q, d) in enumerate(pairs.items()) if i % 3 == n}
        for n, name in enumerate(("train", "valid", "test"))
    }
    monkeypatch.setattr(tt, "load_collection", lambda source: tt.Collection(source, corpus, queries, splits))
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "hybrid - bm25" in out
    assert len([line for line in out.splitlines() if line.startswith("d")]) == 3
