"""What do towers learn from nothing? Titles that look for their abstracts, and the 1,300 labelled pairs of MS MARCO.

Question  R@10 and nDCG@10 of average towers (words, subword tokens) and GRU towers beside the same towers untrained and trained on
          shuffled pairs, a query-blind order, BM25, and BM25 with the tower, trained or not; and of the subword tower under three
          objectives: triplet, in-batch, in-batch with one of BM25's best 50 documents a query besides.
Data      pubmed-titles: 10 % of the titles are held out for testing, 3 % for choosing; documents are the abstracts without titles. The
          same towers, and the hybrid with the same weight, are asked scifact's test claims: a domain that nothing was learned or tuned on.
          msmarco-passage-32k: its own splits.
Leaks     Test titles or abstracts with a near-copy in train are found (twotower.experiments.near_duplicates), and a second table leaves
          them out; so are the claims whose abstract the towers have seen in training.
Settings  The learning rate of each tower and objective is the best of two on valid, after 2 epochs (4 on msmarco-passage-32k) with seed
          100; the epoch of each run is the best one by RR@10 on valid. Test splits took no part.
          4,000 tokens and the subword tower's rate were chosen on valid by hand.
Command   python benchmarks/pubmed_titles.py DATA --out OUT [--collection msmarco-passage-32k]
Cost      About .35 CPU hours (pubmed-titles) and .1 (msmarco-passage-32k) for three seeds; resumable. Cut to fit: GRU towers read 32 words,
          have 128 units and 2 epochs (6 on msmarco-passage-32k).
"""

from dataclasses import replace
from functools import cached_property

from experiment_arguments import make_pieces, parser

from twotower import load_collection, mine
from twotower.data.titles import title_collection
from twotower.experiments import Recipe
from twotower.experiments.measuring import Measuring
from twotower.experiments.near_duplicates import similar_documents, similar_queries
from twotower.experiments.pieces import Piece
from twotower.experiments.seed_tables import differences_table, means_table, rows_of, without_queries

MEASURES = ("R@10", "nDCG@10", "R@100")
WORDS, TOKENS, GRU = "average, words", "average, subwords", "GRU"
TRIPLET, MINED = f"{TOKENS}, triplet", f"{TOKENS}, in-batch + BM25"
SHAPES = {
    TOKENS: Recipe(TOKENS, "average", {"dim": 256, "max_terms": 256}, n_tokens=4000),
    WORDS: Recipe(WORDS, "average", {"dim": 256}, min_count=2),
    GRU: Recipe(GRU, "rnn", {"dim": 64, "hidden": 128, "pooling": "max", "max_terms": 32}, min_count=2),
}
TRAININGS = {
    "pubmed-titles": {"epochs": 3, "batch_size": 1024},
    "msmarco-passage-32k": {"epochs": 4, "batch_size": 128},
}
GRU_TRAININGS = {
    "pubmed-titles": {"epochs": 2, "batch_size": 512},
    "msmarco-passage-32k": {"epochs": 6, "batch_size": 128},
}
RATES = {TOKENS: (0.2,), TRIPLET: (0.2, 0.6), MINED: (0.2, 0.6), WORDS: (0.1, 0.3), GRU: (0.03, 0.1)}
TUNING_SEED, TUNING_EPOCHS = 100, {"pubmed-titles": 2, "msmarco-passage-32k": 4}
SECONDS = {
    "pubmed-titles": {TOKENS: 20, WORDS: 26, GRU: 50, TRIPLET: 20, MINED: 30},
    "msmarco-passage-32k": {TOKENS: 8, WORDS: 9, GRU: 40, TRIPLET: 8, MINED: 8},
}
ORDER = [
    "random", "query-blind", "BM25", *(f"{n}{twin}" for n in SHAPES for twin in (", untrained", ", shuffled", "")), TRIPLET, MINED,
    *(f"hybrid with {name}" for name in (*(f"{n}{twin}" for n in SHAPES for twin in (", untrained", "")), TRIPLET, MINED)),
]  # fmt: skip
PAIRS = [
    *((name, other) for name in SHAPES for other in (f"{name}, untrained", f"{name}, shuffled", "query-blind", "BM25")),
    (TRIPLET, TOKENS), (MINED, TOKENS), (MINED, TRIPLET), (WORDS, TOKENS), (GRU, WORDS), (GRU, TOKENS),
    *((f"hybrid with {name}", "BM25") for name in (*SHAPES, MINED)), (f"hybrid with {TOKENS}", TOKENS),
    *((f"hybrid with {name}", f"hybrid with {name}, untrained") for name in SHAPES),
]  # fmt: skip


class Experiment:
    """The pieces over one collection."""

    def __init__(self, data, name, out, seeds, threads):
        home = load_collection(data / name)
        if name == "pubmed-titles":
            home, scifact = title_collection(home), load_collection(data / "scifact")
            tests = {"held-out titles": (home, "test"), "scifact test, unseen domain": (scifact, "test")}
        else:
            tests = {"msmarco test": (home, "test"), "dl19": (home, "dl19"), "dl20": (home, "dl20")}
        self.name, self.tests, self.seeds, self.out = name, tests, range(seeds), out
        self.measuring = Measuring(home, tests, MEASURES, threads)
        self.home, self.found = home, {}

    @cached_property
    def mined(self):
        """BM25's best 50 documents of each training query, found once and kept."""
        folder = self.out / "bm25"
        if folder.exists():
            return mine.Mined.load(folder, self.home)
        source = mine.bm25(self.measuring.home.bm25, depth=50)
        return mine.mine(source, self.home, folder=folder, threads=self.measuring.threads)

    def recipe(self, name, lr=None):
        """Return a tower with its training; `lr` in the place of the rate that was best on valid."""
        training = {**(GRU_TRAININGS if name == GRU else TRAININGS)[self.name], "lr": lr or self.best_rate(name)}
        if name == TRIPLET:
            training["loss"] = "triplet"
        if name == MINED:
            training["negatives"] = self.mined
        return replace(SHAPES.get(name, SHAPES[TOKENS]), name=name, training=training)

    def best_rate(self, name):
        """Return the rate with the highest figure on valid."""
        return max(RATES[name], key=lambda lr: self.found[f"tune/{name}/{lr}"]["best"])

    def tuning(self):
        """Return the pieces that choose the rates."""
        return [
            Piece(f"tune/{name}/{lr}", SECONDS[self.name][name] / 2, lambda name=name, lr=lr: self.tried(name, lr))
            for name in (TOKENS, TRIPLET, MINED, WORDS, GRU)
            for lr in RATES[name]
        ]

    def tried(self, name, lr):
        """Train with one rate, and return what valid says."""
        recipe = self.recipe(name, lr)
        epochs = min(TUNING_EPOCHS[self.name], recipe.training["epochs"])
        return self.measuring.tried(replace(recipe, training={**recipe.training, "epochs": epochs}), TUNING_SEED)

    def pieces(self):
        """Return all pieces, the cheap towers first."""
        seconds = SECONDS[self.name]
        pieces = [
            *self.tuning(),
            Piece("controls", 20, lambda: {"rows": self.measuring.controls(SHAPES[TOKENS].build(self.home, 0))}),
        ]
        for name in (TOKENS, TRIPLET, MINED, WORDS, GRU):
            for seed in self.seeds:
                pieces += self.of_tower(name, seed, seconds[name])
        return [*pieces, Piece("leaks", 90, self.leaks)]

    def of_tower(self, name, seed, seconds):
        """Return the pieces of one seed: the twins of a tower that has its own, and the trained one with its hybrid."""
        make = [Piece(f"{name}/trained/{seed}", seconds, lambda: self.measuring.trained(self.recipe(name), seed))]
        if name in SHAPES:
            untrained = lambda: {"rows": self.measuring.untrained(SHAPES[name], seed)}  # noqa: E731
            make.append(Piece(f"{name}/untrained/{seed}", 12 if name == GRU else 4, untrained))
            hybrid = lambda: self.measuring.untrained_hybrid(SHAPES[name], seed)  # noqa: E731
            make.append(Piece(f"{name}/untrained hybrid/{seed}", 16 if name == GRU else 8, hybrid))
            shuffled = lambda: self.measuring.trained(self.recipe(name), seed, shuffled=True)  # noqa: E731
            make.append(Piece(f"{name}/shuffled/{seed}", seconds, shuffled))
        return make

    def leaks(self):
        """Return by test the queries that have a near-copy in what was learned or chosen on, or whose document has one."""
        learned = [pair for split in ("train", "valid") for pair in self.home.pairs(split)]
        titles = [self.home.queries[query_id] for query_id, _ in learned]
        texts = [self.home.corpus[doc_id].full_text for _, doc_id in learned]
        found = {}
        for test, (collection, split) in self.tests.items():
            queries = list(collection.split(split))
            gold = sorted({doc_id for _, doc_id in collection.pairs(split)})
            asked = similar_queries(titles, [collection.queries[query_id] for query_id in queries])
            copies = similar_documents(texts, [collection.corpus[doc_id].full_text for doc_id in gold])
            copied = {gold[match.asked] for match in copies}
            by_query = {queries[match.asked] for match in asked}
            by_document = {query_id for query_id, doc_id in collection.pairs(split) if doc_id in copied}
            found[test] = {"query": sorted(by_query), "document": sorted(by_document)}
        return {"leaks": found}


def tables(experiment, found):
    """Return the Markdown of the finished pieces."""
    rows = rows_of(record for record in found.values() if "rows" in record)
    tests = list(experiment.tests)
    blocks = [means_table(rows, test, MEASURES, ORDER) for test in tests]
    blocks.append(differences_table(rows, tests, PAIRS, MEASURES[:2]))
    for test, leaked in found.get("leaks", {}).get("leaks", {}).items():
        collection, split = experiment.tests[test]
        dropped = {*leaked["query"], *leaked["document"]}
        blocks.append(
            f"{test}: {len(leaked['query'])} queries with a near-copy among the titles learned or chosen on, "
            f"{len(leaked['document'])} whose relevant document has one."
        )
        if dropped:
            clean = without_queries(rows, test, list(collection.split(split)), dropped)
            blocks += [means_table(clean, test, MEASURES, ORDER), differences_table(clean, [test], PAIRS, MEASURES[:1])]
    for name in (*SHAPES, TRIPLET, MINED):
        runs = [record for key, record in found.items() if key.startswith(f"{name}/trained/")]
        rate = experiment.best_rate(name) if all(f"tune/{name}/{lr}" in found for lr in RATES[name]) else None
        best = ", ".join(f"{max(run['valid']):.4f} (epoch {run['best_epoch']}, weight {run['weight']})" for run in runs)
        failed = sum(run["failure"] is not None for run in runs)
        blocks.append(f"{name}: rate {rate}; best RR@10 on valid {best}; {failed} of {len(runs)} runs failed")
    return "\n\n".join(blocks)


def main():
    """Make the pieces, print the tables."""
    options = parser(__doc__)
    options.add_argument("--collection", default="pubmed-titles", choices=sorted(TRAININGS))
    arguments = options.parse_args()
    name = f"pubmed_titles-{arguments.collection}"
    experiment = Experiment(
        arguments.data, arguments.collection, arguments.out / name, arguments.seeds, arguments.threads
    )
    about = {
        "home": experiment.home.fingerprint(), "shapes": str(SHAPES), "rates": RATES,
        "trainings": [TRAININGS[arguments.collection], GRU_TRAININGS[arguments.collection]],
    }  # fmt: skip
    experiment.found = make_pieces(arguments, name, about, experiment.tuning())
    experiment.found = make_pieces(arguments, name, about, experiment.pieces())
    print(tables(experiment, experiment.found))


if __name__ == "__main__":
    main()
