"""Each check but the leaks on cases worked by hand: what it says, and that it can say the opposite."""

from dataclasses import replace

import numpy as np
import pytest

import planted
import twotower as tt
from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation import Difference
from twotower.evaluation.significance import detectable_effect
from twotower.experiments import CHECKS
from twotower.experiments.audit import audit
from twotower.experiments.checks.twins import Beside, judge, with_valid
from twotower.experiments.claims import CLAIMS, claims
from twotower.experiments.features import auc, auc_error
from twotower.experiments.finding import MANY, Finding
from twotower.experiments.training_sets import MODELS, ORIGINS, TRAINING_SETS, origin_of
from twotower.types import Collection, Document


def one(collection, check, split="test", **options):
    return audit(collection, checks=[check], recipes=[], **options).of(check, split)


def run_with(collection, places):
    """Return a run in which the relevant document of each test query stands at a place (0: nowhere)."""
    run = {}
    for (query_id, judged), place in zip(collection.qrels["test"].items(), places, strict=True):
        wanted = next(iter(judged))
        others = [doc_id for doc_id in collection.corpus if doc_id != wanted][:10]
        ranked = [*others[: place - 1], wanted, *others[place - 1 :]] if place else others
        run[query_id] = {doc_id: 100.0 - rank for rank, doc_id in enumerate(ranked)}
    return run


def unsearchable(n=100):
    """Return a collection whose queries share no word with any document, so that BM25 and tf-idf find nothing."""
    collection = planted.clean(n_test=n)
    return replace(collection, queries={q: f"zz{q}" for q in collection.queries})


@pytest.mark.parametrize(
    ("perfect", "verdict", "words"),
    [
        (100, "problem", "saturated"),
        (92, "problem", "saturated"),
        (80, "warning", "near the ceiling"),
        (50, "ok", "room"),
        (2, "problem", "floor"),
    ],
)
def test_saturation(perfect, verdict, words):
    collection = unsearchable()
    run = run_with(collection, [1] * perfect + [0] * (100 - perfect))
    found = one(collection, "saturation", runs={"strong": run})
    assert found.verdict == verdict
    assert words in found.says
    assert found.figures["nDCG@10"]["queries at the maximum"] == perfect / 100
    assert found.figures["nDCG@10"]["best"] == "strong" or perfect == 0


def test_saturation_of_a_second_measure_is_said():
    collection = unsearchable()
    collection.qrels["test"] = {q: dict.fromkeys(list(collection.corpus)[:20], 1) for q in collection.qrels["test"]}
    run = {
        q: {next(iter(collection.corpus)): 1.0} for q in collection.qrels["test"]
    }  # one of twenty found: RR is 1, nDCG low
    found = one(collection, "saturation", runs={"strong": run})
    assert found.verdict == "ok"
    assert "RR@10 is saturated" in found.says


def test_smallest_effect_is_that_of_the_paired_differences():
    collection = unsearchable(43)
    places = [1, 2] * 21 + [1]
    found = one(
        collection,
        "smallest effect",
        runs={"a": run_with(collection, places), "b": run_with(collection, [*places[::-1][1:], 1])},
    )
    values = np.array([1.0, 1 / np.log2(3)])[np.array([p - 1 for p in places])]
    other = np.array([1.0, 1 / np.log2(3)])[np.array([p - 1 for p in [*places[::-1][1:], 1]])]
    expected = detectable_effect(float(np.std(values - other, ddof=1)), 43)
    assert found.figures["smallest effect / deviation of the differences"]["a and b"][0] == pytest.approx(
        expected, abs=1e-4
    )
    assert (
        f"43 queries: differences of nDCG@10 below {found.figures['smallest effect / deviation of the differences']['BM25 and b'][0]:.3f}"[
            :40
        ]
        in found.says
    )


@pytest.mark.parametrize(("n", "verdict"), [(10, "problem"), (60, "warning"), (600, "ok")])
def test_more_queries_show_smaller_effects(n, verdict):
    collection = unsearchable(n)
    rng = np.random.default_rng(0)
    runs = {name: run_with(collection, rng.integers(1, 3, n)) for name in "ab"}
    assert one(collection, "smallest effect", runs=runs).verdict == verdict


def test_judgements_are_counted():
    corpus = {f"d{i}": Document(f"word{i}") for i in range(30)}
    qrels = {"a": {f"d{i}": int(i < 2) for i in range(8)}, "b": {"d20": 1}, "c": {"d5": 0}, "d": {"d6": 1}}
    collection = Collection("holes", corpus, dict.fromkeys(qrels, "nothing"), {"test": qrels})
    run = {"a": {f"d{i}": 30.0 - i for i in range(10)}, "b": {"d20": 1.0}}
    found = one(collection, "judgements", runs={"run": run})
    assert found.figures["judged@10"]["run"] == pytest.approx((0.8 + 0.1) / 4)
    assert found.figures["queries without a relevant document"] == 1
    assert found.figures["queries with a single relevant document"] == 2
    assert found.figures["relevant documents that no ranker finds in 100"] == [1, 4]
    assert found.verdict == "problem"  # a quarter of the queries cannot be answered
    full = {"a": {f"d{i}": int(i < 2) for i in range(10)}}
    assert one(replace(collection, qrels={"test": full}), "judgements", runs={"run": run}).verdict == "ok"


def test_unjudged_copies_are_counted():
    collection = planted.clean()
    wanted = collection.corpus[next(iter(collection.qrels["test"]["query180"]))]
    collection.corpus["copy"] = wanted
    assert one(collection, "judgements").figures["relevant documents with an unjudged near-duplicate"] == 1


def test_contamination_by_name():
    collection = planted.clean()
    named = replace(collection, name="msmarco-passage-32k")
    found = one(named, "contamination", seen=["all-MiniLM-L6-v2"])
    assert found.verdict == "problem"
    assert "MS MARCO" in found.says
    assert one(named, "contamination", seen=["dpr-question_encoder-single-nq-base"]).verdict == "ok"
    assert one(named, "contamination", seen=["MS MARCO"]).verdict == "problem"
    assert one(named, "contamination").verdict == "not run"
    assert one(collection, "contamination", seen=["all-MiniLM-L6-v2"]).verdict == "not run"
    assert one(collection, "contamination", seen=["all-MiniLM-L6-v2"], derived_from=["S2ORC"]).verdict == "problem"
    assert one(replace(collection, name="cacm"), "contamination", seen=["all-MiniLM-L6-v2"]).verdict == "warning"


def test_the_lists_of_training_sets_hang_together():
    for name, origin in ORIGINS.items():
        assert origin_of(f"{name}-sample") == origin
        for source in (*origin.made_from, *origin.may_be_in):
            assert source in TRAINING_SETS or source in {"Wikipedia"}, (
                f"{name}: {source} is the training set of no listed model"
            )
    assert origin_of("nqueens") is None
    assert all(model.trained_on and model.source for model in MODELS.values())


def planted_artefact(share):
    """Return a collection in which `share` of the relevant documents carry a mark that others lack."""
    collection = planted.clean(title=False)
    wanted = [doc_id for _, doc_id in collection.pairs("test")]
    corpus = {doc_id: Document(document.text) for doc_id, document in collection.corpus.items()}
    for doc_id in wanted[: int(share * len(wanted))]:
        corpus[doc_id] = Document(corpus[doc_id].text.replace(" ", ", ", 12))
    return replace(collection, corpus=corpus)


@pytest.mark.parametrize(("share", "verdict"), [(0.0, "ok"), (0.5, "warning"), (1.0, "problem")])
def test_query_blind_classifier(share, verdict):
    found = one(planted_artefact(share), "query-blind classifier")
    assert found.verdict == verdict, found.says
    value = found.figures["documents relevant to no query"]["AUC"]
    assert value == pytest.approx(0.5 + share / 2, abs=0.1)


def test_query_blind_classifier_sees_documents_that_were_added_for_a_query():
    # Ten crowds of passages about one thing each, and relevant documents that stand alone.
    collection = planted.clean(n_train=0, n_valid=0, n_other=0, title=False)
    rng = np.random.default_rng(0)
    for crowd in range(10):
        words = [f"crowd{crowd}word{i}" for i in range(60)]
        collection.corpus |= {f"crowd{crowd}-{i}": Document(" ".join(rng.choice(words, 40))) for i in range(40)}
    found = one(replace(collection, qrels={"test": collection.qrels["test"]}), "query-blind classifier")
    assert found.verdict == "problem"


@pytest.mark.parametrize("popular", [False, True])
def test_query_blind_order_finds_popularity(popular):
    collection = planted.clean()
    if popular:  # three documents answer most queries
        for split in ("train", "test"):
            for number, query_id in enumerate(collection.qrels[split]):
                if number % 4:
                    collection.qrels[split][query_id] = {f"doc{250 + number % 3}": 1}
    found = one(collection, "query-blind order")
    assert found.verdict == ("problem" if popular else "ok"), found.says


def test_auc_by_hand():
    scores, positive = np.array([0.1, 0.4, 0.35, 0.8, 0.4]), np.array([False, False, True, True, True])
    pairs = [(p > n) + (p == n) / 2 for p in scores[positive] for n in scores[~positive]]
    assert auc(scores, positive) == pytest.approx(np.mean(pairs))
    rng = np.random.default_rng(0)
    values = [auc(rng.normal(size=120) + labels, labels) for labels in [np.arange(120) < 40] for _ in range(400)]
    assert auc_error(float(np.mean(values)), 40, 80) == pytest.approx(float(np.std(values)), rel=0.2)


def difference(low, high, baseline="untrained"):
    figures = {
        "p": 0.01,
        "p_holm": 0.01,
        "p_t": 0.01,
        "p_t_holm": 0.01,
        "n_queries": 50,
        "wins": 30,
        "ties": 0,
        "losses": 20,
    }
    mean = (low + high) / 2
    return Difference("tower", baseline, "nDCG@10", mean, low, high, **figures, detectable=0.1, verdict="better")


@pytest.mark.parametrize(
    ("intervals", "agree", "verdict", "words"),
    [
        ([(0.1, 0.2), (0.05, 0.3)], True, "ok", "tower learned"),
        ([(0.1, 0.2), (0.05, 0.3)], False, "problem", "seeds disagree"),
        ([(0.1, 0.2), (-0.01, 0.02)], True, "problem", "no evidence"),
        ([(0.1, 0.2), (-0.01, 0.15)], True, "warning", "cannot be shown"),
        ([(-0.2, -0.1), (0.1, 0.2)], True, "problem", "no evidence"),
    ],
)
def test_judging_twins(intervals, agree, verdict, words):
    found, says = judge(Beside("tower", [difference(*interval) for interval in intervals], agree))
    assert found == verdict
    assert words in says


def test_a_valid_split_is_held_out_of_train_where_there_is_none():
    collection = planted.clean()
    made = with_valid(
        replace(collection, qrels={"learn": collection.qrels["train"], "test": collection.qrels["test"]}),
        ["learn"],
        ["test"],
    )
    assert len(made.qrels["valid"]) == 16
    assert made.qrels["train"] | made.qrels["valid"] == collection.qrels["train"]
    assert not made.qrels["train"].keys() & made.qrels["valid"].keys()


def test_every_check_is_in_the_registry_explained_and_runs():
    result = audit(planted.clean(n_test=30), recipes=[], seen=["all-MiniLM-L6-v2"])
    assert [finding.check for finding in result.findings] == list(CHECKS)
    for finding in result.findings:
        assert finding.says
        assert len(finding.explanation) > 60
        assert finding.verdict in ("ok", "warning", "problem", "not run")
    assert result.to_dict()["findings"][0]["check"] == "twins"
    assert 0 < MANY < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tests": ["dl19"]}, "no split 'dl19'"),
        ({"tests": ["train"]}, "cannot be test splits"),
        ({"tests": []}, "no split to test"),
        ({"train": "learn"}, "no split 'learn'"),
        ({"checks": ["vibes"]}, "unknown check 'vibes'"),
        ({"measures": ["fun"]}, "fun"),
        ({"measures": []}, "at least one"),
        ({"seen": ["no-such-model"]}, "neither a file nor a known name"),
        ({"derived_from": ["the web"]}, "unknown training set"),
    ],
)
def test_bad_input_is_refused_before_any_work(options, message):
    with pytest.raises(InvalidInputError, match=message):
        tt.audit(planted.clean(n_test=10), **options)


def test_a_split_without_relevant_documents_is_refused():
    collection = planted.clean(n_test=2)
    collection.qrels["test"] = {q: {} for q in collection.qrels["test"]}
    with pytest.raises(InvalidInputError, match="nothing to audit"):
        tt.audit(collection)
    with pytest.raises(InvalidInputError, match="no check 'twins'"):
        audit(planted.clean(n_test=10), checks=["judgements"]).of("twins", "test")


def finding(check, verdict):
    return Finding(check, "test", verdict, "says")


@pytest.mark.parametrize(
    ("verdicts", "answer"),
    [
        ({}, "not looked at"),
        ({"twins": "ok", "query leaks": "ok"}, "yes"),
        ({"twins": "ok", "query leaks": "warning"}, "with care"),
        ({"twins": "ok", "query leaks": "problem", "twins without leaks": "ok"}, "with care"),
        ({"twins": "ok", "query leaks": "problem", "twins without leaks": "problem"}, "no"),
        ({"twins": "ok", "document leaks": "problem", "twins without leaks": "not run"}, "no"),
        ({"twins": "problem", "query leaks": "ok"}, "no"),
        ({"twins": "not run", "query leaks": "ok"}, "not looked at"),
        ({"twins": "not run", "query leaks": "problem"}, "no"),
    ],
)
def test_what_may_be_claimed(verdicts, answer):
    claim = "training taught something that carries over"
    every = dict.fromkeys(CLAIMS[claim], "not run") | verdicts
    assert claims([finding(check, verdict) for check, verdict in every.items()])[claim] == answer


def test_part_of_the_checks_is_no_yes():
    claim = "one ranker is better than another"
    assert claims([finding("saturation", "ok")])[claim] == "not looked at"
    assert claims([finding("saturation", "warning")])[claim] == "with care"
    assert claims([finding(check, "ok") for check in CLAIMS[claim]])[claim] == "yes"


def test_a_run_of_other_queries_is_refused():
    corpus = {f"d{i}": Document(f"word{i} text") for i in range(4)}
    collection = Collection("small", corpus, {"q": "word1"}, {"test": {"q": {"d1": 1}}})
    with pytest.raises(InvalidInputError, match="run 'foreign' answers none of the 1 queries"):
        audit(collection, runs={"foreign": {"x": {"d1": 1.0}}}, checks=["saturation"])
    with pytest.raises(InputTypeError, match="run 'file' is str"):
        audit(collection, runs={"file": "bm25.trec"}, checks=["saturation"])


def test_claims_rest_on_every_check():
    assert {check for checks in CLAIMS.values() for check in checks} == set(CHECKS)
