"""What to make of the passages of a record that nobody selected: ignore, weak positives, or negatives, and of what weight?

Question  RR inside the records, and R@10 over all passages, of average towers that treat the unselected passages of MS MARCO v1.1's
          records in each way that `tt.mine.candidates` knows, beside in-batch negatives alone. "ignore" takes effect where another
          source or query brings such a passage; so it also stands beside BM25's negatives, which often are of the query's own record.
Data      200 records of the schema of microsoft/ms_marco v1.1 (189 with a selected passage, about eight passages each). Cut by record
          into five parts: three to learn from, one to choose the epoch on, one to test, in turn, so that every record is tested
          once by towers that did not see it. That is about 113 training pairs: what they cannot show, a larger file may.
Twins     Untrained; shuffled (of the in-batch tower); a query-blind order; a random order inside the records (expectation); BM25.
Settings  Subwords, dim 256; batch of 32, rate of .1, 6 epochs for all rows. All weights are reported, none is chosen.
Command   python benchmarks/unselected.py DATA --out OUT
Cost      About .06 CPU hours for three seeds; resumable.
"""

from dataclasses import replace

import numpy as np
from experiment_arguments import make_pieces, parser

from twotower import evaluate_queries, load_collection, mine, search_split
from twotower.experiments import Recipe
from twotower.experiments.measuring import SHUFFLED, UNTRAINED
from twotower.experiments.pieces import Piece
from twotower.experiments.searched import SearchedCorpus
from twotower.experiments.seed_tables import differences_table, means_table, rows_of
from twotower.search import rank_candidates
from twotower.search.chance import expected_random_rr
from twotower.training import train

INSIDE, WHOLE = "inside the records", "all passages"
MEASURES = {INSIDE: ("RR", "nDCG@10"), WHOLE: ("RR@10", "R@10")}
FOLDS = 5
TOWER = Recipe(
    "in-batch alone",
    "average",
    {"dim": 256, "max_terms": 256},
    {"epochs": 6, "batch_size": 32, "lr": 0.1},
    n_tokens=4000,
)
WAYS = {
    TOWER.name: None,
    "ignore": mine.candidates("ignore"),
    "weak positive, weight .1": mine.candidates("weak_positive", 0.1),
    "weak positive, weight .3": mine.candidates("weak_positive", 0.3),
    "maybe negative, weight .25": mine.candidates("maybe_negative", 0.25),
    "maybe negative, weight .5": mine.candidates("maybe_negative", 0.5),
    "maybe negative, weight 1": mine.candidates("maybe_negative", 1.0),
    "BM25's best 20": mine.bm25(depth=20),
    "BM25's best 20, ignore": [mine.bm25(depth=20), mine.candidates("ignore")],
}
PAIRS = [
    *((name, "ignore") for name in WAYS if name not in ("ignore", "BM25's best 20, ignore")),
    ("BM25's best 20, ignore", "BM25's best 20"),
    *(("ignore", other) for other in (UNTRAINED.format("tower"), SHUFFLED.format("tower"), "query-blind", "BM25")),
]


def fold_of(collection, fold):
    """Return the collection with the records cut for one fold: part `fold` is the test, the next one valid, the others train."""
    query_ids = list(collection.qrels["test"])
    part = np.random.default_rng(0).permutation(len(query_ids)) % FOLDS
    splits = {"train": {}, "valid": {}, "test": {}}
    for query_id, number in zip(query_ids, part.tolist(), strict=True):
        split = {fold: "test", (fold + 1) % FOLDS: "valid"}.get(number, "train")
        splits[split][query_id] = collection.qrels["test"][query_id]
    return replace(collection, qrels=splits)


def measured(searcher, collection):
    """Return the values of the test queries, inside their records and over all passages, query_id to value."""
    runs = {
        INSIDE: rank_candidates(searcher, collection, "test"),
        WHOLE: search_split(searcher, collection, "test", k=100),
    }
    return {
        test: {m: dict(v) for m, v in evaluate_queries(run, collection.qrels["test"], MEASURES[test]).items()}
        for test, run in runs.items()
    }


class Experiment:
    """The pieces: each a fold and a seed of all ways, since the towers are small."""

    def __init__(self, collection, seeds, threads):
        self.collection, self.seeds, self.threads = collection, range(seeds), threads

    def pieces(self):
        """Return all pieces."""
        return [
            Piece(f"{fold}/{seed}", 14.0, lambda fold=fold, seed=seed: self.fold(fold, seed))
            for seed in self.seeds
            for fold in range(FOLDS)
        ]

    def fold(self, fold, seed):
        """Return the values of every row on one fold."""
        home = fold_of(self.collection, fold)
        corpus = SearchedCorpus(home, self.threads)
        untrained = TOWER.build(home, seed)
        found = {UNTRAINED.format("tower"): measured(corpus.dense(untrained), home)}
        if seed == 0:
            found["query-blind"] = measured(corpus.query_blind(untrained, "train"), home)
            found["BM25"] = measured(corpus.bm25, home)
        for name, negatives in {**WAYS, SHUFFLED.format("tower"): None}.items():
            model = untrained.twin()
            shuffled = name == SHUFFLED.format("tower")
            options = {**TOWER.training, "threads": self.threads, "progress": False}
            train(model, home, negatives=negatives, seed=seed, shuffle_labels=shuffled, **options)
            found[name] = measured(corpus.dense(model), home)
        return {"by_query": found}


def joined(found, query_ids):
    """Return the pieces as rows over all queries: a seed is complete when all its folds are."""
    records = []
    for seed in sorted({key.partition("/")[2] for key in found}):
        folds = [found[f"{fold}/{seed}"]["by_query"] for fold in range(FOLDS) if f"{fold}/{seed}" in found]
        if len(folds) < FOLDS:
            continue
        rows = {}
        for name in folds[0]:
            for test, measures in MEASURES.items():
                for measure in measures:
                    values = {q: value for fold in folds for q, value in fold[name][test][measure].items()}
                    rows.setdefault(name, {}).setdefault(test, {})[measure] = [values[q] for q in query_ids]
        records.append({"rows": rows})
    return records


def expected_in_random_order(collection):
    """Return the mean over queries of the expected RR of a random order of the record (one or more selected of n)."""
    expected = [
        expected_random_rr(len(collection.candidates[query_id]), len(judged))
        for query_id, judged in collection.qrels["test"].items()
    ]
    return float(np.mean(expected))


def main():
    """Make the pieces, print the tables."""
    arguments = parser(__doc__).parse_args()
    collection = load_collection(arguments.data / "msmarco-v1.1-sample200" / "sample.json")
    experiment = Experiment(collection, arguments.seeds, arguments.threads)
    about = {"home": collection.fingerprint(), "tower": str(TOWER), "ways": [str(way) for way in WAYS.items()]}
    found = make_pieces(arguments, "unselected", about, experiment.pieces())
    rows = rows_of(joined(found, list(collection.qrels["test"])))
    order = ["query-blind", "BM25", UNTRAINED.format("tower"), SHUFFLED.format("tower"), *WAYS]
    print(f"Random order inside the records, expected RR: {expected_in_random_order(collection):.4f}\n")
    for test, measures in MEASURES.items():
        print(
            means_table(rows, test, measures, order), differences_table(rows, [test], PAIRS, measures[:1]), sep="\n\n"
        )
        print()


if __name__ == "__main__":
    main()
