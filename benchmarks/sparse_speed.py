"""Question: how fast are long queries of weighted terms (learned sparse vectors) answered, beside exact products of scipy's?

Data: the first N passages of wiki-passages and 300 MS MARCO questions of msmarco-passage-32k, as vectors with the shape of
SPLADE's: terms of the "english" analyzer, the 30,000 most frequent; each term also brings its nearest terms by positive
pointwise mutual information, in documents and queries, with a share of its weight (so about 200 terms a document and 27 a
query); weights are log(1 + sum) times idf for documents, idf-weighted sums for queries. No model made them.
Check: every algorithm equals "exhaustive" bit for bit; peers' scores are equal to 1e-4 relative.
Peers: sparse_dot_topn (matrix product with a top-n in C++) and scipy.sparse (product, then argpartition a row), one thread,
float32, from a matrix transposed beforehand; seismic (pyseismic-lsr), approximate, where it is installed: with its recall.
Time: CPU time of the process, interleaved rounds; a ratio is that of medians, its spread that of the rounds.
Command: PYTHONPATH=tests/python python benchmarks/sparse_speed.py --documents 50000
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import scipy.sparse
from lexical_speed import passages

import twotower as tt
from real_data import require
from twotower.index.native import core
from twotower.text import Analyzer, Vocabulary

N_QUERIES, N_TERMS = 300, 30_000
SAMPLE, NEAREST, SHARE = 20_000, 7, 0.4  # documents that mutual information is counted in; terms that a term brings


def counts(texts, analyzer, vocabulary):
    """Return occurrences as a CSR matrix [N, V]."""
    terms = analyzer.term_ids(texts, vocabulary, grow=False)
    rows = np.repeat(np.arange(len(texts)), np.diff(terms.offsets))
    known = terms.ids >= 0
    shape = (len(texts), len(vocabulary))
    matrix = scipy.sparse.csr_array((np.ones(known.sum(), np.float32), (rows[known], terms.ids[known])), shape)
    matrix.sum_duplicates()
    return matrix


def neighbours(matrix):
    """Return [V, V]: 1 on the diagonal, SHARE for each term's NEAREST terms by positive pointwise mutual information."""
    there = (matrix[:SAMPLE] > 0).astype(np.float32)
    df = np.asarray(there.sum(0)).ravel()
    together = (there.T @ there).tocsr()
    together.setdiag(0)
    together.data[together.data < 5] = 0
    together.eliminate_zeros()
    rows, columns = np.repeat(np.arange(together.shape[0]), np.diff(together.indptr)), together.indices
    together.data = np.log(together.data * there.shape[0] / (df[rows] * df[columns])) * np.log1p(together.data)
    kept = []
    for term in range(together.shape[0]):
        first, last = together.indptr[term : term + 2]
        order = np.argsort(-together.data[first:last], kind="stable")[:NEAREST]
        kept += [(term, int(together.indices[first + i])) for i in order if together.data[first + i] > 0]
    places = np.array(kept).T
    return scipy.sparse.eye_array(len(df), format="csr", dtype=np.float32) + scipy.sparse.csr_array(
        (np.full(len(kept), SHARE, np.float32), places), together.shape
    )


def vectors(n_docs):
    """Return documents and queries as CSR matrices of float32."""
    analyzer = Analyzer("english")
    texts = list(islice(passages(), n_docs))
    vocabulary = Vocabulary.count(texts, analyzer, max_size=N_TERMS)
    matrix = counts(texts, analyzer, vocabulary)
    with (require("msmarco-passage-32k") / "queries.jsonl").open() as file:
        asked = counts([json.loads(line)["text"] for line in islice(file, N_QUERIES)], analyzer, vocabulary)
    expand = neighbours(matrix)
    df = np.bincount(matrix.indices, minlength=len(vocabulary))
    idf = np.log(matrix.shape[0] / np.maximum(df, 1)).astype(np.float32)
    documents, queries = (matrix @ expand).tocsr(), (asked @ expand).tocsr()
    documents.data = np.log1p(documents.data) * idf[documents.indices]
    queries.data = queries.data * idf[queries.indices]
    queries = queries[np.diff(queries.indptr) > 0]
    for each in (documents, queries):
        each.sort_indices()
    return documents, queries


def cpu_seconds(work):
    started = time.process_time()
    work()
    return time.process_time() - started


def of_scipy(inverted):
    def search(queries, k):
        product = (queries @ inverted).tocsr()
        rows = []
        for first, last in pairwise(product.indptr.tolist()):
            scores = product.data[first:last]
            best = np.argpartition(-scores, min(k, len(scores)) - 1)[:k]
            rows.append(np.sort(scores[best])[::-1])
        return rows

    return search


def of_sparse_dot_topn(inverted):
    from sparse_dot_topn import sp_matmul_topn

    right = scipy.sparse.csr_matrix(inverted)

    def search(queries, k):
        product = sp_matmul_topn(scipy.sparse.csr_matrix(queries), right, k, sort=True, n_threads=1)
        return np.split(product.data, product.indptr[1:-1])

    return search


def recall_of_seismic(documents, queries, hits, k):
    """Return a row for the approximate peer: its time and the share of the true k best that it finds, or why it is absent."""
    try:
        from seismic import SeismicIndex, get_seismic_string
    except ImportError as error:
        return f"absent: {error}"
    text = get_seismic_string()

    def rows(matrix):
        names = np.array([str(t) for t in range(matrix.shape[1])], dtype=text)
        for first, last in pairwise(matrix.indptr.tolist()):
            yield names[matrix.indices[first:last]], matrix.data[first:last]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.jsonl"
        with path.open("w") as file:
            for i, (terms, weights) in enumerate(rows(documents)):
                vector = dict(zip(terms.tolist(), weights.tolist(), strict=True))
                file.write(json.dumps({"id": str(i), "content": "", "vector": vector}) + "\n")
        index = SeismicIndex.build(str(path))
    asked = list(rows(queries))
    numbers = np.array([str(i) for i in range(len(asked))], dtype=text)
    options = {"k": k, "query_cut": 10, "heap_factor": 0.8, "num_threads": 1}

    def search():
        return index.batch_search(numbers, [a for a, _ in asked], [w for _, w in asked], **options)

    found = {int(row[0][0]): {int(doc) for _, _, doc in row} for row in search() if row}
    shares = [len(found.get(q, set()) & set(hits.docs[q].tolist())) / k for q in range(len(hits))]
    return {
        "us": round(min(cpu_seconds(search) for _ in range(3)) / len(asked) * 1e6),
        "recall": round(float(np.mean(shares)), 4),
    }


def check(index, queries, k, peers):
    expected = index.search(queries, k, algorithm="exhaustive")
    for algorithm in ("auto", "windowed", "maxscore", "adaptive"):
        hits = index.search(queries, k, algorithm=algorithm)
        assert np.array_equal(hits.docs, expected.docs)
        assert np.array_equal(hits.scores, expected.scores)
    for peer in peers.values():
        for row, scores in zip(peer(queries, k), expected.scores, strict=True):
            np.testing.assert_allclose(row, scores[: len(row)], rtol=1e-4)
    return expected


def compare(index, queries, k, peers, rounds):
    sides = {
        f"twotower {a}": lambda a=a: index.search(queries, k, algorithm=a) for a in ("auto", *core.query_algorithms())
    }
    sides |= {name: lambda peer=peer: peer(queries, k) for name, peer in peers.items()}
    times = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            times[name].append(cpu_seconds(side) / queries.shape[0] * 1e6)
    ours = times["twotower auto"]
    row = {"k": k}
    for name, values in times.items():
        ratios = sorted(theirs / mine for theirs, mine in zip(values, ours, strict=True))
        median = statistics.median(values)
        ratio = round(median / statistics.median(ours), 2)
        row[name] = {"us": round(median), "ratio": ratio, "spread": [round(ratios[0], 2), round(ratios[-1], 2)]}
    for algorithm in ("auto", "windowed", "maxscore", "adaptive"):
        profile = index.profile(queries, k, algorithm=algorithm)[1]
        row[f"scored {algorithm}"] = round(profile.postings_scored / profile.postings, 3)
    profile = index.profile(queries, k)[1]
    row["postings_a_query"] = round(profile.postings / queries.shape[0])
    row["rescored_a_query"] = round(profile.rescored / queries.shape[0], 1)
    row["algorithms"] = profile.algorithms
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--k", default="10,100,1000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cache", type=Path, help="a folder that keeps the vectors from run to run")
    parser.add_argument("--seismic", action="store_true")
    args = parser.parse_args()
    paths = [args.cache / f"{part}-{args.documents}.npz" for part in ("documents", "queries")] if args.cache else []
    if paths and all(path.exists() for path in paths):
        documents, queries = (scipy.sparse.load_npz(path) for path in paths)
    else:
        documents, queries = vectors(args.documents)
        for path, matrix in zip(paths, (documents, queries), strict=False):
            scipy.sparse.save_npz(path, matrix, compressed=False)
    started = time.perf_counter()
    index = tt.SparseIndex.build(documents)
    row = {
        "benchmark": "sparse vectors, one thread, CPU time",
        "documents": len(index),
        "queries": queries.shape[0],
        "terms_a_document": round(documents.nnz / documents.shape[0], 1),
        "terms_a_query": round(queries.nnz / queries.shape[0], 1),
        "isa": tt.backend().isa,
        "machine": platform.processor() or platform.machine(),
        "build_s": round(time.perf_counter() - started, 2),
        "memory_bytes": index.memory(),
    }
    print(json.dumps(row), flush=True)
    inverted = documents.T.tocsr()
    peers = {"scipy": of_scipy(inverted)}
    try:
        peers["sparse_dot_topn"] = of_sparse_dot_topn(inverted)
    except ImportError as error:
        print(json.dumps({"sparse_dot_topn": f"absent: {error}"}))
    for k in map(int, args.k.split(",")):
        hits = check(index, queries, k, peers)
        row = compare(index, queries, k, peers, args.rounds)
        if args.seismic:
            row["seismic"] = recall_of_seismic(documents, queries, hits, k)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
