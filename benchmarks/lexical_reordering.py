"""Question: what would BM25 at k=10 gain from reordered documents, and from Block-Max Pruning? Neither is in the package.

Reordering: recursive graph bisection (Dhulipala et al., KDD 2016; Mackenzie et al., ECIR 2019) down to parts of about a
window, because windows are all that our engine tells apart; then the index of the permuted collection is timed. The
permuted collection breaks ties by the new order: this measures time, and is no drop-in.
Block-Max Pruning (Mallia, Suel and Tonellotto, SIGIR 2024): with the final threshold known from the start, which nobody
has, how many blocks of documents have a sum of block maxima that reaches it, how many postings lie in those, and how many
block maxima have to be read to know it?
Command: PYTHONPATH=tests/python python benchmarks/lexical_reordering.py --size M --folder FOLDER
"""

import argparse
import dataclasses
import json
import statistics
import time
from pathlib import Path

import numba
import numpy as np
from lexical_collections import collect
from lexical_peers import K1, B

import twotower as tt
from twotower.index.native import core

LEVELS, ROUNDS = 5, 8  # 32 parts; rounds of swaps a level


@numba.njit(cache=True)
def gains(offsets, terms, part, counts, sizes, out):
    """out[d] = bits saved if document d changes halves; counts[h, t] documents of half h hold term t."""
    for d in range(len(part)):
        own = part[d]
        total = 0.0
        for i in range(offsets[d], offsets[d + 1]):
            t = terms[i]
            a, b = counts[own, t], counts[1 - own, t]
            n, m = sizes[own], sizes[1 - own]
            before = a * np.log2(n / (a + 1.0)) + b * np.log2(m / (b + 1.0))
            after = (a - 1) * np.log2(n / a) + (b + 1) * np.log2(m / (b + 2.0))
            total += before - after
        out[d] = total


@numba.njit(cache=True)
def count_terms(offsets, terms, part, counts):
    counts[:] = 0
    for d in range(len(part)):
        for i in range(offsets[d], offsets[d + 1]):
            counts[part[d], terms[i]] += 1


def bisect(docs, offsets, terms, n_terms, level):
    """Return `docs` reordered so that similar ones are near each other."""
    if level == 0 or len(docs) < 2:
        return docs
    lengths = offsets[docs + 1] - offsets[docs]
    own = np.zeros(len(docs) + 1, np.int64)
    np.cumsum(lengths, out=own[1:])
    index = np.repeat(offsets[docs] - own[:-1], lengths) + np.arange(own[-1])
    local = terms[index]
    part = (np.arange(len(docs)) >= len(docs) // 2).astype(np.int64)
    counts, gain = np.zeros((2, n_terms), np.int64), np.zeros(len(docs))
    for _ in range(ROUNDS):
        count_terms(own, local, part, counts)
        gains(own, local, part, counts, np.bincount(part, minlength=2), gain)
        left, right = np.flatnonzero(part == 0), np.flatnonzero(part == 1)
        left, right = left[np.argsort(-gain[left])], right[np.argsort(-gain[right])]
        n = min(len(left), len(right))
        swap = gain[left[:n]] + gain[right[:n]] > 0
        if not swap.any():
            break
        part[left[:n][swap]], part[right[:n][swap]] = 1, 0
    halves = docs[part == 0], docs[part == 1]
    return np.concatenate([bisect(half, offsets, terms, n_terms, level - 1) for half in halves])


def reordered(index, order):
    """Return the index of the same documents in another order."""
    arrays = index._content.postings
    new = np.empty(len(order), np.uint32)
    new[order] = np.arange(len(order), dtype=np.uint32)
    docs, offsets = new[arrays["docs"]], arrays["term_offsets"]
    term = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    by_doc = np.lexsort((docs, term))
    changed = {"docs": docs[by_doc], "tfs": arrays["tfs"][by_doc], "doc_lengths": arrays["doc_lengths"][order]}
    content = dataclasses.replace(index._content, postings={**arrays, **changed})
    return tt.BM25Index(content, core.Bm25Options(index.variant, K1, B, None, None))


@numba.njit(cache=True)
def block_work(docs, parts, starts, n_blocks, threshold):
    """Return (blocks that reach the threshold, postings in them, block maxima of the query)."""
    bounds, postings = np.zeros(n_blocks), np.zeros(n_blocks, np.int64)
    read = 0
    for q in range(len(starts) - 1):
        last, most = -1, 0.0
        for i in range(starts[q], starts[q + 1]):
            block = docs[i]
            if block != last:
                if last >= 0:
                    bounds[last] += most
                last, most = block, 0.0
                read += 1
            most = max(most, parts[i])
            postings[block] += 1
        if last >= 0:
            bounds[last] += most
    passed = bounds >= threshold
    return passed.sum(), postings[passed].sum(), read


def pruning(index, query_ids, thresholds, block):
    """Return the mean of block_work over the queries."""
    arrays = index._content.postings
    offsets, n = arrays["term_offsets"], len(index)
    norm = K1 * (1 - B + B * arrays["doc_lengths"] / arrays["doc_lengths"].mean())
    work = []
    for query, threshold in zip(query_ids, thresholds, strict=True):
        lists = [slice(offsets[term], offsets[term + 1]) for term in query]
        docs = np.concatenate([arrays["docs"][part] for part in lists]).astype(np.int64)
        tfs = np.concatenate([arrays["tfs"][part] for part in lists])
        dfs = np.array([part.stop - part.start for part in lists])
        idf = np.repeat(np.log(1 + (n - dfs + 0.5) / (dfs + 0.5)), dfs)
        starts = np.concatenate([[0], np.cumsum(dfs)])
        work.append(block_work(docs // block, idf * tfs / (norm[docs] + tfs), starts, n // block + 1, threshold))
    blocks, postings, maxima = np.mean(work, 0)
    return {"block": block, "blocks": round(blocks), "postings": round(postings), "maxima_read": round(maxima)}


def row(name, index, queries, rounds=7):
    times = []
    for _ in range(rounds):
        started = time.process_time()
        index.search(queries, 10)
        times.append((time.process_time() - started) / len(queries) * 1e6)
    hits, profile = index.profile(queries, 10)
    forced = index.profile(queries, 10, algorithm="maxscore")[1]
    found = {
        "order": name,
        "us": round(statistics.median(times), 1),
        "scored": round(profile.postings_scored / len(queries)),
        "scored_by_maxscore": round(forced.postings_scored / len(queries)),
    }
    print(json.dumps(found), flush=True)
    return hits


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=["S", "M", "L"], default="S")
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    _, collection = collect(args.size, "removed", args.folder)
    index = collection.index
    hits = row("as given", index, collection.queries)
    thresholds = np.where(np.isfinite(hits.scores[:, 9]), hits.scores[:, 9], 0.0)
    started = time.process_time()
    order = bisect(
        np.arange(len(index)), collection.offsets, collection.ids.astype(np.int64), len(index.vocabulary), LEVELS
    )
    print(json.dumps({"bisection_cpu_s": round(time.process_time() - started, 1)}), flush=True)
    other = reordered(index, order)
    again = row("bisection", other, collection.queries)
    np.testing.assert_allclose(again.scores, hits.scores)
    for name, some in (("as given", index), ("bisection", other)):
        for block in (16, 64, 256):
            print(json.dumps({"order": name, **pruning(some, collection.query_ids, thresholds, block)}), flush=True)


if __name__ == "__main__":
    main()
