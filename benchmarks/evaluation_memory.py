"""Question: how much memory does it take to evaluate a run of a million queries that stands in a file?

Makes a TREC run (10 hits a query) and TREC qrels (2 judgements a query) with a seed in a temporary folder, evaluates them in a process of
its own, streamed, and prints the peak of its memory beside that of a process that only imports the room. With --how table the run is
read into a RunTable first, which is what a file needs whose queries do not stand together; with --how dict into dictionaries.

Command: python benchmarks/evaluation_memory.py --queries 1000000 --hits 10
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

MEASURES = ["nDCG@10", "AP", "RR", "R@10"]
CHILD = """
import json, resource, sys, time
import twotower as tt
run, qrels, how, measures = *sys.argv[1:4], json.loads(sys.argv[4])
means = tt.evaluate({"q": {"d": 1.0}}, {"q": {"d": 1}}, measures)
started = time.perf_counter()
if how == "stream":
    means = tt.evaluate_table(run, qrels, measures).means()
elif how == "table":
    means = tt.evaluate_table(tt.RunTable.read(run), qrels, measures).means()
elif how == "dict":
    means = tt.evaluate(tt.read_run(run), tt.read_qrels(qrels), measures)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"peak_mb": round(peak), "seconds": round(seconds, 1), "means": means}))
"""


def write_files(folder, n_queries, n_hits):
    rng = random.Random(0)
    with (folder / "run.trec").open("w") as run, (folder / "qrels.txt").open("w") as qrels:
        for query in range(n_queries):
            docs = rng.sample(range(8_841_823), n_hits)  # as many passages as MS MARCO has
            for place, doc in enumerate(docs, 1):
                run.write(f"{query} Q0 {doc} {place} {20 - 1.5 * place:.4f} twotower\n")
            qrels.write(f"{query} 0 {docs[rng.randrange(n_hits)]} 1\n{query} 0 m{query} 1\n")


def measured(run, qrels, how):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(run), str(qrels), how, json.dumps(MEASURES)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--hits", type=int, default=10)
    parser.add_argument("--how", choices=["stream", "table", "dict"], default="stream")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, options.queries, options.hits)
        row = {
            "queries": options.queries,
            "hits": options.hits,
            "how": options.how,
            "run_mb": round((folder / "run.trec").stat().st_size / 2**20),
            "qrels_mb": round((folder / "qrels.txt").stat().st_size / 2**20),
            "import_alone_peak_mb": measured("", "", "nothing")["peak_mb"],
            **measured(folder / "run.trec", folder / "qrels.txt", options.how),
        }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
