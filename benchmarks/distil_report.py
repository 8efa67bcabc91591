"""The table of distil_minilm.py: nDCG@10 of students, twins, BM25, MiniLM and their fusions, and how fast they encode."""

import json
import sys
import time

import numpy as np
from minilm import MiniLM

import twotower as tt
from twotower.evaluation.evaluate import evaluate_table
from twotower.search import tune_together

DEPTH = 100
FUSED = ("MiniLM", "student, seed 0")


def measure(searcher, collection, split):
    """Return nDCG@10 of every query."""
    run = tt.search_split(searcher, collection, split, k=DEPTH)
    return evaluate_table(run, collection.qrels[split], ["nDCG@10"]).values[:, 0]


def report(options):
    """Fit all seeds and twins, search every collection, print a table as Markdown and the speeds as JSON."""
    from distil_minilm import TESTS, VALID

    models = students(options)
    tunings = {label: tune(options, models[label], VALID) for label in FUSED}
    for label, tuning in tunings.items():
        print(json.dumps({"fused": ["BM25", label], "weights": tuning.weights}))
    show(measured(options, models, VALID if options.valid else TESTS, tunings))
    if not options.valid:
        speed(options, models["student, seed 0"])


def students(options):
    """Return the models by their names in the table."""
    from distil_minilm import QueryBlind, Student, fit, untrained

    fitted = [fit(options, seed) for seed in range(1 if options.valid else options.seeds)]
    tables = {f"student, seed {seed}": after for seed, (_, after) in enumerate(fitted)}
    tables["without the rankings"] = fitted[0][0]
    tables["untrained"] = untrained(options, fitted[0][0].shape[1])
    if not options.valid:
        tables["shuffled teacher"] = fit(options, 0, shuffled=True)[1]
    models = {"MiniLM": MiniLM()}
    models |= {name: Student(table, options.saturation) for name, table in tables.items()}
    return models | {"query-blind": QueryBlind(fitted[0][1], options.saturation)}


class Case:
    """A collection with its BM25 index; dense indexes are made one at a time."""

    def __init__(self, options, name):
        self.collection = tt.load_collection(str(options.data / name))
        self.texts = [document.full_text for document in self.collection.corpus.values()]
        self.bm25 = tt.BM25Index.build(self.texts, list(self.collection.corpus), threads=1)

    def dense(self, model):
        """Return exact search by a model's vectors."""
        model = model.load(self.collection) if isinstance(model, MiniLM) else model
        return tt.Dense(model, tt.FlatIndex.build(model.encode_documents(self.texts), list(self.collection.corpus)))


def tune(options, model, splits):
    """Return the weights of the convex fusion with BM25 that are best on the splits for choosing."""
    cases = {name: Case(options, name) for name in splits}
    return tune_together([
        (tt.Hybrid([case.bm25, case.dense(model)], fusion="convex"), case.collection, splits[name])
        for name, case in cases.items()
    ])  # fmt: skip


def measured(options, models, cases, tunings):
    """Return nDCG@10 by searcher and split."""
    from distil_minilm import log

    found = {}
    for name, splits in cases.items():
        case = Case(options, name)
        for label, model in {"BM25": None, **models}.items():
            searchers = {label: case.bm25 if model is None else case.dense(model)}
            if label in tunings:
                pair = case.bm25, searchers[label]
                searchers[f"BM25 + {label} (RRF)"] = tt.Hybrid(pair, fusion="rrf")
                searchers[f"BM25 + {label} (tuned)"] = tt.Hybrid(pair, fusion="convex").take(tunings[label])
            for split in splits:
                for key, searcher in searchers.items():
                    found.setdefault(key, {})[f"{name} {split}"] = measure(searcher, case.collection, split)
        log(f"{name} searched")
    return found


def show(found):
    """Print means by split, over all queries together, and the shares of MiniLM's and BM25's with intervals over queries."""
    splits = list(next(iter(found.values())))
    heads = [*splits, "all queries", "share of MiniLM (95 %)", "share of BM25 (95 %)"]
    print("| | " + " | ".join(heads) + " |\n" + "|---" * (len(heads) + 1) + "|")
    whole = {label: np.concatenate([values[split] for split in splits]) for label, values in found.items()}
    draws = np.random.default_rng(0).integers(0, len(whole["MiniLM"]), (2000, len(whole["MiniLM"])))
    for label, values in found.items():
        cells = [f"{values[split].mean():.3f}" for split in splits] + [f"{whole[label].mean():.3f}"]
        for other in ("MiniLM", "BM25"):
            low, high = np.percentile(whole[label][draws].mean(1) / whole[other][draws].mean(1), [2.5, 97.5])
            cells.append(f"{whole[label].mean() / whole[other].mean():.3f} ({low:.3f}, {high:.3f})")
        print(f"| {label} | " + " | ".join(cells) + " |")


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
