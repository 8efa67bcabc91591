"""What do mined negatives bring a small tower?

Question  nDCG@10 and R@10 on *valid* of an average tower trained with in-batch negatives alone, with one random document more for
          each query, and with one of BM25's best 50; each the mean over seeds, with paired differences over queries.
Data      A BEIR folder with the splits train and valid; test splits take no part.
Command   python benchmarks/negatives.py FOLDER --seeds 3
Cost      About 30 CPU seconds a run at 32,000 documents, nine runs.
"""

import argparse
import json

import numpy as np
import torch

from twotower import (
    BM25Index,
    Dense,
    FlatIndex,
    TwoTower,
    compare,
    evaluate,
    load_collection,
    mine,
    search_split,
    train,
)
from twotower.text import Analyzer, Vocabulary

MEASURES = ["nDCG@10", "R@10"]
TRAINING = {"epochs": 8, "batch_size": 256, "lr": 0.2, "threads": 1, "progress": False}


def main() -> None:
    """Train, measure, print one JSON line a run and the differences at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    collection = load_collection(arguments.folder)
    texts = [document.full_text for document in collection.corpus.values()]
    vocabulary = Vocabulary.count(
        [*texts, *(collection.queries[q] for q in collection.qrels["train"])], Analyzer("english")
    )
    bm25 = BM25Index.build(texts, list(collection.corpus), threads=1)
    ahead = mine.mine(mine.bm25(bm25, depth=50), collection)
    runs = {"untrained": [], "in-batch": [], "random": [], "bm25": []}
    for seed in range(arguments.seeds):
        for name, negatives in (("untrained", None), ("in-batch", None), ("random", "random"), ("bm25", ahead)):
            model = TwoTower.average(vocabulary, dim=256, seed=seed)
            history = None
            if name != "untrained":
                history = train(model, collection, negatives=negatives, seed=seed, **TRAINING)
            index = FlatIndex.build(model.encode_documents(texts), list(collection.corpus))
            run = search_split(Dense(model, index), collection, "valid", k=100)
            runs[name].append(run)
            line = {"negatives": name, "seed": seed, **evaluate(run, collection.qrels["valid"], MEASURES)}
            if history is not None:
                line |= {
                    "seconds": round(history.seconds, 1),
                    "best_epoch": history.best_epoch,
                    "failure": history.failure,
                }
            print(json.dumps(line), flush=True)
    lexical = evaluate(search_split(bm25, collection, "valid", k=100), collection.qrels["valid"], MEASURES)
    print(json.dumps({"negatives": "(BM25 itself)", **lexical}))
    for name in runs:
        means = {m: np.mean([evaluate(run, collection.qrels["valid"], [m])[m] for run in runs[name]]) for m in MEASURES}
        print(f"| {name} | " + " | ".join(f"{means[m]:.4f}" for m in MEASURES) + " |")
    for name, baseline in (("random", "in-batch"), ("bm25", "in-batch"), ("bm25", "random")):
        both = {baseline: runs[baseline], name: runs[name]}
        for d in compare(both, collection.qrels["valid"], MEASURES).differences:
            print(
                f"{d.name} - {d.baseline} {d.measure} {d.difference:+.4f} ({d.low:+.4f} to {d.high:+.4f}), p {d.p:.3f}"
            )


if __name__ == "__main__":
    main()
