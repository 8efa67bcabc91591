"""DrQA's hashed bigrams beside BM25: share of open questions with an answer in the first k Wikipedia passages.

Question  Do hashed words and bigrams with DrQA's weights find more answers than BM25?
Data      wiki-passages (438,943 passages; many answers are not among them) and NQ-open's test questions; answers only
          count what was found, they are never searched for.
Intervals paired percentile bootstrap over questions, 10,000 samples, 95 %.
Command   PYTHONPATH=tests/python python benchmarks/hashed_ngrams.py [--passages N] [--questions FILE] [--systems NAME ...]
"""

import argparse
import json
import lzma
import time

import numpy as np

import twotower as tt
from real_data import require
from twotower.evaluation.answers import first_answer_places

KS = (1, 5, 20)


def read_passages(most):
    """Return ids, what is indexed (title and text), and the texts in which answers count, as DPR does it."""
    ids, texts, bodies = [], [], []
    with lzma.open(require("wiki-passages") / "corpus.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            ids.append(row["_id"])
            texts.append(f"{row['title']} {row['text']}")
            bodies.append(row["text"])
            if len(ids) == most:
                break
    return ids, texts, bodies


def systems(texts, ids):
    plain = tt.Analyzer("plain", stop_words="english")
    yield "BM25, plain words", lambda: tt.BM25Index.build(texts, ids, analyzer=plain)
    yield "BM25, stems", lambda: tt.BM25Index.build(texts, ids)
    yield "hashed words", lambda: tt.HashedNgramIndex.build(texts, ids, ngram=1)
    yield "hashed bigrams (DrQA)", lambda: tt.HashedNgramIndex.build(texts, ids)
    yield "hashed bigrams, stems", lambda: tt.HashedNgramIndex.build(texts, ids, analyzer="english")
    yield "BM25 over hashed bigrams", lambda: tt.BM25Index.build(texts, ids, analyzer=tt.HashedNgrams())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=None)
    parser.add_argument("--questions", default="dpr.nq.test.tsv")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--systems", nargs="*", help="their names; all if absent. The first is the one the others are compared with"
    )
    args = parser.parse_args()
    ids, texts, bodies = read_passages(args.passages)
    questions = tt.read_questions(require("qa") / args.questions)
    found, baseline = {}, None
    random = np.random.default_rng(0)
    for name, build in systems(texts, ids):
        if args.systems and name not in args.systems:
            continue
        started = time.perf_counter()
        index = build()
        built = time.perf_counter() - started
        started = time.perf_counter()
        hits = index.search(list(questions.texts.values()), max(KS), args.threads)
        searched = time.perf_counter() - started
        run = hits.to_run(list(questions.texts))
        passages = {doc_id: bodies[hit.doc] for row in hits for hit in row for doc_id in [hit.doc_id]}
        places = first_answer_places(run, questions.answers, passages, depth=max(KS))
        found[name] = np.where(places == 0, max(KS) + 1, places)
        baseline = baseline if baseline is not None else found[name]
        row = {
            "system": name,
            "terms": len(index.vocabulary),
            "build_s": round(built, 1),
            "search_s": round(searched, 2),
        }
        row["bytes"] = sum(index.memory().values())
        for k in KS:
            ours = (found[name] <= k).astype(float)
            change = ours - (baseline <= k)
            samples = [change[random.integers(0, len(change), len(change))].mean() for _ in range(10_000)]
            low, high = np.percentile(samples, [2.5, 97.5])
            row[f"top-{k}"] = round(100 * ours.mean(), 2)
            row[f"minus first, {k}"] = [round(100 * value, 2) for value in (change.mean(), low, high)]
        print(json.dumps(row), flush=True)
        del index


if __name__ == "__main__":
    main()
