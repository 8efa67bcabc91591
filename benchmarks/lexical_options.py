"""What a search with options of its own costs: the first, those before quantising, those after, and a whole tuning loop.

Question  Is a tuning loop over k1 and b faster with options of each call than by building an index for each?
Data      msmarco-passage-32k, its 350 test queries; CPU time of the process, one thread, medians.
Command   PYTHONPATH=tests/python python benchmarks/lexical_options.py
"""

import json
import time

import numpy as np

import twotower as tt
from real_data import require


def cpu_ms(call):
    started = time.process_time()
    call()
    return 1000 * (time.process_time() - started)


def main():
    collection = tt.load_collection(require("msmarco-passage-32k"))
    analyzer = tt.Analyzer("english")
    documents = analyzer.analyze_batch([document.full_text for document in collection.corpus.values()], 1)
    queries = analyzer.analyze_batch([collection.queries[q] for q in collection.split("test")], 1)
    index = tt.BM25Index.build(documents, threads=1)
    index.search(queries)
    rows = {"documents": len(index), "postings": index.memory()["docs"] // 4, "queries": len(queries)}
    rows["own options, ms"] = np.median([cpu_ms(lambda: index.search(queries)) for _ in range(7)])
    grid = [(k1, b) for k1 in np.arange(0.4, 1.2, 0.2) for b in (0.4, 0.8)]
    searches = [[cpu_ms(lambda: index.search(queries, k1=k1, b=b)) for _ in range(4)] for k1, b in grid]  # noqa: B023
    rows["options of a call, ms, searches 1 to 4"] = np.median(searches, axis=0).tolist()
    one = [[cpu_ms(lambda: index.search(queries[:1], k1=k1 + 0.05, b=b)) for _ in range(2)] for k1, b in grid]  # noqa: B023
    rows["one query, ms, searches 1 and 2"] = np.median(one, axis=0).tolist()
    rows["a new index and a search, ms"] = np.median(
        [cpu_ms(lambda: tt.BM25Index.build(documents, k1=k1, b=b, threads=1).search(queries)) for k1, b in grid[:3]]  # noqa: B023
    )
    rows["quantise for new options and search, ms"] = np.median(
        [cpu_ms(lambda: index.search(queries, k1=k1 + 0.01, b=b, algorithm="adaptive")) for k1, b in grid]  # noqa: B023
    )
    rows["kept, bytes"] = index.memory()["other_scorers"]
    rows["own, bytes"] = index.memory()["impacts"]
    print(json.dumps({k: np.round(v, 2).tolist() for k, v in rows.items()}))


if __name__ == "__main__":
    main()
