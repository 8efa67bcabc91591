"""Question: how long does it take to measure a run, against trec_eval's C code (pytrec_eval)?

Data: 1,000 queries with 1,000 hits and 25 graded judgements each, made with a seed; nDCG@10, AP, RR and R@100 by query.
Both sides get the same dicts and give a value for each query. Rounds are interleaved; the result is the ratio of medians.
Answers are checked first: equal to 1e-9 for every query and measure.
Command: pytest benchmarks/bench_evaluation.py -m quick -s      (a JSON line)
"""

import json
import platform
import statistics
import time

import numpy as np
import pytest

import twotower as tt

pytrec_eval = pytest.importorskip("pytrec_eval", reason="the peer pytrec_eval is absent: pip install '.[bench]'")

pytestmark = pytest.mark.quick
ROUNDS = 7
N_QUERIES, N_HITS = 1000, 1000
NAMES = {"nDCG@10": "ndcg_cut_10", "AP": "map", "RR": "recip_rank", "R@100": "recall_100"}


def made_run():
    rng = np.random.default_rng(0)
    run, qrels = {}, {}
    for query in range(N_QUERIES):
        docs = rng.permutation(100_000)[:N_HITS].tolist()
        scores = np.sort(rng.standard_normal(N_HITS))[::-1].tolist()
        run[f"q{query}"] = {f"d{doc}": score for doc, score in zip(docs, scores, strict=True)}
        found = {f"d{doc}": int(rng.integers(0, 4)) for doc in docs[:200:10]}
        qrels[f"q{query}"] = found | {f"missed{n}": 1 for n in range(5)}
    return run, qrels


def seconds(measure):
    started = time.perf_counter()
    measure()
    return time.perf_counter() - started


def test_evaluate_against_pytrec_eval():
    run, qrels = made_run()
    asked = {"ndcg_cut.10", "map", "recip_rank", "recall.100"}

    def ours():
        return tt.evaluate_queries(run, qrels, list(NAMES))

    def theirs():
        return pytrec_eval.RelevanceEvaluator(qrels, asked).evaluate(run)

    mine, peer = ours(), theirs()
    for name, trec_name in NAMES.items():
        assert mine[name] == pytest.approx({q: values[trec_name] for q, values in peer.items()}, abs=1e-9)
    rounds = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    ratios = sorted(b / a for a, b in rounds)
    medians = [statistics.median(side) for side in zip(*rounds, strict=True)]
    row = {
        "benchmark": "evaluate a run by query",
        "queries": N_QUERIES,
        "hits": N_HITS,
        "measures": list(NAMES),
        "twotower_ms": round(1000 * medians[0], 1),
        "pytrec_eval_ms": round(1000 * medians[1], 1),
        "ratio_of_medians": round(medians[1] / medians[0], 2),
        "ratio_spread": [round(ratios[0], 2), round(ratios[-1], 2)],
        "machine": platform.processor() or platform.machine(),
    }
    print("\n" + json.dumps(row))
