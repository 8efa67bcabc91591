"""Titles as queries: splits without a common document, the same for the same seed."""

import pytest

from twotower.data.titles import title_collection
from twotower.errors import InvalidInputError
from twotower.types import Collection, Document


def titled(n=100):
    return Collection("c", {f"d{i}": Document(f"text {i}", f"Title {i}") for i in range(n)}, {"q": "left behind"})


def test_splits_are_disjoint_whole_and_of_the_asked_size():
    made = title_collection(titled(), test=0.2, valid=0.1)
    splits = {name: set(qrels) for name, qrels in made.qrels.items()}
    assert {name: len(ids) for name, ids in splits.items()} == {"train": 70, "valid": 10, "test": 20}
    assert sum(map(len, splits.values())) == len(set.union(*splits.values())) == 100
    assert all(judged == {query_id: 1} for qrels in made.qrels.values() for query_id, judged in qrels.items())


def test_documents_lose_their_titles():
    made = title_collection(titled())
    assert made.corpus["d7"] == Document("text 7")
    assert made.queries["d7"] == "Title 7"
    assert "q" not in made.queries


def test_the_seed_decides():
    first, same, other = (title_collection(titled(), seed=seed).fingerprint() for seed in (1, 1, 2))
    assert first == same != other


def test_equal_and_empty_titles_and_texts_are_left_out():
    source = titled()
    source.corpus |= {
        "same title": Document("of its own", "  TITLE 3"),
        "same text": Document("Text  4", "of its own"),
        "no title": Document("another text"),
        "no text": Document(" ", "another title"),
    }
    assert title_collection(source).corpus.keys() == titled().corpus.keys()


@pytest.mark.parametrize("shares", [{"test": 0}, {"valid": -0.1}, {"test": 0.6, "valid": 0.4}, {"test": float("nan")}])
def test_wrong_shares_are_refused(shares):
    with pytest.raises(InvalidInputError, match="sum below 1"):
        title_collection(titled(), **shares)


def test_too_few_titles_are_refused():
    with pytest.raises(InvalidInputError, match="2 documents"):
        title_collection(titled(2))
