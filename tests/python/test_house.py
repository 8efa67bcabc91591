"""The rules of ARCHITECTURE.md: who imports whom, what `import twotower` loads, that every public name is there."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import twotower as tt

PACKAGE = Path(tt.__file__).parent
LINES = [
    {"__main__"},
    {"cli"},
    {"engine", "experiments", "reporting"},
    {"pretraining"},
    {"training"},
    {"negatives", "search"},
    {"index", "towers", "losses", "evaluation"},
    {"text", "data"},
    {"registry", "types", "errors", "hardware", "storage"},
]
LEVEL = {room: level for level, line in enumerate(LINES) for room in line}
# Files allowed to import the extension module, and rooms allowed to import torch (besides function-local imports).
CORE_USERS = {
    "hardware.py",
    "storage.py",
    "text/native.py",
    "index/native.py",
    "evaluation/native.py",
    "pretraining/native.py",
}
TORCH_ROOMS = {"towers", "losses", "training"}


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE)


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Absolute names of what a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_lower_lines_only(path):
    room = room_of(path)
    assert room in LEVEL, f"room {room} has no line: add it to ARCHITECTURE.md and here"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "torch":
            assert room in TORCH_ROOMS | {"cli"}, f"{path} imports torch"
        if parts[0] != "twotower" or len(parts) < 2:
            continue
        if parts[1] == "_core":
            assert path.relative_to(PACKAGE).as_posix() in CORE_USERS, f"{path} imports _core"
            continue
        target = parts[1]
        if target in LEVEL and target != room:
            # The lowest line is made of single files, which may use each other.
            lowest = LEVEL[room] == LEVEL[target] == len(LINES) - 1
            assert LEVEL[target] > LEVEL[room] or lowest, f"{path} imports {name}: {target} is not below {room}"


def test_c_plus_plus_rooms_do_not_know_each_other():
    sources = Path(__file__).resolve().parents[2] / "cpp"
    if not sources.is_dir():
        pytest.skip("the C++ sources are not beside the tests")
    for path in sorted(sources.rglob("*.[ch]*")):
        text = path.read_text()
        includes = [line.split('"')[1] for line in text.splitlines() if line.startswith('#include "')]
        if "bindings" not in path.parts:
            assert "Python.h" not in text, f"{path} knows Python"
            assert "pybind11" not in text, f"{path} knows Python"
        for room, strangers in {
            "text": ("lexical", "dense", "evaluation"),
            "lexical": ("text", "dense", "evaluation"),
            "dense": ("text", "lexical", "evaluation"),
            "evaluation": ("text", "lexical", "dense", "kernels"),
            "word2vec": ("text", "lexical", "dense", "evaluation"),
            "kernels": ("text", "lexical", "dense", "io", "util", "evaluation", "word2vec"),
        }.items():
            if room in path.parts and "src" in path.parts:
                for stranger in strangers:
                    assert not any(name.startswith(f"{stranger}/") for name in includes), f"{path} includes {stranger}"


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_lock_is_taken_by_gil_h_alone():
    """pybind11's own guards abort the process where a daemon thread asks for the lock while Python ends."""
    folder = Path(__file__).resolve().parents[2] / "cpp" / "bindings"
    if not folder.is_dir():
        pytest.skip("the C++ sources are not beside the tests")
    paths = [path for path in folder.iterdir() if path.name != "gil.h"]
    assert len(paths) > 10
    assert [path.name for path in paths if "gil_scoped" in path.read_text() or "PyGILState" in path.read_text()] == []


def test_import_is_light():
    heavy = ("torch", "datasets", "pandas", "hnswlib", "numpy.testing")
    done = run_python(f"import sys, twotower; print([m for m in {heavy} if m in sys.modules])")
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_every_public_name_is_there():
    for name in tt.__all__:
        assert getattr(tt, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tt.no_such_name


def test_a_wrong_isa_raises_and_lists_the_right_ones():
    import os

    done = subprocess.run(
        [sys.executable, "-c", "import twotower as tt; tt.backend()"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TWOTOWER_ISA": "mmx"},
    )
    assert done.returncode != 0
    assert "BackendError" in done.stderr
    assert "mmx" in done.stderr
    assert "scalar" in done.stderr


def test_no_function_is_shadowed_by_a_module_of_its_name():
    done = run_python(
        "import pkgutil, importlib, types, twotower as tt\n"
        "for m in pkgutil.walk_packages(tt.__path__, 'twotower.'):\n"
        "    if '__main__' not in m.name: importlib.import_module(m.name)\n"
        "print([n for n in tt._EXPORTS if isinstance(getattr(tt, n), types.ModuleType)])"
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
