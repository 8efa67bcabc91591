"""Curves against pytrec_eval, ir_measures and a definition in plain loops, on random runs with ties and holes."""

import random

import numpy as np
import pytest

from twotower.evaluation import evaluate
from twotower.reporting.curves import curves, depths
from twotower.reporting.scores import CLASSES, score_histogram
from twotower.reporting.worst import best_first


def random_case(seed, n_queries=12):
    chance = random.Random(seed)
    qrels, run = {}, {}
    for number in range(n_queries):
        judged = chance.sample(range(60), chance.randrange(1, 25))
        qrels[f"q{number}"] = {f"d{doc}": chance.choice([0, 0, 1, 2]) for doc in judged}
        found = chance.sample(range(60), chance.randrange(0, 40))
        if found:
            run[f"q{number}"] = {f"d{doc}": float(chance.randrange(12)) for doc in found}
    return run, qrels


def plain_interpolated(run, qrels, rel):
    """The definition, query by query and place by place."""
    rows = []
    for query_id, judged in qrels.items():
        ranked = best_first(run.get(query_id, {}))
        relevant = sum(grade >= rel for grade in judged.values())
        points, found = [], 0
        for place, doc_id in enumerate(ranked, 1):
            found += judged.get(doc_id, 0) >= rel
            points.append((found, found / place))
        rows.append([
            max((p for n, p in points if n >= int(level / 10 * relevant + 0.9)), default=0.0) if relevant else 0.0 for level in range(11)
        ])  # fmt: skip
    return np.mean(rows, axis=0)


@pytest.mark.parametrize("rel", [1, 2])
@pytest.mark.parametrize("seed", range(25))
def test_interpolated_precision_is_its_definition(seed, rel):
    run, qrels = random_case(seed)
    expected = plain_interpolated(run, qrels, rel)
    np.testing.assert_allclose(curves(run, qrels, rel, [1])[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(25))
def test_interpolated_precision_is_trec_evals(seed):
    import pytrec_eval

    run, qrels = random_case(seed)
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"iprec_at_recall"}).evaluate(run)
    for level, ours in enumerate(curves(run, qrels, 1, [1])[0]):
        name = f"iprec_at_recall_{level / 10:.2f}"
        assert ours == pytest.approx(sum(one[name] for one in theirs.values()) / len(qrels), abs=1e-9), name


@pytest.mark.parametrize("n_relevant", range(1, 60))
def test_interpolated_precision_for_every_number_of_relevant_documents(n_relevant):
    """Rounding of level * R: each relevant document stands alone, further and further down."""
    import pytrec_eval

    places = {f"r{n}": float(-(n * n) - n) for n in range(n_relevant)}
    run = {"q": {f"x{n}": -n - 0.5 for n in range(n_relevant**2 + 1)} | places}
    qrels = {"q": dict.fromkeys(places, 1)}
    [theirs] = pytrec_eval.RelevanceEvaluator(qrels, {"iprec_at_recall"}).evaluate(run).values()
    assert curves(run, qrels, 1, [1])[0] == pytest.approx(list(theirs.values()))


@pytest.mark.parametrize("rel", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_recall_by_depth_is_the_measure(seed, rel):
    run, qrels = random_case(seed)
    at = depths(45)
    names = [f"R(rel={rel})@{depth}" for depth in at]
    expected = evaluate(run, qrels, names)
    assert curves(run, qrels, rel, at)[1] == pytest.approx([expected[name] for name in names])


@pytest.mark.parametrize("seed", range(5))
def test_judged_share_is_that_of_ir_measures(seed):
    import ir_measures

    run, qrels = random_case(seed)
    run = {q: {d: score + int(d[1:]) / 1000 for d, score in scores.items()} for q, scores in run.items()}  # other ties
    theirs = [value.value for value in ir_measures.iter_calc([ir_measures.Judged @ 10], qrels, run)]
    assert curves(run, qrels, 1, [1])[2] == pytest.approx(sum(theirs) / len(theirs))


def test_a_run_that_finds_nothing():
    assert curves({}, {"q": {"d": 1}}, 1, depths(0)) == ([0.0] * 11, [0.0], 0.0)
    assert score_histogram({}, {"q": {"d": 1}}, 1) is None


def test_depths_begin_and_end_where_they_should():
    for deepest in (1, 2, 9, 10, 11, 1000, 12345):
        grid = depths(deepest)
        assert (grid[0], grid[-1]) == (1, deepest)
        assert grid == sorted(set(grid))


@pytest.mark.parametrize("seed", range(5))
def test_histograms_count_every_document_once(seed):
    run, qrels = random_case(seed)
    found = score_histogram(run, qrels, 2)
    expected = dict.fromkeys(CLASSES, 0)
    for query_id, scores in run.items():
        for doc_id in scores:
            grade = qrels[query_id].get(doc_id)
            expected["unjudged" if grade is None else "relevant" if grade >= 2 else "judged not relevant"] += 1
    assert {name: sum(counts) for name, counts in found.counts.items()} == expected
    assert np.all(np.diff(found.edges) > 0)


@pytest.mark.parametrize("scores", [[1.0, 1.0], [0.0], [1e308, -1e308], [float("inf"), 1.0], [1.0, 1.0 + 1e-15]])
def test_histograms_of_odd_scores(scores):
    found = score_histogram({"q": {str(n): score for n, score in enumerate(scores)}}, {"q": {"0": 1}}, 1)
    assert sum(found.counts["relevant"]) == 1
    assert np.all(np.isfinite(found.edges))
    assert np.all(np.diff(found.edges) > 0)


def test_the_order_of_lists_is_that_of_the_measures():
    run, _ = random_case(3)
    for query_id, scores in run.items():
        for place, doc_id in enumerate(best_first(scores), 1):
            assert evaluate({query_id: scores}, {query_id: {doc_id: 1}}, ["RR"])["RR"] == pytest.approx(1 / place)
