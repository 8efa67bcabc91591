"""The collection "python-docs": learn to find a function of this interpreter's packages from what it does.

Knows Python sources and their docstrings, read with `ast`: nothing is imported, nothing is run, no network is needed.
Knows no tokens, no index and no tensor.

What a pair is
    Query: the first sentence of the docstring of a public function, method or class. Document: its dotted name as the
    title, the rest of the docstring as the text. The first sentence never stands in its own document.

What is noise
    The queries are statements ("Return the ..."), not questions. Only the documents that carry the very sentence are
    judged: other functions that answer it count as not relevant, and a generic sentence ("Perform a single step") has
    many relevant documents of which none is better. A document may mention another one's sentence. Docstrings attached
    at run time (C functions, NumPy's ufuncs, most of ``torch.*``) are not in the sources and so not here. The corpus
    changes with the installed versions: print `Collection.fingerprint` beside every result.
"""

import ast
import hashlib
import inspect
import os
import re
import sysconfig
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from twotower.data.normalise import normalise, text_id
from twotower.errors import FileError
from twotower.types import Collection, Document, Qrels

PACKAGES = (
    "click",
    "datasets",
    "dateutil",
    "dill",
    "filelock",
    "fsspec",
    "huggingface_hub",
    "jinja2",
    "mpmath",
    "networkx",
    "numpy",
    "packaging",
    "pandas",
    "pyarrow",
    "sympy",
    "torch",
    "tqdm",
)
"""What is read besides the standard library: only what a plain install of twotower always brings."""

SKIPPED_FOLDERS = frozenset(
    (
        "__pycache__",
        "_internal",
        "_vendor",
        "benchmarks",
        "dist-packages",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "site-packages",
        "test",
        "tests",
        "turtledemo",
    )
)
"""Tests, vendored copies, applications, and the folders of other packages inside the standard library's."""

MIN_QUERY_WORDS, MAX_QUERY_WORDS, MIN_REST_WORDS = 3, 40, 5

SPLITS = (("train", 80), ("valid", 90), ("test", 100))
"""Upper bound of each split's percentiles."""

_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?![a-z0-9(])")
_SECTION = re.compile(
    r"(args|arguments|attributes|examples?|notes?|parameters|params|raises|returns?|yields)\s*(:|[-=~]{3})", re.I
)
_WORD = re.compile(r"\w+")


class Pair(NamedTuple):
    """One documented object."""

    name: str
    sentence: str
    rest: str


def load_python_docs() -> Collection:
    """Build the collection from the sources installed beside this interpreter, in about 15 s on one core.

    Returns
    -------
    Collection
        ``doc_id`` and title are the dotted name of where the object is defined. Equal sentences (after `query_key`) are
        one query with several relevant documents. A query belongs to one split, by a SHA-256 of its normalised text;
        queries whose relevant documents have equal texts go together, so that no relevant text of one split is relevant
        in another.

    Raises
    ------
    FileError
        If no sources are found (an interpreter shipped without them).
    """
    pairs: dict[str, Pair] = {}
    for pair in read_pairs():
        pairs.setdefault(pair.name, pair)  # a property's setter, or the other branch of an `if`: the first one stands
    if not pairs:
        raise FileError(
            f"no documented Python sources under {_standard_library()}: use an interpreter shipped with sources"
        )
    return _collect(list(pairs.values()))


def read_pairs() -> Iterator[Pair]:
    """Yield the pairs of the standard library, then of each package, files in sorted order."""
    for prefix, folder in _roots():
        for path in _sources(folder):
            yield from pairs_of_source(path.read_bytes(), _module_name(prefix, path.relative_to(folder)))


def pairs_of_source(source: bytes, module: str) -> Iterator[Pair]:
    """Yield the pairs of one source file; none for a file that does not parse (templates, Python 2)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes and the like in others' code
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for name, docstring in _documented(tree, module):
        sentence, rest = split_docstring(docstring)
        if _is_useful(sentence, rest):
            yield Pair(name, sentence, rest)


def split_docstring(docstring: str) -> tuple[str, str]:
    """Return the first sentence on one line, and the rest.

    The first sentence is the first paragraph, or its part up to a full stop, question or exclamation mark before white
    space; but not where a lower-case letter, a digit or "(" comes next ("vs.", "Fig. 2"), nor after "e.g." and "i.e.".

    Examples
    --------
    >>> split_docstring("Add x, e.g. two, to y. Then stop.")
    ('Add x, e.g. two, to y.', 'Then stop.')
    """
    paragraph, _, others = inspect.cleandoc(docstring).partition("\n\n")
    sentence, *more = _SENTENCE_END.split(" ".join(paragraph.split()), maxsplit=1)
    return sentence, "\n\n".join(part for part in (*more, others.strip("\n")) if part)


def query_key(sentence: str) -> str:
    """Return what two sentences share that are one query: the normalised text without full stops at its end."""
    return normalise(sentence).rstrip(". ")


def _is_useful(sentence: str, rest: str) -> bool:
    n_words = len(_WORD.findall(sentence))
    if not MIN_QUERY_WORDS <= n_words <= MAX_QUERY_WORDS or len(_WORD.findall(rest)) < MIN_REST_WORDS:
        return False
    if sentence.startswith((">>>", ":", "..", "@")) or _SECTION.match(sentence):
        return False
    return query_key(sentence) not in normalise(rest) and _is_utf8(sentence + rest)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate written as an escape
        return False
    return True


def _documented(node: ast.AST, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield (dotted name, docstring) of public definitions, also inside classes, `if` and `try`, not in functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if child.name.startswith("_"):
                continue
            name = f"{prefix}.{child.name}"
            docstring = ast.get_docstring(child, clean=False)
            if docstring:
                yield name, docstring
            if isinstance(child, ast.ClassDef):
                yield from _documented(child, name)
        elif isinstance(child, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _documented(child, prefix)


def _standard_library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def _roots() -> Iterator[tuple[str, Path]]:
    """Yield (dotted prefix, folder); `find_spec` of a top-level name runs none of its code."""
    yield "", _standard_library()
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None and spec.submodule_search_locations:
            yield package, Path(spec.origin).parent


def _sources(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(files):
            source = Path(path, name)
            is_test = name.startswith(("test_", "conftest")) or name.endswith("_test.py")
            if name.endswith(".py") and not is_test and source.is_file():  # no link to nowhere
                yield source


def _module_name(prefix: str, relative: Path) -> str:
    parts = [prefix, *relative.with_suffix("").parts]
    return ".".join(part for part in parts if part not in ("", "__init__"))


def _collect(pairs: list[Pair]) -> Collection:
    corpus: dict[str, Document] = {}
    queries: dict[str, str] = {}
    relevant: dict[str, list[str]] = {}
    groups = _Groups()
    for pair in pairs:
        query = query_key(pair.sentence)
        query_id = text_id(query)
        corpus[pair.name] = Document(pair.rest, title=pair.name)
        queries.setdefault(query_id, pair.sentence)
        relevant.setdefault(query_id, []).append(pair.name)
        groups.join("query " + query, "text " + normalise(pair.rest))
    qrels: dict[str, Qrels] = {split: {} for split, _ in SPLITS}
    for query_id, doc_ids in relevant.items():
        split = _split_of(groups.root("query " + query_key(queries[query_id])))
        qrels[split][query_id] = dict.fromkeys(doc_ids, 1)
    return Collection("python-docs", corpus, queries, qrels)


def _split_of(key: str) -> str:
    percentile = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 100
    return next(split for split, bound in SPLITS if percentile < bound)


class _Groups:
    """Sets of keys joined two by two (union-find); the root of a set is its least key, whatever the order of joins."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, key: str) -> str:
        while (parent := self._parent.setdefault(key, key)) != key:
            self._parent[key] = self._parent[parent]
            key = parent
        return key

    def join(self, a: str, b: str) -> None:
        least, other = sorted((self.root(a), self.root(b)))
        self._parent[other] = least
