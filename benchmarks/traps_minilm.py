"""Question: what do BM25, towers trained here, MiniLM and re-rankers over its tokens get wrong, beside shortcuts and controls?

Data: the trap suite of seed 0 (`twotower.trap_items`); msmarco-passage-32k to train the towers with the package's recipes and to
count how rare a token is. Scorers: BM25 and tf-idf over the passages of the suite; the average and the GRU tower, trained, and
the average tower untrained; all-MiniLM-L6-v2 as a two-tower model; MaxSim, the late interaction of Khattab and Zaharia (2020) over
MiniLM's token embeddings without any training for it, plain and weighted by the idf of the query's tokens. These re-rankers
look at every token of both texts but encode them apart; no cross-encoder is tested.
Command: TWOTOWER_DATA=... python benchmarks/traps_minilm.py
"""

import os
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from minilm import MiniLM

import twotower as tt
from twotower.evaluation.significance import bootstrap_intervals, holm, randomisation_p
from twotower.experiments import RECIPES, trap_report
from twotower.experiments.traps import EVERY
from twotower.experiments.traps_scorers import lexical_scorer, passages_of, tower_scorer

DATA = Path(os.environ.get("TWOTOWER_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SEEDS = (0, 1, 2)
PAIRS = (
    ("MiniLM", "BM25"),
    ("MaxSim", "MiniLM"),
    ("MaxSim idf", "MaxSim"),
    ("average", "average, untrained"),
    ("GRU", "average"),
)


class MaxSim:
    """The sum over query tokens, each with its weight, of the largest cosine with a passage token."""

    def __init__(self, encoder, texts, weight=lambda token: 1.0):
        self.weight = weight
        self.tokens = encoder.tokenizer(texts, truncation=True, max_length=256)["input_ids"]
        vectors = encoder.encode(texts, output_value="token_embeddings", show_progress_bar=False)
        self.number = {text: at for at, text in enumerate(texts)}
        self.vectors = [torch.nn.functional.normalize(matrix, dim=1).numpy() for matrix in vectors]

    def __call__(self, query, passages):
        """Return the score of each passage; the tokens that begin and end a text take no part."""
        at = self.number[query]
        weights = np.array([self.weight(token) for token in self.tokens[at][1:-1]])
        ours = self.vectors[at][1 : 1 + len(weights)]
        scores = []
        for passage in passages:
            n = len(self.tokens[self.number[passage]])
            theirs = self.vectors[self.number[passage]][1 : n - 1]
            scores.append(float(weights @ (ours @ theirs.T).max(axis=1)))
        return scores


def idf_of(tokenizer, texts):
    """Return a function from a token to its idf over texts, as BM25 defines it."""
    df = Counter(token for ids in tokenizer(texts, truncation=True, max_length=256)["input_ids"] for token in set(ids))
    return lambda token: float(np.log1p((len(texts) - df[token] + 0.5) / (df[token] + 0.5)))


def trained(recipe, collection, seed):
    """Return a tower trained as `twotower train` does."""
    model = recipe.build(collection, seed)
    tt.train(model, collection, seed=seed, **recipe.training)
    return model


def known_share(model, items):
    """Return the share of the suite's analysed words that a tower has an embedding for."""
    reader = model.reader
    terms = [t for i in items for text in (i.query, *i.passages) for t in reader.analyzer.analyze(text)]
    return np.mean([reader.vocabulary.id(term) >= 0 for term in terms])


def differences(report, items):
    """Return a table of paired differences by heuristic; the unit is the pair of items."""
    where = [item.pair for item in items]
    heuristics = list(dict.fromkeys(item.heuristic for item in items))
    rows, p_values = [], []
    for name, baseline in PAIRS:
        gap = np.subtract(report.outcomes[name], report.outcomes[baseline])
        by_pair = [
            (pair.split("/")[0], np.mean([g for _, g in group]))
            for pair, group in groupby(zip(where, gap, strict=True), key=lambda both: both[0])
            if "/control/" not in f"{pair}/"
        ]
        for heuristic in heuristics:
            column = np.array([[gap] for h, gap in by_pair if h == heuristic])
            for_intervals, for_tests = np.random.default_rng(0).spawn(2)
            (low,), (high,) = bootstrap_intervals(column, 10_000, 0.95, for_intervals)
            p_values.append(float(randomisation_p(column, 10_000, for_tests)[0]))
            rows.append((f"{name} - {baseline}", heuristic, column.mean(), low, high))
    print(
        "\nPaired over the items with the same passages; intervals of one row each, p of a randomisation test after Holm over all rows."
    )
    print("\n| difference | heuristic | mean, points | 95% interval | p (Holm) |\n|---|---|---|---|---|")
    for (label, heuristic, *figures), p in zip(rows, holm(p_values), strict=True):
        mean, low, high = (100 * figure for figure in figures)
        print(f"| {label} | {heuristic} | {mean:+.0f} | {low:+.0f} to {high:+.0f} | {p:.4f} |")


def by_seed(towers, items):
    """Print the accuracy of trained towers by heuristic, mean and standard deviation over seeds."""
    print("\n| tower | heuristic | percent right, seeds 0 to 2 |\n|---|---|---|")
    for name, models in towers.items():
        reports = [trap_report({name: tower_scorer(model, items)}, items) for model in models]
        for rows in zip(*(report.rows[name] for report in reports), strict=True):
            if rows[0].subcase == EVERY:
                values = [100 * row.accuracy for row in rows]
                print(f"| {name} | {rows[0].heuristic} | {np.mean(values):.1f} ± {np.std(values, ddof=1):.1f} |")


def main():
    """Print the tables."""
    torch.set_num_threads(1)
    items = tt.trap_items()
    collection = tt.load_collection(DATA / "msmarco-passage-32k")
    towers = {}
    for name in ("average", "gru"):
        recipe = RECIPES[name]
        towers[recipe.name] = [trained(recipe, collection, seed) for seed in SEEDS]
        print(f"trained {recipe.name}", file=sys.stderr)
    untrained = RECIPES["average"].build(collection, SEEDS[0])
    minilm = MiniLM()
    texts = list(dict.fromkeys([*passages_of(items), *(item.query for item in items)]))
    corpus = [document.full_text for document in collection.corpus.values()]
    scorers = {
        "BM25": lexical_scorer(tt.BM25Index, items),
        "tf-idf": lexical_scorer(tt.TfidfIndex, items),
        "average, untrained": tower_scorer(untrained, items),
        **{name: tower_scorer(models[0], items) for name, models in towers.items()},
        "MiniLM": tower_scorer(minilm, items),
        "MaxSim": MaxSim(minilm.model, texts),
        "MaxSim idf": MaxSim(minilm.model, texts, idf_of(minilm.model.tokenizer, corpus)),
    }
    report = trap_report(scorers, items)
    print(report.to_markdown())
    differences(report, items)
    by_seed(towers, items)
    print(f"\nThe towers know {known_share(untrained, items):.1%} of the suite's analysed words.")


if __name__ == "__main__":
    main()
