"""DPR's Table 3 over light towers: which negatives, shared in the batch or not, and how many?

Question  Share of the questions whose gold passage is among the first 1, 5, 20, 100, for average towers trained with random documents,
          BM25's best ones, or the gold passages of other questions as negatives; each question with its own negatives only, or every
          passage of the batch a negative of every question; 7, 31 or 127 others; with 1 or 2 of BM25's best documents more.
Design    Karpukhin et al. 2020, section 5.2 and table 3: the same nine rows. Differences: towers over subwords from nothing, not BERT;
          success is finding the judged passage, not an answer string. The first three rows are trained in batches of 8, as the fourth
          is, so that they differ from it in sharing alone. Epochs and pairs are the same for all rows, so small batches take more steps;
          the learning rate of each row is the best of RATES on valid, with a seed of its own.
Data      msmarco-passage-32k (1,300 training pairs), and 3,000 pairs of pubmed-titles over its whole corpus.
Command   python benchmarks/dpr_table.py DATA --out OUT [--collection pubmed-titles]
Cost      About .2 CPU hours (msmarco-passage-32k) and .35 (pubmed-titles); resumable.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from experiment_arguments import make_pieces, parser

from twotower import load_collection, mine
from twotower.data.titles import title_collection
from twotower.errors import InvalidInputError
from twotower.experiments import Recipe
from twotower.experiments.measuring import Measuring, with_fewer
from twotower.experiments.pieces import Piece
from twotower.experiments.seed_tables import differences_table, means_table, rows_of
from twotower.losses.contrastive import in_batch_loss
from twotower.negatives.any_document import AnyDocument
from twotower.negatives.doc_lists import DocLists
from twotower.negatives.source import Source

MEASURES = ("Success@1", "Success@5", "Success@20", "Success@100")
RATES = {8: (0.005, 0.01, 0.02, 0.05, 0.1), 32: (0.02, 0.05, 0.1, 0.2), 128: (0.05, 0.1, 0.2)}  # by size of the batch
TUNING_SEED = 100
DEPTH, EPOCHS = 50, 4
TOWER = Recipe("tower", "average", {"dim": 256, "max_terms": 256}, n_tokens=4000)


@dataclass(frozen=True)
class Row:
    """A line of the table: where negatives come from, the size of a batch, explicit negatives a question, shared or not."""

    name: str
    source: str
    batch_size: int
    per_query: int = 0
    shared: bool = True


TABLE = [
    Row("Random 7, own", "random", 8, 7, shared=False),
    Row("BM25 7, own", "bm25", 8, 7, shared=False),
    Row("Gold 7, own", "gold", 8, 7, shared=False),
    Row("Gold 7, in-batch", "", 8),
    Row("Gold 31, in-batch", "", 32),
    Row("Gold 127, in-batch", "", 128),
    Row("Gold 31 + 32 BM25(1), in-batch", "bm25", 32, 1),
    Row("Gold 31 + 64 BM25(2), in-batch", "bm25", 32, 2),
    Row("Gold 127 + 128 BM25(1), in-batch", "bm25", 128, 1),
]
CONTROL = TABLE[5]
PAIRS = [
    ("Gold 7, in-batch", "Gold 7, own"),
    ("BM25 7, own", "Random 7, own"),
    ("Gold 7, own", "Random 7, own"),
    ("Gold 31, in-batch", "Gold 7, in-batch"),
    ("Gold 127, in-batch", "Gold 31, in-batch"),
    ("Gold 31 + 32 BM25(1), in-batch", "Gold 31, in-batch"),
    ("Gold 31 + 64 BM25(2), in-batch", "Gold 31 + 32 BM25(1), in-batch"),
    ("Gold 127 + 128 BM25(1), in-batch", "Gold 127, in-batch"),
    ("Gold 127 + 128 BM25(1), in-batch", "BM25"),
    ("Gold 127, in-batch", "tower, untrained"),
    ("Gold 127, in-batch", f"{CONTROL.name}, shuffled"),
    ("Gold 127, in-batch", "query-blind"),
]


@dataclass(frozen=True)
class OtherGold(Source):
    """The passages that are relevant to other questions: each drawn with the same chance."""

    def prepare(self, task):
        """Return the gold passages, without what is known of each question."""
        gold = np.unique(task.positives.docs).astype(np.int64)
        place = {doc: at for at, doc in enumerate(gold.tolist())}
        known = ([place[d] for d in task.known[q].tolist() if d in place] for q in range(len(task.query_ids)))
        return Relabelled(AnyDocument(len(gold), DocLists.of(known)), gold)


@dataclass(frozen=True)
class Relabelled:
    """Draws places, and returns the documents that stand there."""

    places: AnyDocument
    docs: np.ndarray

    def draw(self, queries, n, generator):
        """As `twotower.negatives.source.Pools`."""
        asked, drawn = self.places.draw(queries, n, generator)
        return asked, self.docs[drawn]


def own_negatives_loss(queries, documents, positive, excluded, *, per_query, temperature=0.05):
    """Return the contrastive loss of each question over its positive and its own `per_query` negatives, and no others.

    The batch has B positives, then the negatives question by question, so many for each. A document that came before in the batch
    counts for the first question only, as everywhere in this package.
    """
    n = len(queries)
    if len(documents) != n * (1 + per_query):
        raise InvalidInputError(f"{len(documents)} documents for {n} questions with {per_query} negatives each")
    column = torch.arange(len(documents))
    owner = torch.where(column < n, column, (column - n) // per_query)
    strangers = owner != torch.arange(n).unsqueeze(1)
    return in_batch_loss(queries, documents, positive, excluded | strangers, temperature=temperature)


def best_of_bm25(measuring, least):
    """Return BM25's best documents of each training question, filled up by chance where fewer than `least` share a word with it."""
    home = measuring.home
    found = mine.mine(mine.bm25(home.bm25, depth=DEPTH), home.collection, threads=measuring.threads)
    number = {doc_id: doc for doc, doc_id in enumerate(home.doc_ids)}
    wanted = {q: {number[d] for d in judged} for q, judged in home.collection.qrels["train"].items()}
    draw = np.random.default_rng(0)
    lists = []
    for row, query_id in enumerate(found.query_ids):
        docs = found.lists[row].tolist()
        while len(docs) < least:
            other = int(draw.integers(len(number)))
            if other not in docs and other not in wanted[query_id]:
                docs.append(other)
        lists.append(docs)
    return replace(found, lists=DocLists.of(lists))


def recipe_of(row, lr, bm25):
    """Return the recipe of a line; `bm25` makes the mined negatives."""
    sources = {
        "random": lambda: mine.random(row.per_query),
        "gold": lambda: OtherGold(row.per_query),
        "bm25": lambda: replace(bm25(), per_query=row.per_query),
    }
    training = {"epochs": EPOCHS, "batch_size": row.batch_size, "lr": lr}
    if row.source:
        training["negatives"] = sources[row.source]()
    if not row.shared:
        training["loss"] = partial(own_negatives_loss, per_query=row.per_query)
    return replace(TOWER, name=row.name, training=training)


class Table:
    """The pieces of the table over one collection."""

    def __init__(self, measuring, seeds, scale):
        self.measuring, self.seeds, self.scale = measuring, range(seeds), scale
        self.rates, self.mined = {}, None

    def bm25(self):
        """Return the mined negatives, found once."""
        if self.mined is None:
            self.mined = best_of_bm25(self.measuring, least=7)
        return self.mined

    def pieces(self, found):
        """Return all pieces; those of training read the rates from `found`, the pieces finished so far."""
        seconds = {row: self.scale * (1.0 + 0.5 * (row.per_query + (row.batch_size == 8))) for row in TABLE}
        pieces = [
            Piece(f"tune/{row.name}/{lr}", seconds[row], lambda row=row, lr=lr: self.tried(row, lr))
            for row in TABLE
            for lr in RATES[row.batch_size]
        ]
        pieces.append(Piece("controls", 8 * self.scale, self.controls))
        for seed in self.seeds:
            pieces.append(Piece(f"untrained/{seed}", self.scale, lambda seed=seed: self.untrained(seed)))
            pieces += [
                Piece(
                    f"train/{row.name}/{seed}",
                    seconds[row] + self.scale,
                    lambda row=row, seed=seed: self.trained(row, seed, found),
                )
                for row in TABLE
            ]
            pieces.append(
                Piece(
                    f"shuffled/{seed}",
                    seconds[CONTROL] + self.scale,
                    lambda seed=seed: self.trained(CONTROL, seed, found, shuffled=True),
                )
            )
        return pieces

    def tried(self, row, lr):
        """Train with one rate, and return what valid says: no test split is searched."""
        return self.measuring.tried(recipe_of(row, lr, self.bm25), TUNING_SEED)

    def controls(self):
        """Return the rows without training."""
        return {"rows": self.measuring.controls(TOWER.build(self.measuring.home.collection, 0))}

    def untrained(self, seed):
        """Return the row of the untrained tower."""
        return {"rows": self.measuring.untrained(TOWER, seed)}

    def trained(self, row, seed, found, shuffled=False):
        """Train a line with the rate that was best on valid."""
        lr = best_rate(row, found())
        return {
            "lr": lr,
            **self.measuring.trained(recipe_of(row, lr, self.bm25), seed, shuffled=shuffled, hybrid=False),
        }


def best_rate(row, found):
    """Return the rate of a line with the highest figure on valid."""
    return max(RATES[row.batch_size], key=lambda lr: found[f"tune/{row.name}/{lr}"]["best"])


def task_of(data, name):
    """Return the collection, its tests, and how long a unit of work takes on it."""
    if name == "pubmed-titles":
        home = with_fewer(title_collection(load_collection(data / name)), 3000)
        return home, {"pubmed-titles test": (home, "test")}, 4.0
    home = load_collection(data / name)
    return home, {f"{name} test": (home, "test")}, 2.5


def main():
    """Make the pieces, print the tables."""
    options = parser(__doc__)
    options.add_argument(
        "--collection", default="msmarco-passage-32k", choices=["msmarco-passage-32k", "pubmed-titles"]
    )
    arguments = options.parse_args()
    home, tests, scale = task_of(arguments.data, arguments.collection)
    measuring = Measuring(home, tests, MEASURES, arguments.threads)
    table = Table(measuring, arguments.seeds, scale)
    about = {"home": home.fingerprint(), "rates": RATES, "epochs": EPOCHS, "tower": str(TOWER)}
    name = f"dpr_table-{arguments.collection}"
    tuning = [piece for piece in table.pieces(dict) if piece.key.startswith("tune/")]
    found = make_pieces(arguments, name, about, tuning)
    found = make_pieces(arguments, name, about, table.pieces(lambda: found))
    print(tables(found, next(iter(tests))))


def tables(found, test):
    """Return the Markdown of the finished pieces."""
    rows = rows_of(record for key, record in found.items() if not key.startswith("tune/"))
    order = ["random", "query-blind", "BM25", "tower, untrained", f"{CONTROL.name}, shuffled", *(r.name for r in TABLE)]
    chosen = [
        f"{row.name}: {best_rate(row, found)}"
        for row in TABLE
        if all(f"tune/{row.name}/{lr}" in found for lr in RATES[row.batch_size])
    ]
    blocks = [means_table(rows, test, MEASURES, order), differences_table(rows, [test], PAIRS, MEASURES[1:3])]
    failed = [key for key, record in found.items() if record.get("failure")]
    return "\n\n".join([*blocks, "Learning rates: " + "; ".join(chosen), f"Failed runs: {', '.join(failed) or 'none'}"])


if __name__ == "__main__":
    main()
