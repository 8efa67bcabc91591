"""A collection whose texts try to break the page, and two runs over it."""

import pytest

from twotower.types import Collection, Document

EVIL = "<script>document.title='taken'</script><img src=http://evil.example/x.png onerror=alert(1)>\"'&amp;{{ 7*7 }}"


@pytest.fixture
def collection():
    corpus = {
        "d1": Document("the wing of an aircraft in supersonic flow", "wings"),
        "d2": Document("flow over a wing, flow over a wing, and flow again", EVIL),
        "d3": Document("heat transfer in slender bodies " + EVIL),
        "d<4>": Document("boundary layers\x00\x1b and \u202e shock waves"),
        "d5": Document("aerofoil theory for those who say nothing of planes"),
        "d6": Document(""),
    }
    queries = {
        "q1": "wing flow",
        "q2": "aircraft aerofoil </title><b>" + EVIL,
        "q3": "boundary waves",
        "q4": "unheard words",
    }
    qrels = {
        "q1": {"d1": 2, "d2": 0},
        "q2": {"d5": 1, "d1": 1},
        "q3": {"d<4>": 1},
        "q4": {"d3": 0},
    }
    return Collection("small <b>&", corpus, queries, {"test": qrels})


@pytest.fixture
def runs():
    return {
        "first <i>$x$</i>": {"q1": {"d2": 3.0, "d1": 2.0}, "q2": {"d1": 1.0, "d3": 0.5}, "q3": {"d<4>": 1.5}},
        "second": {"q1": {"d1": 0.9, "d2": 0.8, "d3": 0.7}, "q2": {"d3": 0.6, "gone": 0.5}, "elsewhere": {"d1": 1.0}},
    }
