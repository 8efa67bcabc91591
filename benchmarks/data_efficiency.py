"""How many examples does a tower need? Trained on 100, 300, 1,000 and all of them, beside BM25 and the hybrid of both.

Question  R@10 and nDCG@10 of the average tower over subwords, and of its hybrid with BM25, by the number of training queries (DPR asks
          this in figure 1). 0 examples is the untrained tower. Sets of one seed are nested; each seed has its own.
Data      msmarco-passage-32k (1,300 queries) or pubmed-titles (10 % of the titles held out, about 28,900 to train on).
Settings  The epochs of a size are those that make about STEPS steps, at least 4 and at most 12; the best one is chosen by RR@10 on valid,
          which has its full size for every row: 200 and 997 queries that a user with 100 examples would not have. Subwords are
          learned from the corpus and the training queries of that size. Test splits took no part.
Twins     Untrained: 0 examples, alone and beside BM25. Shuffled: each size. Query-blind: learned from all training queries.
Command   python benchmarks/data_efficiency.py DATA --out OUT [--collection pubmed-titles]
Cost      About .06 CPU hours (msmarco-passage-32k) and .12 (pubmed-titles) for three seeds; resumable.
"""

from dataclasses import replace
from itertools import pairwise

from experiment_arguments import make_pieces, parser

from twotower import load_collection
from twotower.data.titles import title_collection
from twotower.experiments import Recipe
from twotower.experiments.measuring import Measuring, with_fewer
from twotower.experiments.pieces import Piece
from twotower.experiments.seed_tables import differences_table, means_table, rows_of

MEASURES = ("R@10", "nDCG@10", "R@100")
ALL = 10**9
SIZES = {"msmarco-passage-32k": (100, 300, 1000, ALL), "pubmed-titles": (100, 300, 1000, 3000, 10000, ALL)}
STEPS = 60
TOWER = Recipe("tower", "average", {"dim": 256, "max_terms": 256}, n_tokens=4000)


def recipe_of(n):
    """Return the tower with the training that suits `n` examples: batches of 32 to 1,024 pairs."""
    batch_size = max(32, min(1024, n // 8))
    epochs = max(4, min(12, round(STEPS * batch_size / n)))
    return replace(
        TOWER,
        name=f"tower, {n} examples",
        training={"epochs": epochs, "batch_size": batch_size, "lr": 0.2 if n > 2000 else 0.1},
    )


class Experiment:
    """The pieces over one collection."""

    def __init__(self, data, name, seeds, threads):
        home = load_collection(data / name)
        home = title_collection(home) if name == "pubmed-titles" else home
        self.test = f"{name} test"
        self.home, self.threads, self.seeds = home, threads, range(seeds)
        self.sizes = list(dict.fromkeys(min(n, len(home.qrels["train"])) for n in SIZES[name]))
        self.whole = Measuring(home, {self.test: (home, "test")}, MEASURES, threads)

    def pieces(self):
        """Return all pieces, small training sets first."""
        fixed = 6 if len(self.home.queries) > 5000 else 3
        pieces = [Piece("controls", 20, self.controls)]
        for seed in self.seeds:
            hybrid = lambda seed=seed: self.whole.untrained_hybrid(TOWER, seed)  # noqa: E731
            pieces += [
                Piece(f"0/{seed}", fixed, lambda seed=seed: self.untrained(seed)),
                Piece(f"0/hybrid/{seed}", fixed, hybrid),
            ]
        for n in self.sizes:
            recipe = recipe_of(n)
            seconds = fixed + recipe.training["epochs"] * (0.5 + n * fixed / 50000)
            for seed in self.seeds:
                shuffled = lambda n=n, seed=seed: self.trained(n, seed, shuffled=True)  # noqa: E731
                pieces += [
                    Piece(f"{n}/{seed}", seconds, lambda n=n, seed=seed: self.trained(n, seed)),
                    Piece(f"{n}/shuffled/{seed}", seconds, shuffled),
                ]
        return pieces

    def controls(self):
        """Return the rows without training."""
        return {"rows": self.whole.controls(TOWER.build(self.home, 0))}

    def untrained(self, seed):
        """Return the row of no examples."""
        return {"rows": self.whole.untrained(TOWER, seed)}

    def trained(self, n, seed, shuffled=False):
        """Train on `n` examples."""
        fewer = with_fewer(self.home, n, seed)
        measuring = Measuring(fewer, {self.test: (fewer, "test")}, MEASURES, self.threads)
        return {"n": n, **measuring.trained(recipe_of(n), seed, shuffled=shuffled)}


def tables(experiment, found):
    """Return the Markdown of the finished pieces."""
    rows = rows_of(found.values())
    names = [f"tower, {n} examples" for n in experiment.sizes]
    order = ["random", "query-blind", "BM25", "tower, untrained", *(f"{name}, shuffled" for name in names), *names]
    pairs = [
        (name, other) for name in names for other in ("tower, untrained", f"{name}, shuffled", "query-blind", "BM25")
    ]
    pairs += [(name, smaller) for smaller, name in pairwise(names)]
    untrained = "hybrid with tower, untrained"
    pairs += [(f"hybrid with {name}", other) for name in names for other in ("BM25", untrained)]
    test = experiment.test
    blocks = [
        means_table(rows, test, MEASURES, [*order, untrained, *(f"hybrid with {name}" for name in names)]),
        differences_table(rows, [test], pairs, MEASURES[:1]),
        "Epochs, batch and rate: " + "; ".join(f"{n}: {recipe_of(n).training}" for n in experiment.sizes),
        f"Failed runs: {', '.join(key for key, record in found.items() if record.get('failure')) or 'none'}",
    ]
    return "\n\n".join(blocks)


def main():
    """Make the pieces, print the tables."""
    options = parser(__doc__)
    options.add_argument("--collection", default="msmarco-passage-32k", choices=sorted(SIZES))
    arguments = options.parse_args()
    experiment = Experiment(arguments.data, arguments.collection, arguments.seeds, arguments.threads)
    about = {"home": experiment.home.fingerprint(), "recipes": [str(recipe_of(n)) for n in experiment.sizes]}
    found = make_pieces(arguments, f"data_efficiency-{arguments.collection}", about, experiment.pieces())
    print(tables(experiment, found))


if __name__ == "__main__":
    main()
