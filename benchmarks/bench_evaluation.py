"""Question: how long does it take to measure a run, against trec_eval's C code (pytrec_eval) and against numba (ranx)?

Data: 1,000 queries with 1,000 hits and 25 graded judgements each, made with a seed; nDCG@10, AP, RR and R@100 by query.
Reading excluded: each side has made its own objects before (RunTable and QrelsTable; RelevanceEvaluator, which takes the run only as
dictionaries; Run and Qrels). Reading included: from a TREC run and TREC qrels in files, each with its own readers. From
dictionaries: the run is a dictionary, the judgements are ready. ranx is warm and has every core; twotower and pytrec_eval use one.
Rounds are interleaved; the result is the ratio of medians, with the spread over rounds. Answers are checked first: equal to 1e-9
for every query and measure.
Command: pytest benchmarks/bench_evaluation.py -s      (a JSON line each)
"""

import json
import platform
import statistics
import time
from pathlib import Path

import numpy as np
import pytest

import twotower as tt

ROUNDS = 7
N_QUERIES, N_HITS = 1000, 1000
NAMES = ("nDCG@10", "AP", "RR", "R@100")
PYTREC_EVAL = dict(zip(NAMES, ("ndcg_cut_10", "map", "recip_rank", "recall_100"), strict=True))
RANX = dict(zip(NAMES, ("ndcg@10", "map", "mrr", "recall@100"), strict=True))


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(0)
    run, qrels = {}, {}
    for query in range(N_QUERIES):
        docs = rng.permutation(100_000)[:N_HITS].tolist()
        scores = np.sort(rng.standard_normal(N_HITS))[::-1].tolist()
        run[f"q{query:04}"] = {f"d{doc}": score for doc, score in zip(docs, scores, strict=True)}
        found = {f"d{doc}": int(rng.integers(0, 4)) for doc in docs[:200:10]}
        qrels[f"q{query:04}"] = found | {f"missed{n}": 1 for n in range(5)}
    return run, qrels


@pytest.fixture(scope="module")
def files(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    tt.write_run(made[0], folder / "run.trec")
    tt.write_qrels(made[1], folder / "qrels.txt")
    return folder / "run.trec", folder / "qrels.txt"


def ours(made, files):
    """What twotower does, by row."""
    table, judged = tt.RunTable.from_run(made[0]), tt.QrelsTable.from_qrels(made[1])
    return {
        "reading excluded": lambda: tt.evaluate_queries(table, judged, NAMES),
        "reading included": lambda: tt.evaluate_queries(*files, NAMES),
        "from dictionaries": lambda: tt.evaluate_queries(made[0], judged, NAMES),
    }


def with_pytrec_eval(made, files):
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="the peer pytrec_eval is absent: pip install '.[bench]'")
    asked = {"ndcg_cut.10", "map", "recip_rank", "recall.100"}
    evaluator = pytrec_eval.RelevanceEvaluator(made[1], asked)

    def from_files():
        with Path(files[0]).open() as run, Path(files[1]).open() as qrels:
            return pytrec_eval.RelevanceEvaluator(pytrec_eval.parse_qrel(qrels), asked).evaluate(
                pytrec_eval.parse_run(run)
            )

    def columns(answer):
        return {name: {q: values[theirs] for q, values in answer.items()} for name, theirs in PYTREC_EVAL.items()}

    rows = {
        "reading excluded": lambda: evaluator.evaluate(made[0]),
        "reading included": from_files,
        "from dictionaries": lambda: evaluator.evaluate(made[0]),
    }
    return rows, columns


def with_ranx(made, files):
    ranx = pytest.importorskip("ranx", reason="the peer ranx is absent: pip install '.[bench]'")
    run, qrels = ranx.Run.from_dict(made[0]), ranx.Qrels.from_dict(made[1])
    asked = list(RANX.values())

    def measure(some_qrels, some_run):
        return ranx.evaluate(some_qrels, some_run, asked, return_mean=False, save_results_in_run=False)

    def from_files():
        return measure(ranx.Qrels.from_file(str(files[1]), kind="trec"), ranx.Run.from_file(str(files[0]), kind="trec"))

    def columns(answer):  # it sorts the ids of queries, which ours are already
        return {name: dict(zip(made[1], answer[theirs].tolist(), strict=True)) for name, theirs in RANX.items()}

    rows = {
        "reading excluded": lambda: measure(qrels, run),
        "reading included": from_files,
        "from dictionaries": lambda: measure(qrels, ranx.Run.from_dict(made[0])),
    }
    return rows, columns


def seconds(measure):
    started = time.perf_counter()
    measure()
    return time.perf_counter() - started


@pytest.mark.filterwarnings("ignore:unsafe cast")
@pytest.mark.parametrize(
    "row", [pytest.param("reading excluded", marks=pytest.mark.quick), "reading included", "from dictionaries"]
)
@pytest.mark.parametrize("peer", [with_pytrec_eval, with_ranx])
def test_evaluate(made, files, peer, row):
    their_rows, columns = peer(made, files)
    mine, theirs = ours(made, files)[row], their_rows[row]
    expected = columns(theirs())  # warm, too
    for name, values in mine().items():
        assert values == pytest.approx(expected[name], abs=1e-9)
    rounds = [(seconds(mine), seconds(theirs)) for _ in range(ROUNDS)]
    ratios = sorted(b / a for a, b in rounds)
    medians = [statistics.median(side) for side in zip(*rounds, strict=True)]
    line = {
        "benchmark": f"evaluate a run by query, {row}",
        "peer": peer.__name__.removeprefix("with_"),
        "queries": N_QUERIES,
        "hits": N_HITS,
        "measures": list(NAMES),
        "twotower_ms": round(1000 * medians[0], 1),
        "peer_ms": round(1000 * medians[1], 1),
        "ratio_of_medians": round(medians[1] / medians[0], 2),
        "ratio_spread": [round(ratios[0], 2), round(ratios[-1], 2)],
        "machine": platform.processor() or platform.machine(),
    }
    print("\n" + json.dumps(line))
