"""The scripts of the long experiments: their losses, sources, cuts and arithmetic, without training."""

import importlib

import numpy as np
import pytest
import torch

from small_collection import translated
from twotower import mine
from twotower.errors import InvalidInputError
from twotower.experiments.measuring import Measuring
from twotower.losses.contrastive import in_batch_loss
from twotower.training.drawing import NegativeSource
from twotower.training.pairs import training_set
from twotower.types import Collection, Document

dpr_table = importlib.import_module("dpr_table")
unselected = importlib.import_module("unselected")
data_efficiency = importlib.import_module("data_efficiency")


def test_own_negatives_are_those_of_the_question_alone():
    torch.manual_seed(0)
    queries, documents = torch.randn(3, 4), torch.randn(9, 4)
    excluded = torch.zeros(3, 9, dtype=torch.bool)
    loss = dpr_table.own_negatives_loss(queries, documents, torch.arange(3), excluded, per_query=2, temperature=1.0)
    one_by_one = [
        in_batch_loss(
            queries[i : i + 1], documents[[i, 3 + 2 * i, 4 + 2 * i]], torch.tensor([0]), torch.zeros(1, 3, dtype=torch.bool),
            temperature=1.0,
        )
        for i in range(3)
    ]  # fmt: skip
    assert loss.item() == pytest.approx(torch.stack(one_by_one).mean().item(), abs=1e-6)
    excluded[0, 3:5] = True  # a question whose negatives are all known counts 0
    less = dpr_table.own_negatives_loss(queries, documents, torch.arange(3), excluded, per_query=2, temperature=1.0)
    assert less.item() == pytest.approx(torch.stack(one_by_one[1:]).sum().item() / 3, abs=1e-6)
    with pytest.raises(InvalidInputError, match="9 documents"):
        dpr_table.own_negatives_loss(queries, documents, torch.arange(3), excluded, per_query=3)


def test_gold_negatives_are_positives_of_others():
    home = translated()
    row = next(row for row in dpr_table.TABLE if row.source == "gold")
    training = training_set(home, "train", dpr_table.TOWER.build(home, 0).reader)
    source = NegativeSource(dpr_table.OtherGold(row.per_query), home, training)
    queries = np.arange(len(training.query_ids))
    drawn = source.draw(queries, np.random.default_rng(0)).reshape(len(queries), row.per_query)
    gold = {int(doc) for _, doc in training.pairs}
    for query, docs in enumerate(drawn.tolist()):
        assert len(set(docs)) == row.per_query
        assert set(docs) <= gold - training.positives[query]
    seen = set(drawn.ravel().tolist())
    assert len(seen) > 0.9 * len(gold)


def test_mined_lists_are_long_enough_and_hold_nothing_relevant():
    home = translated()
    for query_id in list(home.queries)[:30]:
        home.queries[query_id] += f" d{len(query_id)}"  # a word of some documents: the others are filled up by chance
    home.queries["query0"] = "about"
    measuring = Measuring(home, {"test": (home, "test")}, dpr_table.MEASURES)
    mined = dpr_table.best_of_bm25(measuring, least=7)
    number = {doc_id: doc for doc, doc_id in enumerate(home.corpus)}
    for row, query_id in enumerate(mined.query_ids):
        docs = mined.lists[row].tolist()
        assert len(docs) == len(set(docs)) >= 7
        assert not set(docs) & {
            number[d] for d in home.qrels["train"][query_id] if home.qrels["train"][query_id][d] > 0
        }
    assert mined.lists[0].tolist() == mine.mine(mine.bm25(depth=50), home).lists[0].tolist()


def test_the_table_has_the_nine_lines_and_its_pairs_are_lines():
    names = {row.name for row in dpr_table.TABLE}
    assert len(names) == 9
    known = names | {"BM25", "query-blind", "tower, untrained", f"{dpr_table.CONTROL.name}, shuffled"}
    assert {name for pair in dpr_table.PAIRS for name in pair} <= known
    own = [row for row in dpr_table.TABLE if not row.shared]
    assert [(row.batch_size, row.per_query) for row in own] == [(8, 7)] * 3


def test_the_rate_is_the_best_on_valid():
    row = dpr_table.TABLE[0]
    rates = dpr_table.RATES[row.batch_size]
    found = {f"tune/{row.name}/{lr}": {"best": best} for lr, best in zip(rates, (0.2, 0.4, 0.3, 0.1, 0.0), strict=True)}
    assert dpr_table.best_rate(row, found) == rates[1]


def records(n=23):
    corpus = {f"d{i}{j}": Document(f"text {i} {j}") for i in range(n) for j in range(4)}
    return Collection(
        "records", corpus, {f"q{i}": f"asks {i}" for i in range(n)}, {"test": {f"q{i}": {f"d{i}0": 1} for i in range(n)}},
        {f"q{i}": [f"d{i}{j}" for j in range(4)] for i in range(n)},
    )  # fmt: skip


def test_every_record_is_tested_once_by_towers_that_did_not_see_it():
    source = records()
    folds = [unselected.fold_of(source, fold) for fold in range(unselected.FOLDS)]
    tested = [query_id for fold in folds for query_id in fold.qrels["test"]]
    assert sorted(tested) == sorted(source.qrels["test"])
    for fold in folds:
        parts = [set(fold.qrels[split]) for split in ("train", "valid", "test")]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 23
        assert all(parts)


def test_folds_are_joined_in_the_order_of_the_queries_and_only_when_complete():
    query_ids = ["q0", "q1", "q2", "q3", "q4"]

    def piece(query_id, value):
        values = {query_id: value}
        tests = {test: dict.fromkeys(measures, values) for test, measures in unselected.MEASURES.items()}
        return {"by_query": {"row": tests}}

    found = {f"{fold}/0": piece(f"q{4 - fold}", float(fold)) for fold in range(5)}
    found["0/1"] = piece("q0", 1.0)
    joined = unselected.joined(found, query_ids)
    assert len(joined) == 1
    assert joined[0]["rows"]["row"][unselected.INSIDE]["RR"] == [4.0, 3.0, 2.0, 1.0, 0.0]


def test_a_random_order_of_four_with_one_selected():
    assert unselected.expected_in_random_order(records()) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_small_sets_get_more_epochs_within_bounds():
    trainings = [data_efficiency.recipe_of(n).training for n in (100, 1000, 28908)]
    assert [t["batch_size"] for t in trainings] == [32, 125, 1024]
    assert [t["epochs"] for t in trainings] == [12, 8, 4]
