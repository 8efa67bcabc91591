"""Question: does BM25 fused with all-MiniLM-L6-v2, tuned on train and valid splits alone, beat the better of the two on test splits?

Data: scifact, msmarco-passage-32k (test, dl19, dl20), cranfield, cacm, under the folder given. Baselines: both parents, untuned fusions,
a shuffled parent, random documents. The protocol was written first: docs/decisions/fusion.md. Results: docs/results.md.
Command: python benchmarks/hybrid_minilm.py $DATA --out hybrid_minilm
"""

import argparse
import json
import sys
from pathlib import Path

from minilm import MiniLM

import twotower as tt
from twotower.experiments import FusionCase, fusion_experiment

CASES = {
    "scifact": (["train"], ["test"]),
    "cranfield": ([], ["test"]),
    "cacm": ([], ["test"]),
    "msmarco-passage-32k": (["train", "valid"], ["test", "dl19", "dl20"]),
}


def make_case(folder, tune, tests, threads):
    """Read a collection and index it twice."""
    collection = tt.load_collection(str(folder))
    texts, doc_ids = [document.full_text for document in collection.corpus.values()], list(collection.corpus)
    model = MiniLM().load(collection)
    dense = tt.Dense(model, tt.FlatIndex.build(model.encode_documents(texts), doc_ids), name="MiniLM")
    known = tt.BM25Index.build(texts, doc_ids, k1=1.2, b=0.75, threads=threads)
    beside = {"BM25, k1 = 1.2, b = .75": known}
    return FusionCase(collection, [tt.BM25Index.build(texts, doc_ids, threads=threads), dense], tune, tests, beside)


def main():
    """Run the experiment and write tables, figures and the sensitivity plots."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the collections")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables, figures and plots")
    parser.add_argument("--threads", type=int, default=1, help="for building indexes; 0 is every core")
    parser.add_argument("--depth", type=int, default=100)
    arguments = parser.parse_args()
    cases = [make_case(arguments.data / name, *splits, arguments.threads) for name, splits in CASES.items()]
    result = fusion_experiment(cases, depth=arguments.depth, log=lambda line: print(line, file=sys.stderr))
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "result.md").write_text(result.to_markdown() + "\n")
    (arguments.out / "result.json").write_text(json.dumps(result.to_dict(), indent=1) + "\n")
    tuned = result.kinds[result.kind]
    for name, tuning in {**tuned.own, "together": tuned.pooled}.items():
        (arguments.out / f"sensitivity-{name}.svg").write_text(tuning.plot())
    print(result.to_markdown())


if __name__ == "__main__":
    main()
