"""The table of distil_minilm.py: nDCG@10 of students, twins, BM25, MiniLM and their fusions, and how fast they encode."""

import json
import sys
import time

import numpy as np
from minilm import MiniLM

import twotower as tt
from twotower.evaluation.evaluate import evaluate_table

DEPTH = 100


def measure(searcher, collection, split):
    """Return nDCG@10 of every query."""
    run = tt.search_split(searcher, collection, split, k=DEPTH)
    return evaluate_table(run, collection.qrels[split], ["nDCG@10"]).values[:, 0]


def report(options, fit, cases):
    """Fit all seeds and twins, search every collection, print a table as Markdown and as JSON."""
    from distil_minilm import QueryBlind, Student, log

    n_seeds = 1 if options.valid else options.seeds
    tables = {f"student, seed {seed}": fit(options.data, options.out, seed, options) for seed in range(n_seeds)}
    models = {name: Student(table, name) for name, table in tables.items()}
    if options.valid:
        kept = np.load(options.out / "table-0-regression.npy", allow_pickle=False)
        models["regression only"] = Student(kept, "regression")
    else:
        first = tables["student, seed 0"]
        random = np.random.default_rng(0).normal(size=first.shape).astype(np.float32)
        models |= {
            "untrained": Student(random, "untrained"),
            "shuffled teacher": Student(fit(options.data, options.out, 0, options, True), "shuffled"),
            "query-blind": QueryBlind(first, "blind"),
        }
    found = {}
    for name, splits in cases.items():
        collection = tt.load_collection(str(options.data / name))
        texts, doc_ids = [document.full_text for document in collection.corpus.values()], list(collection.corpus)
        teacher = MiniLM().load(collection)
        bm25 = tt.BM25Index.build(texts, doc_ids, threads=1)
        searchers = {"BM25": bm25, "MiniLM": dense(teacher, texts, doc_ids)}
        searchers |= {label: dense(model, texts, doc_ids) for label, model in models.items()}
        searchers["BM25 + student, seed 0"] = tt.Hybrid([bm25, searchers["student, seed 0"]], fusion="rrf")
        searchers["BM25 + MiniLM"] = tt.Hybrid([bm25, searchers["MiniLM"]], fusion="rrf")
        for split in splits:
            for label, searcher in searchers.items():
                found.setdefault(label, {})[f"{name} {split}"] = measure(searcher, collection, split)
        log(f"{name} searched")
    show(found)
    if not options.valid:
        speed(options, models["student, seed 0"])


def dense(model, texts, doc_ids):
    """Return exact search by a model's vectors."""
    return tt.Dense(model, tt.FlatIndex.build(model.encode_documents(texts), doc_ids))


def show(found):
    """Print means by split, over all queries together, and the share of MiniLM's with an interval over queries."""
    splits = list(next(iter(found.values())))
    print(
        "| | " + " | ".join(splits) + " | all queries | share of MiniLM (95 %) |\n" + "|---" * (len(splits) + 3) + "|"
    )
    whole = {label: np.concatenate([values[split] for split in splits]) for label, values in found.items()}
    generator = np.random.default_rng(0)
    draws = generator.integers(0, len(whole["MiniLM"]), (2000, len(whole["MiniLM"])))
    for label, values in found.items():
        shares = whole[label][draws].mean(1) / whole["MiniLM"][draws].mean(1)
        low, high = np.percentile(shares, [2.5, 97.5])
        share = whole[label].mean() / whole["MiniLM"].mean()
        cells = [f"{values[split].mean():.3f}" for split in splits] + [f"{whole[label].mean():.3f}"]
        print(f"| {label} | " + " | ".join(cells) + f" | {share:.3f} ({low:.3f}, {high:.3f}) |")


def speed(options, student, n=256):
    """Print documents a second of both on scifact's first documents, one thread, in processor seconds."""
    collection = tt.load_collection(str(options.data / "scifact"))
    texts = [document.full_text for document in collection.corpus.values()]
    teacher = MiniLM().model
    student.encode_documents(texts[:100])
    teacher.encode(texts[:4], show_progress_bar=False)
    seconds = {}
    for name, encode, some in (
        ("student", student.encode_documents, texts),
        ("MiniLM", lambda few: teacher.encode(few, batch_size=32, show_progress_bar=False), texts[:n]),
    ):
        began = time.process_time()
        encode(some)
        seconds[name] = (time.process_time() - began) / len(some)
    line = {f"{name}_documents_per_s": round(1 / value) for name, value in seconds.items()}
    print(json.dumps({**line, "ratio": round(seconds["MiniLM"] / seconds["student"])}))
    sys.stdout.flush()
