"""What does a start without labels bring a small tower that has 1,300 or fewer labelled pairs?

Question  nDCG@10 and R@100 of an average tower untrained, fine-tuned on the labels alone, and started by word2vec, by the Inverse
          Cloze Task, or by both, without and with the labels; beside BM25, the hybrid, a query-blind ranking, and the twins that
          learned from shuffled labels and from shuffled pseudo-pairs.
Data      msmarco-passage-32k (train, valid, test, dl19, dl20); scifact, whose train claims are cut here into train and valid, so
          that no abstract is judged in both. Pre-training reads the collection's own texts, or these and passages of wiki-passages.
Choices   On valid alone (`--choose` prints them); the test splits are measured once, at the end, for all rows and seeds.
Command   python benchmarks/pretraining.py DATA --out FOLDER --seeds 3
Cost      About 0.3 CPU hours on one thread: 3 minutes a seed of msmarco-passage-32k, 2 of scifact. Every model and run is kept in
          FOLDER, so that a stopped run goes on; a piece takes half a minute at most.
"""

import argparse
import json
import lzma
import time
import zlib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch

from twotower import (
    BM25Index,
    Collection,
    Dense,
    Document,
    FlatIndex,
    Hybrid,
    TwoTower,
    compare,
    evaluate,
    load_collection,
    search_split,
    train,
)
from twotower.experiments.searched import SearchedCorpus
from twotower.pretraining import ict, start_from_words
from twotower.pretraining.run import joined_corpora
from twotower.text import Analyzer, Vocabulary, WordPiece

MEASURES = ["nDCG@10", "R@100"]
TESTS = {"msmarco-passage-32k": ["test", "dl19", "dl20"], "scifact": ["test"]}
DIM = 256
ICT = {"epochs": 4, "batch_size": 512, "lr": 0.1}
FINE = {"epochs": 8, "batch_size": 256, "lr": 0.05}
WORDS = {"epochs": 2, "random_share": 0.5}
SHUFFLED = "shuffled"


def collection_of(data: Path, name: str) -> Collection:
    """Load a collection; scifact gets a valid split from its train queries.

    Claims about one abstract are alike, so the abstracts are split: a quarter of them, chosen by the checksum of their ids, are
    what valid asks for and train never sees. Claims with abstracts on both sides are left out.
    """
    collection = load_collection(data / name)
    if "valid" not in collection.qrels:
        parts: dict[str, dict] = {"train": {}, "valid": {}}
        for query_id, judged in collection.qrels["train"].items():
            sides = {zlib.crc32(doc_id.encode()) % 4 == 0 for doc_id in judged}
            if len(sides) == 1:
                parts["valid" if sides.pop() else "train"][query_id] = judged
        collection.qrels.update(parts)
    return collection


def wiki(data: Path, n: int) -> Collection:
    """Return the first passages of wiki-passages."""
    with lzma.open(data / "wiki-passages" / "corpus.jsonl.xz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for _, line in zip(range(n), file, strict=False)]
    return Collection("wiki-passages", {row["_id"]: Document(row["text"], row["title"]) for row in rows}, {})


class Bench:
    """One collection and one seed: models by name, each kept in the folder once it is made."""

    def __init__(self, data: Path, name: str, seed: int, out: Path, *, tokens: int | None, n_wiki: int) -> None:
        self.data, self.seed, self.tokens, self.n_wiki = data, seed, tokens, n_wiki
        self.collection = collection_of(data, name)
        self.tests = TESTS[name]
        self.folder = out / f"{name}-{tokens or 'words'}-{seed}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.texts = [document.full_text for document in self.collection.corpus.values()]
        self.doc_ids = list(self.collection.corpus)
        self.own = Collection(name, self.collection.corpus, {})
        self.shared = {"seed": seed, "threads": 1, "progress": False}

    def untrained(self) -> TwoTower:
        """Return the first weights."""
        texts = [*self.texts, *(self.collection.queries[q] for q in self.collection.qrels["train"])]
        if self.tokens:
            return TwoTower.average(
                WordPiece.train(texts, self.tokens, progress=False), dim=DIM, max_terms=256, seed=self.seed
            )
        return TwoTower.average(Vocabulary.count(texts, Analyzer("english")), "english", dim=DIM, seed=self.seed)

    def model(self, name: str, start: str | None, learn: Callable[[TwoTower], object]) -> TwoTower:
        """Return a model of the folder, or make it from another one."""
        path = self.folder / name.replace(" ", "_")
        if not path.exists():
            began = time.process_time()
            model = (
                self.untrained()
                if start is None
                else deepcopy(TwoTower.from_pretrained(self.folder / start.replace(" ", "_")))
            )
            learn(model)
            model.save_pretrained(path)
            seconds = round(time.process_time() - began, 1)
            print(json.dumps({"made": str(path.relative_to(path.parents[1])), "cpu_s": seconds}), flush=True)
        return TwoTower.from_pretrained(path)

    def words(self, model: TwoTower, **options: object) -> None:
        """word2vec over the collection's own texts."""
        start_from_words(model, self.texts, seed=self.seed, progress=False, **{**WORDS, **options})

    def pairs(self, model: TwoTower, *, more: bool = False, shuffle: bool = False, **options: object) -> None:
        """The Inverse Cloze Task over these texts, and those of Wikipedia if there shall be `more`."""
        corpus = joined_corpora([self.own, wiki(self.data, self.n_wiki)]) if more else self.own
        source = ict(corpus, labelled=self.collection)
        train(model, source, **{**ICT, **options}, shuffle_labels=shuffle, **self.shared)

    def labels(self, model: TwoTower, *, shuffle: bool = False, **options: object) -> None:
        """The labelled pairs."""
        train(model, self.collection, **{**FINE, **options}, shuffle_labels=shuffle, **self.shared)

    def dense(self, model: TwoTower) -> Dense:
        """Index the corpus."""
        return Dense(model, FlatIndex.build(model.encode_documents(self.texts), self.doc_ids))

    def rows(self) -> list[str]:
        """Make all models; return their names in the order of the story."""
        nothing = lambda model: None  # noqa: E731
        shuffled = lambda function: lambda model: function(model, shuffle=True)  # noqa: E731
        plan = [
            ("untrained", None, nothing),
            ("labels", "untrained", self.labels),
            ("shuffled labels", "untrained", shuffled(self.labels)),
            ("word2vec", "untrained", self.words),
            ("word2vec, labels", "word2vec", self.labels),
            ("shuffled ICT", "untrained", shuffled(self.pairs)),
            ("ICT", "untrained", self.pairs),
            ("ICT, labels", "ICT", self.labels),
            ("ICT, shuffled labels", "ICT", shuffled(self.labels)),
            ("word2vec, ICT", "word2vec", self.pairs),
            ("word2vec, ICT, labels", "word2vec, ICT", self.labels),
        ]
        if self.n_wiki:
            plan += [
                ("ICT with wiki", "untrained", lambda model: self.pairs(model, more=True)),
                ("ICT with wiki, labels", "ICT with wiki", self.labels),
            ]
        for step in plan:
            self.model(*step)
        return [name for name, _, _ in plan]

    def runs(self, name: str, splits: list[str], bm25: BM25Index) -> dict[str, dict]:
        """Return the runs of a row on splits, from the folder if they are there."""
        path = self.folder / f"{name.replace(' ', '_')}.runs-{'-'.join(splits)}.json"
        if not path.exists():
            runs = {split: search_split(self.searcher(name, bm25), self.collection, split, k=100) for split in splits}
            path.write_text(json.dumps(runs))
        return json.loads(path.read_text())

    def searcher(self, name: str, bm25: BM25Index) -> object:
        """Return what a row searches with."""
        if name == "BM25":
            return bm25
        if name == "query-blind":
            untrained = self.model("untrained", None, lambda model: None)
            return SearchedCorpus(self.collection).query_blind(untrained, "train")
        if name.startswith("hybrid of "):
            hybrid = Hybrid(
                [bm25, self.dense(self.model(name.removeprefix("hybrid of "), None, lambda model: None))],
                fusion="linear",
            )
            hybrid.tune(self.collection, split="valid")
            return hybrid
        return self.dense(self.model(name, None, lambda model: None))


def choose(bench: Bench, wanted: str) -> None:
    """Print figures on valid of what could be chosen; each is a model that is not kept."""
    grids = [
        ("untrained", lambda m: None),
        *[(f"labels lr {lr}", lambda m, lr=lr: bench.labels(m, lr=lr)) for lr in (0.05, 0.2)],
        *[(f"ICT lr {lr}", lambda m, lr=lr: bench.pairs(m, lr=lr)) for lr in (0.05, 0.1, 0.3)],
        *[(f"ICT, labels lr {lr}", lambda m, lr=lr: (bench.pairs(m), bench.labels(m, lr=lr))) for lr in (0.02, 0.1)],
        *[(f"word2vec random {s}", lambda m, s=s: bench.words(m, random_share=s)) for s in (0.5, 0.2, 0.8)],
        ("word2vec cbow", lambda m: bench.words(m, method="cbow")),
        ("word2vec unweighted", lambda m: bench.words(m, frequent=None)),
    ]
    for name, learn in [one for one in grids if wanted in one[0]]:
        began = time.process_time()
        model = bench.untrained()
        learn(model)
        run = search_split(bench.dense(model), bench.collection, "valid", k=100)
        found = evaluate(run, bench.collection.qrels["valid"], ["RR@10", *MEASURES])
        figures = {measure: round(value, 4) for measure, value in found.items()}
        print(
            json.dumps({"chosen on": "valid", "what": name, **figures, "cpu_s": round(time.process_time() - began, 1)}),
            flush=True,
        )


def table(benches: list[Bench], names: list[str], splits: list[str]) -> str:
    """Return the tables of a collection as text."""
    first = benches[0]
    bm25 = BM25Index.build(first.texts, first.doc_ids, threads=1)
    runs = {name: [bench.runs(name, splits, bm25) for bench in benches] for name in names}
    lines = [f"| {first.collection.name} | " + " | ".join(f"{s} {m}" for s in splits for m in MEASURES) + " |"]
    lines.append("|---" * (1 + len(splits) * len(MEASURES)) + "|")
    for name, found in runs.items():
        cells = []
        for split in splits:
            values = [evaluate(run[split], first.collection.qrels[split], MEASURES) for run in found]
            for measure in MEASURES:
                one = [value[measure] for value in values]
                spread = f" ± {np.std(one, ddof=1):.3f}" if len(one) > 1 and np.std(one) > 0 else ""
                cells.append(f"{np.mean(one):.3f}{spread}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| split | difference in nDCG@10 | mean | 95 % interval | p |", "|---|---|---|---|---|"]
    untrained, hybrid = names[-2:]
    best = hybrid.removeprefix("hybrid of ")
    pairs = [
        ("labels", "untrained"), ("labels", "shuffled labels"), ("word2vec", "untrained"), ("word2vec, labels", "labels"),
        ("ICT", "untrained"), ("ICT", "shuffled ICT"), ("ICT", "labels"), ("ICT, labels", "labels"), ("ICT, labels", "ICT"),
        ("ICT, labels", "ICT, shuffled labels"), ("word2vec, ICT, labels", "ICT, labels"), (best, "ICT, labels"),
        ("ICT, labels", "BM25"), (best, "query-blind"), (best, "BM25"), (hybrid, "BM25"), (untrained, "BM25"), (hybrid, untrained),
    ]  # fmt: skip
    for split in splits:
        for name, baseline in dict.fromkeys(pairs):
            if name == baseline or name not in runs or baseline not in runs:
                continue
            both = {key: [found[split] for found in runs[key]] for key in (baseline, name)}
            for d in compare(both, first.collection.qrels[split], MEASURES[:1]).differences:
                lines.append(
                    f"| {split} | {d.name} - {d.baseline} | {d.difference:+.3f} | {d.low:+.3f} to {d.high:+.3f} | {d.p:.4f} |"
                )
    return "\n".join(lines)


def main() -> None:
    """Make what is missing, then print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--collections", nargs="+", default=list(TESTS))
    parser.add_argument("--tokens", type=int, help="Subwords instead of words.")
    parser.add_argument(
        "--wiki",
        type=int,
        default=0,
        help="Passages of wiki-passages for two more rows; about a minute a seed for 60,000.",
    )
    parser.add_argument(
        "--choose", help="Print figures on valid of seed 0 of what has this text in its name, and stop."
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.collections:
        make = lambda seed, name=name: Bench(  # noqa: E731
            arguments.data, name, seed, arguments.out, tokens=arguments.tokens, n_wiki=arguments.wiki
        )
        if arguments.choose is not None:
            choose(make(0), arguments.choose)
            continue
        benches = [make(seed) for seed in range(arguments.seeds)]
        plans = [bench.rows() for bench in benches]
        names = plans[0]
        names = ["query-blind", "BM25", *names, "hybrid of untrained", f"hybrid of {names[-1]}"]
        print(table(benches, names, TESTS[name]), flush=True)


if __name__ == "__main__":
    main()
