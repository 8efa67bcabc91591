"""The collections of lexical_speed.py and their index, made once and kept in a folder, so that a timed run starts at once.

S = the first 50,000 of wiki-passages, M = all 438,943, L = M and the sentences of the abstracts of pubmed-titles.
Queries: the first 1,000 of msmarco-passage-32k, real MS MARCO questions; unknown terms are left out.
"""

import gzip
import json
import lzma
import re
import shutil
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from lexical_peers import K1, B

import twotower as tt
from real_data import require
from twotower.text import Analyzer

N_QUERIES = 1000
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


class Collection(NamedTuple):
    """An index, its documents as term ids with offsets, and the queries as lists of terms and of ids."""

    index: tt.BM25Index
    ids: np.ndarray
    offsets: np.ndarray
    queries: list[list[str]]
    query_ids: list[list[int]]

    def documents(self):
        return [part.tolist() for part in np.split(self.ids, self.offsets[1:-1])]


def passages():
    with lzma.open(require("wiki-passages") / "corpus.jsonl.xz", "rt") as file:
        for row in map(json.loads, file):
            yield f"{row['title']} {row['text']}" if row.get("title") else row["text"]


def sentences():
    with gzip.open(require("pubmed-titles") / "corpus.jsonl.gz", "rt") as file:
        for row in map(json.loads, file):
            yield from SENTENCE_END.split(row["text"])


def texts_of(size):
    return {"S": lambda: islice(passages(), 50_000), "M": passages, "L": lambda: chain(passages(), sentences())}[size]()


def make(size, stop_words, folder):
    analyzer = Analyzer("english") if stop_words == "removed" else Analyzer(stop_words=None)
    index = tt.BM25Index.build(texts_of(size), analyzer=analyzer, k1=K1, b=B)
    terms = analyzer.term_ids(texts_of(size), index.vocabulary, grow=False)
    unfinished = folder.with_name(folder.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    index.save(unfinished / "twotower")
    np.savez(unfinished / "documents.npz", ids=terms.ids, offsets=terms.offsets)
    unfinished.rename(folder)


def collect(size, stop_words, folder):
    """Return a collection, from `folder` / SIZE-STOP_WORDS if it was made before."""
    folder = folder / f"{size}-{stop_words}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        make(size, stop_words, folder)
    index = tt.BM25Index.load(folder / "twotower")
    documents = np.load(folder / "documents.npz")
    with (require("msmarco-passage-32k") / "queries.jsonl").open() as file:
        lines = [json.loads(line)["text"] for line in islice(file, N_QUERIES)]
    known = [[term for term in terms if term in index.vocabulary] for terms in index.analyzer.analyze_batch(lines)]
    known = [terms for terms in known if terms]
    query_ids = [[index.vocabulary.id(term) for term in terms] for terms in known]
    return folder, Collection(index, documents["ids"], documents["offsets"], known, query_ids)
