"""Question: do fields help, that is BM25F over title and text beside BM25 over both in one string?

Data: scifact (options chosen on its train queries, tested on its test queries), cacm and cranfield (which have one split: options
for each fifth of the queries are chosen on the other four, so that no query helps to choose its own options).
Both sides are tuned over a grid by nDCG@10; both are shown with their defaults as well. "english" analyzer.
Comparison: paired over the test queries, 95 % bootstrap interval and randomisation test (tt.compare).
Command: PYTHONPATH=tests/python python benchmarks/fields.py
"""

import argparse
import itertools
import json

import numpy as np

import twotower as tt
from real_data import require
from twotower.text import Analyzer

FOLDS, DEPTH = 5, 100
BM25_GRID = [{"k1": k1, "b": b} for k1 in (0.6, 0.9, 1.2, 1.6, 2.2) for b in (0.2, 0.4, 0.6, 0.75, 0.9)]
BM25F_GRID = [
    {"fields": {"title": title, "text": 1.0}, "b": {"title": b_title, "text": b_text}, "k1": k1}
    for title, b_title, b_text, k1 in itertools.product((0.5, 1.0, 2.0, 4.0), (0.0, 0.5), (0.4, 0.75), (0.9, 1.4, 2.2))
]


class Task:
    """One collection as lists of terms."""

    def __init__(self, name):
        self.collection = tt.load_collection(require(name))
        analyzer = Analyzer("english")
        documents = self.collection.corpus.values()
        titles = analyzer.analyze_batch([document.title for document in documents])
        texts = analyzer.analyze_batch([document.text for document in documents])
        self.fields = [{"title": title, "text": text} for title, text in zip(titles, texts, strict=True)]
        self.plain = [title + text for title, text in zip(titles, texts, strict=True)]
        self.ids = list(self.collection.corpus)
        self.queries = dict(
            zip(self.collection.queries, analyzer.analyze_batch(list(self.collection.queries.values())), strict=True)
        )

    def run(self, kind, options, query_ids):
        if kind == "bm25":
            index = tt.BM25Index.build(self.plain, self.ids, threads=1, **options)
        else:
            index = tt.BM25FIndex.build(self.fields, self.ids, threads=1, **options)
        return index.search([self.queries[q] for q in query_ids], DEPTH).to_run(list(query_ids))

    def runs_of_grid(self, kind, grid, qrels):
        """Return (options, run, nDCG@10 by query) of each point of a grid."""
        rows = []
        for options in grid:
            run = self.run(kind, options, list(qrels))
            found = tt.evaluate_queries(run, qrels, ["nDCG@10"])["nDCG@10"]
            rows.append((options, run, {q: found[q] for q in qrels}))
        return rows


def best_on(rows, query_ids):
    return max(rows, key=lambda row: np.mean([row[2][q] for q in query_ids]))


def tuned_by_split(task, kind, grid):
    """Choose on train, return the test run and what was chosen."""
    options = best_on(task.runs_of_grid(kind, grid, task.collection.qrels["train"]), task.collection.qrels["train"])[0]
    return task.run(kind, options, list(task.collection.qrels["test"])), [options]


def tuned_by_folds(task, kind, grid):
    """Choose for each fold on the others, return the run of all queries and what was chosen."""
    qrels = task.collection.qrels["test"]
    rows = task.runs_of_grid(kind, grid, qrels)
    order = np.random.default_rng(0).permutation(list(qrels)).tolist()
    run, chosen = {}, []
    for fold in range(FOLDS):
        held_out = order[fold::FOLDS]
        options, whole, _ = best_on(rows, [q for q in order if q not in set(held_out)])
        run |= {q: whole[q] for q in held_out}
        chosen.append(options)
    return run, chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collections", default="scifact,cacm,cranfield")
    args = parser.parse_args()
    for name in args.collections.split(","):
        task = Task(name)
        tune = tuned_by_split if "train" in task.collection.qrels else tuned_by_folds
        qrels = task.collection.qrels["test"]
        runs = {
            "BM25, defaults": task.run("bm25", {}, list(qrels)),
            "BM25F, defaults": task.run("bm25f", {}, list(qrels)),
        }
        runs["BM25, tuned"], bm25 = tune(task, "bm25", BM25_GRID)
        runs["BM25F, tuned"], bm25f = tune(task, "bm25f", BM25F_GRID)
        for baseline, other in (("BM25, defaults", "BM25F, defaults"), ("BM25, tuned", "BM25F, tuned")):
            compared = tt.compare({baseline: runs[baseline], other: runs[other]}, qrels, ["nDCG@10"], baseline=baseline)
            found = compared.differences[0]
            row = {"collection": name, "queries": len(qrels), "what": other, "beside": baseline}
            row |= {label: round(float(means["nDCG@10"]), 4) for label, means in compared.means.items()}
            row |= {
                "difference": round(found.difference, 4),
                "interval": [round(found.low, 4), round(found.high, 4)],
                "p": round(found.p, 4),
                "verdict": found.verdict,
            }
            print(json.dumps(row), flush=True)
        print(json.dumps({"collection": name, "bm25": bm25, "bm25f": bm25f}), flush=True)


if __name__ == "__main__":
    main()
