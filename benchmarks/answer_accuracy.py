"""Question: for how many open-domain questions is an answer among the first passages that BM25 finds?

Data: the questions of DPR's five test sets, as published with Anserini, over wiki-passages: 438,943 passages of 61,599 pages, where
the papers have 21 million passages, so that many answers are not there to be found. Nothing is tuned: BM25 with this package's
defaults (k1=0.9, b=0.4) and analyzer, over title and text. An answer counts where DPR counts it: in the passage's text, as a
sequence of tokens (regular expressions for CuratedTREC). Intervals: 95 %, percentile bootstrap over questions, 10,000 resamples,
seed 0.

XQuAD's English questions come with their paragraphs, so that gold recall can stand beside answer containment: these 240 paragraphs are
added to the corpus for that row alone.

Command: python benchmarks/answer_accuracy.py --data FOLDER --threads 1     (a table, then one JSON line)
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import twotower as tt
from twotower.evaluation import first_answer_places
from twotower.evaluation.significance import bootstrap_intervals

KS = (1, 5, 20, 100)
# name: file, match, Karpukhin et al. 2020, table 2: BM25, test, top-20 and top-100, over 21 million passages.
SETS = {
    "NQ": ("dpr.nq.test.tsv", "tokens", (59.1, 73.7)),
    "TriviaQA": ("dpr.trivia.test.tsv", "tokens", (66.9, 76.7)),
    "WebQuestions": ("dpr.wq.test.tsv", "tokens", (55.0, 71.1)),
    "CuratedTREC": ("dpr.curated.test.tsv", "regex", (70.9, 84.1)),
    "SQuAD": ("dpr.squad.test.tsv", "tokens", (68.8, 80.0)),
}


def log(message):
    print(message, file=sys.stderr, flush=True)


def search(index, questions, threads):
    hits = index.search(list(questions.texts.values()), k=max(KS), threads=threads)
    return hits.to_run(list(questions.texts))


def accuracies(run, questions, documents, match):
    """Share of questions answered at each k, with the ends of its interval."""
    places = first_answer_places(run, questions.answers, documents, depth=max(KS), match=match)
    answered = np.column_stack([(places > 0) & (places <= k) for k in KS]).astype(np.float64)
    low, high = bootstrap_intervals(answered, 10_000, 0.95, np.random.default_rng(0))
    return {k: (answered[:, i].mean(), low[i], high[i]) for i, k in enumerate(KS)}


def build(documents, threads):
    return tt.BM25Index.build([document.full_text for document in documents.values()], list(documents), threads=threads)


def percent(values):
    return " | ".join(f"{100 * mean:.1f} ({100 * low:.1f}-{100 * high:.1f})" for mean, low, high in values.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TWOTOWER_DATA", "../shared/data")))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    documents = tt.load_collection(options.data / "wiki-passages").corpus
    index = build(documents, options.threads)
    log(f"{len(documents)} passages indexed after {time.perf_counter() - started:.0f} s")
    rows = {}
    print("| questions | n | top-1 | top-5 | top-20 | top-100 | paper, 21M passages: top-20 | top-100 |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (file, match, paper) in SETS.items():
        questions = tt.read_questions(options.data / "qa" / file)
        values = accuracies(search(index, questions, options.threads), questions, documents, match)
        rows[name] = {f"top-{k}": [round(float(v), 4) for v in value] for k, value in values.items()}
        print(f"| {name} | {len(questions)} | {percent(values)} | {paper[0]} | {paper[1]} |", flush=True)
        log(f"{name} after {time.perf_counter() - started:.0f} s")
    questions = tt.read_questions(options.data / "qa" / "xquad.en.json")
    documents = {**documents, **{f"gold-{doc_id}": document for doc_id, document in questions.documents.items()}}
    qrels = {q: {f"gold-{doc_id}": grade for doc_id, grade in judged.items()} for q, judged in questions.qrels.items()}
    run = search(build(documents, options.threads), questions, options.threads)
    values = accuracies(run, questions, documents, "tokens")
    gold = tt.evaluate(run, qrels, [f"Success@{k}" for k in KS])
    rows["XQuAD with its paragraphs"] = {
        **{f"top-{k}": [round(float(v), 4) for v in value] for k, value in values.items()},
        **{name: round(value, 4) for name, value in gold.items()},
    }
    print(f"| XQuAD with its paragraphs, answer | {len(questions)} | {percent(values)} | | |")
    print(f"| XQuAD, gold paragraph | {len(questions)} | {' | '.join(f'{100 * v:.1f}' for v in gold.values())} | | |")
    seconds = round(time.perf_counter() - started)
    print(
        "\n"
        + json.dumps({"benchmark": "answer accuracy", "passages": len(documents), "seconds": seconds, "rows": rows})
    )


if __name__ == "__main__":
    main()
