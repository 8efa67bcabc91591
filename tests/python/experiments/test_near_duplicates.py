"""Near-duplicates found through the index are those that comparing all pairs finds, and thresholds mean what they say."""

import numpy as np
import pytest

import planted
import twotower as tt
from real_data import require
from twotower.experiments import near_duplicates
from twotower.experiments.near_duplicates import similar_documents, similar_queries


def every_pair(monkeypatch, function, seen, asked):
    """Return what `function` finds when the index may not leave a text out."""
    monkeypatch.setattr(near_duplicates, "CANDIDATES", len(seen))
    return function(seen, asked)


def halves(source):
    collection = tt.load_collection(source)
    documents = [document.full_text for document in collection.corpus.values()]
    return list(collection.queries.values()), documents


@pytest.mark.data
@pytest.mark.parametrize("name", ["scifact", "cranfield", "msmarco-passage-32k"])
def test_candidates_lose_nothing_on_real_texts(name, monkeypatch):
    queries, documents = halves(require(name))
    for function, texts in ((similar_queries, queries[:1200]), (similar_documents, documents[:900])):
        seen, asked = texts[::2], texts[1::2]
        quick = function(seen, asked)
        assert quick == every_pair(monkeypatch, function, seen, asked)
        monkeypatch.undo()


def test_candidates_lose_nothing_on_planted_texts(monkeypatch):
    collection = planted.clean(seed=3)
    texts = [document.text for document in collection.corpus.values()]
    rng = np.random.default_rng(0)
    edited = [
        " ".join(np.where(rng.random(40) < rate, "x", t.split()))
        for rate, t in zip(np.linspace(0, 0.3, 400), texts, strict=True)
    ]
    quick = similar_documents(texts, edited)
    assert quick == every_pair(monkeypatch, similar_documents, texts, edited)
    assert {match.asked for match in quick} >= set(range(20))
    assert all(match.asked == match.seen for match in quick)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("What is a Socket?", "what is a socket", "equal"),
        ("socket what is a", "what is a socket", "word order"),
        ("open a socket on a given port", "opening sockets on the given port", "near-duplicate"),
        ("", "", None),
        ("who is it", "who is it", "equal"),
        ("mean of a list", "mean of a tree", None),
        ("rank of matrix", "unrank of matrix", None),
    ],
)
def test_kinds_of_likeness_of_queries(one, other, kind):
    filler = ["parse a date", "sort an array of numbers", "the mean of many", "list files", "unrank"]
    found = similar_queries([*filler, other], [one])
    assert [match.kind for match in found] == ([] if kind is None else [kind])


@pytest.mark.parametrize(
    ("n", "dropped", "replaced"),
    [(3, False, False), (4, True, False), (5, True, False), (6, True, True), (9, True, True)],
)
def test_the_threshold_in_words(n, dropped, replaced):
    words = [f"word{chr(97 + i) * 4}" for i in range(n)]
    other = [f"other{i}" for i in range(4)]
    assert bool(similar_queries([" ".join(words), *other], [" ".join(words[1:])])) == dropped
    assert bool(similar_queries([" ".join(words), *other], [" ".join(["zebra", *words[1:]])])) == replaced


def test_frames_that_many_queries_share_make_no_pair():
    seen = [f"what county is place{i} in the state of ohio" for i in range(50)]
    assert similar_queries(seen, ["what county is springfield in the state of ohio"]) == []
    assert similar_queries(seen, ["what county is place7 in, state of ohio?"])[0].seen == 7


def test_kinds_of_likeness_of_documents():
    text = " ".join(f"word{i}" for i in range(40))
    assert similar_documents([text], [text.upper()])[0].kind == "equal"
    assert similar_documents([text], [text.replace("word7 ", "x ")])[0].kind == "near-duplicate"
    assert similar_documents([f"{text} {' '.join(f'tail{i}' for i in range(90))}"], [text])[0].kind == "contained"
    assert similar_documents(["a b c"], ["A, b; c!"])[0].kind == "equal"
    assert similar_documents(["a b c"], ["a b d"]) == []
    assert similar_documents([" ".join(text.split()[::-1])], [text]) == []
    assert similar_documents([""], [""]) == similar_documents([], ["a"]) == similar_documents(["a"], []) == []


def test_one_word_of_nineteen_may_differ():
    for n, found in ((18, False), (19, True)):
        words = [f"word{i}" for i in range(n)]
        assert bool(similar_documents([" ".join(words)], [" ".join([*words[:8], "x", *words[9:]])])) == found
