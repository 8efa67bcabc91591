"""The collection made from docstrings: what makes a pair, and the whole of it on this interpreter."""

import re
import subprocess
import sys
from itertools import combinations

import pytest

from twotower import load_collection
from twotower.data.normalise import normalise
from twotower.data.python_docs import pairs_of_source, query_key, split_docstring

SOURCE = b'''
"""A module."""
def add(x, y):
    """Add two numbers, e.g. one
    and another. Both may be negative.

    Parameters
    ----------
    x, y : int
    """
    def inner():
        """Return what an inner function returns.

        It is never seen from outside."""

class Stack:
    """A pile of things to take from the top.

    Last in, first out, never in the middle.
    """
    def pop(self):
        """Take the top element away."""
    def _grow(self):
        """Grow the storage by half of it.

        It is private and so nobody looks for it."""
    async def push(self, x):
        """Put an element on the top.

        Waits for room when there is none."""

if True:
    def found():
        """Tell whether it was found.

        Stands below a condition, and was seen."""
'''


def test_one_pair_for_each_public_documented_object_with_a_rest():
    pairs = list(pairs_of_source(SOURCE, "pile"))
    assert [(p.name, p.sentence) for p in pairs] == [
        ("pile.add", "Add two numbers, e.g. one and another."),
        ("pile.Stack", "A pile of things to take from the top."),
        ("pile.Stack.push", "Put an element on the top."),
        ("pile.found", "Tell whether it was found."),
    ]
    assert pairs[0].rest == "Both may be negative.\n\nParameters\n----------\nx, y : int"


@pytest.mark.parametrize(
    "docstring",
    [
        "Two words.\n\nToo short to be looked for by anyone.",
        "Return the sum of two numbers.\n\nA short rest.",
        "Return the sum of two.\n\nAs said: return  the SUM of two. And that is all of it.",
        "Parameters\n----------\nx : int\n\nThe number that is taken, of any size.",
        ">>> add(1, 2) is three\n\nAn example is not a sentence, so nothing here.",
        "Return the bad \ud800 character.\n\nA lone surrogate cannot be written to any file.",
    ],
)
def test_what_makes_no_pair(docstring):
    assert not list(pairs_of_source(f"def f():\n    {docstring!r}".encode(), "m"))


def test_sources_that_do_not_parse_or_warn_are_silent():
    assert not list(pairs_of_source(b"print 'Python 2'", "m"))
    assert not list(pairs_of_source(b"x = '\\d'\n\0", "m"))
    assert not list(pairs_of_source(b"x = '\\d'", "m"))


@pytest.mark.parametrize(
    ("docstring", "sentence", "rest"),
    [
        ("One line", "One line", ""),
        ("Stop! Then go. And so on.", "Stop!", "Then go. And so on."),
        ("Needs Python 3. 11 or so.", "Needs Python 3. 11 or so.", ""),
        ("  First\n  part\n\n\n  second\n", "First part", "second"),
    ],
)
def test_first_sentence(docstring, sentence, rest):
    assert split_docstring(docstring) == (sentence, rest)


def test_packages_are_found_without_importing_them():
    code = """
import sys
from twotower.data.python_docs import PACKAGES, _roots, _sources
found = {prefix: next(_sources(folder)) for prefix, folder in _roots()}
assert found.keys() == {"", *PACKAGES}, found.keys()
assert sys.modules.keys() & {"datasets", "networkx", "pandas", "pyarrow", "sympy", "torch"} == set()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.fixture(scope="module")
def collection():
    return load_collection("python-docs")


def test_the_size_that_learning_needs(collection):
    assert len(collection.corpus) > 15_000
    judged = {split: len(qrels) for split, qrels in collection.qrels.items()}
    assert sum(judged.values()) == len(collection.queries) > 14_000
    assert judged["train"] > 10_000
    assert min(judged["valid"], judged["test"]) > 1_000


def test_no_document_holds_its_own_query(collection):
    for split in collection.qrels:
        for query_id, doc_id in collection.pairs(split):
            document = collection.corpus[doc_id]
            assert document.title == doc_id
            assert query_key(collection.queries[query_id]) not in normalise(document.text)


def test_splits_share_neither_a_query_nor_a_relevant_text(collection):
    def seen(split):
        pairs = collection.pairs(split)
        return {query_key(collection.queries[q]) for q, _ in pairs} | {
            normalise(collection.corpus[d].text) for _, d in pairs
        }

    for one, other in combinations(collection.qrels, 2):
        assert seen(one).isdisjoint(seen(other))


def test_equal_sentences_are_one_query(collection):
    texts = [query_key(text) for text in collection.queries.values()]
    assert len(set(texts)) == len(texts)
    assert any(len(judged) > 1 for judged in collection.qrels["train"].values())
    assert all(re.fullmatch("[0-9a-f]{16}", query_id) for query_id in collection.queries)
