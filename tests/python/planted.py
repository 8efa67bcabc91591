"""Collections without a leak, and leaks to plant in them, each at a chosen number of test queries.

A clean collection: random words, each query some scattered words of its own document, no document wanted in two splits.
"""

from dataclasses import replace

import numpy as np

from twotower.types import Collection, Document

SYLLABLES = ["ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "zo"]


def clean(n_train=160, n_valid=20, n_test=100, n_other=120, seed=0, title=True):
    """Return a collection with the splits train, valid and test and nothing between them."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(SYLLABLES, 4)) for _ in range(4000)]
    corpus, queries, qrels = {}, {}, {"train": {}, "valid": {}, "test": {}}
    splits = ["train"] * n_train + ["valid"] * n_valid + ["test"] * n_test + [None] * n_other
    for number, split in enumerate(splits):
        text = rng.choice(words, 40)
        corpus[f"doc{number}"] = Document(" ".join(text), " ".join(rng.choice(words, 3)) if title else "")
        if split:
            queries[f"query{number}"] = " ".join(rng.permutation(text[::5]))
            qrels[split][f"query{number}"] = {f"doc{number}": 1}
    return Collection("clean", corpus, queries, qrels)


def edited(text, rng, how):
    """Return `text` with one edit."""
    words = text.split()
    at = int(rng.integers(len(words)))
    if how == "exact":
        return text
    if how == "case and punctuation":
        return f"“{text.upper().replace(' ', ', ', 1)}”?!"
    if how == "word order":
        return " ".join(words[::-1])
    if how == "one word dropped":
        return " ".join(words[:at] + words[at + 1 :])
    if how == "one word added":
        return " ".join([*words[:at], "quokka", *words[at:]])
    if how == "one word replaced":
        return " ".join([*words[:at], "quokka", *words[at + 1 :]])
    if how == "typing error":
        return " ".join([*words[:at], words[at][:4] + words[at][5:], *words[at + 1 :]])
    raise AssertionError(how)


QUERY_EDITS = (
    "exact", "case and punctuation", "word order", "one word dropped", "one word added", "one word replaced", "typing error",
)  # fmt: skip


def plant_queries(collection, how, n, seed=0):
    """Give the first `n` test queries, edited, to train queries with documents of their own; return it and the test queries."""
    rng = np.random.default_rng(seed)
    victims = list(collection.qrels["test"])[:n]
    sources = list(collection.qrels["train"])[:n]
    queries = dict(collection.queries)
    for victim, source in zip(victims, sources, strict=True):
        queries[source] = edited(queries[victim], rng, how)
    return replace(collection, queries=queries), set(victims)


def _copy(document, rng, how):
    words = document.text.split()
    if how == "copy":
        return document
    if how == "two words replaced":
        at = rng.choice(len(words), 2, replace=False)
        return replace(document, text=" ".join("quokka" if i in at else word for i, word in enumerate(words)))
    if how == "case and punctuation":
        return replace(document, text=document.text.upper().replace(" ", "; "))
    if how == "contained":
        return Document(f"some words of another page {document.full_text} " + " ".join(f"tail{i}" for i in range(60)))
    if how == "a part of it":
        return Document(" ".join(words[8:34]))
    raise AssertionError(how)


DOCUMENT_EDITS = ("copy", "two words replaced", "case and punctuation", "contained", "a part of it")


def plant_documents(collection, how, n, seed=0):
    """Make the first `n` train queries want a document like that of a test query ("shared": the same one)."""
    rng = np.random.default_rng(seed)
    victims, sources = list(collection.qrels["test"])[:n], list(collection.qrels["train"])[:n]
    corpus, train = dict(collection.corpus), dict(collection.qrels["train"])
    for victim, source in zip(victims, sources, strict=True):
        (wanted,) = collection.qrels["test"][victim]
        (own,) = train[source]
        if how == "shared":
            train[source] = {wanted: 1}
        else:
            corpus[own] = _copy(corpus[wanted], rng, how)
    return replace(collection, corpus=corpus, qrels={**collection.qrels, "train": train}), set(victims)


def plant_titles(collection, n):
    """Give documents of train queries the titles of test queries' documents."""
    victims, sources = list(collection.qrels["test"])[:n], list(collection.qrels["train"])[:n]
    corpus = dict(collection.corpus)
    for victim, source in zip(victims, sources, strict=True):
        (wanted,), (own,) = collection.qrels["test"][victim], collection.qrels["train"][source]
        corpus[own] = replace(corpus[own], title=corpus[wanted].title)
    return replace(collection, corpus=corpus), set(victims)


def as_pages(collection, n, name="https://site.org/{page}#part{part}"):
    """Rename documents as parts of pages; `n` pages have a part wanted in train and one wanted in test."""
    victims, sources = list(collection.qrels["test"])[:n], list(collection.qrels["train"])[:n]
    page = {doc_id: number for number, doc_id in enumerate(collection.corpus)}
    for victim, source in zip(victims, sources, strict=True):
        (wanted,), (own,) = collection.qrels["test"][victim], collection.qrels["train"][source]
        page[own] = page[wanted]
    new = {
        doc_id: name.format(page=f"p{page[doc_id]}x", part=number) for number, doc_id in enumerate(collection.corpus)
    }
    qrels = {
        split: {q: {new[doc_id]: grade for doc_id, grade in judged.items()} for q, judged in found.items()}
        for split, found in collection.qrels.items()
    }
    return replace(
        collection, corpus={new[d]: document for d, document in collection.corpus.items()}, qrels=qrels
    ), set(victims)


def plant_copies(collection, how, n):
    """Make test queries the title of their document, or words that stand in it."""
    victims = list(collection.qrels["test"])[:n]
    corpus, queries = dict(collection.corpus), dict(collection.queries)
    for victim in victims:
        (wanted,) = collection.qrels["test"][victim]
        words = corpus[wanted].text.split()
        if how == "title":
            corpus[wanted] = replace(corpus[wanted], title=queries[victim].capitalize() + ".")
        else:
            queries[victim] = " ".join(words[11:19]).capitalize() + "?"
    return replace(collection, corpus=corpus, queries=queries), set(victims)
