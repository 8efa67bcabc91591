"""The trap report: known scorers get known figures, and nothing is hidden."""

import json
import subprocess
import sys
from zlib import crc32

import numpy as np
import pytest

import twotower as tt
from small_collection import translated, vocabulary_of
from twotower.data import trap_items
from twotower.errors import InvalidInputError
from twotower.experiments.traps import EVERY, trap_report
from twotower.experiments.traps_scorers import (
    SHORTCUTS,
    engine_scorers,
    lexical_scorer,
    tower_scorer,
    word_order,
    word_pairs,
)

ITEMS = trap_items()
LABELS = {(item.query, item.passages): item.right for item in ITEMS}


def oracle(query, passages):
    """Reads the labels."""
    return np.eye(2)[LABELS[query, tuple(passages)]]


@pytest.fixture(scope="module")
def report():
    chance = np.random.default_rng(0)
    scorers = {
        "oracle": oracle,
        "reversed": lambda query, passages: -oracle(query, passages),
        "random": lambda query, passages: chance.random(2),
        "blind": lambda query, passages: [crc32(p.encode()) for p in passages],
        "first": lambda query, passages: [1, 0],
        "same": lambda query, passages: [3.0, 3.0 + 1e-7],
        "BM25": lexical_scorer(tt.BM25Index, ITEMS),
    }
    return trap_report(scorers, ITEMS)


@pytest.mark.parametrize(("name", "accuracy"), [("oracle", 1), ("reversed", 0)])
def test_who_reads_the_labels_is_always_right_or_always_wrong(report, name, accuracy):
    assert {row.accuracy for row in report.rows[name]} == {accuracy}
    assert report.worst[name].accuracy == accuracy
    assert len(report.examples[name]) == (0 if accuracy else 25)


@pytest.mark.parametrize("name", ["longer", "blind", "first", "same"])
def test_who_never_looks_at_the_query_is_right_exactly_half_of_the_time(report, name):
    assert {row.accuracy for row in report.rows[name]} == {0.5}


def test_chance_lies_within_its_intervals(report):
    inside = [row.low <= 0.5 <= row.high for row in report.rows["random"]]
    assert np.mean(inside) > 0.9
    assert all(abs(row.accuracy - 0.5) < 0.12 for row in report.rows["random"] if row.subcase == EVERY)


def test_ties_count_half_and_are_counted(report):
    assert all(row.ties == row.n_items for row in report.rows["same"])
    assert all(row.ties == 0 for row in report.rows["oracle"])
    swaps = [row for row in report.rows["BM25"] if row.heuristic == "role swap" and row.subcase != "control"]
    assert all(row.ties == row.n_items and row.accuracy == 0.5 for row in swaps)


def test_no_shortcut_solves_a_heuristic_and_controls_are_easy(report):
    for name in SHORTCUTS:
        assert all(row.accuracy < 0.6 for row in report.rows[name] if row.subcase == EVERY), name
        # By place alone nothing is to be had where both passages hold the same words.
        if name == "early words":
            rows = [row for row in report.rows[name] if row.heuristic == "role swap" and row.subcase != "control"]
            assert {row.accuracy for row in rows} == {0.5}
    controls = [row.accuracy for row in report.rows["BM25"] if row.subcase == "control"]
    assert min(controls) > 0.95
    overlap = {row.subcase: row.accuracy for row in report.rows["words"] if row.heuristic == "lexical overlap"}
    assert [overlap[s] for s in ("echo", "scattered", "keywords", "other place")] == [0, 0, 0, 0]


def test_the_row_of_a_heuristic_leaves_controls_out(report):
    rows = [row for row in report.rows["BM25"] if row.heuristic == "negation"]
    subcases = [row for row in rows if row.subcase not in ("control", EVERY)]
    (every,) = (row for row in rows if row.subcase == EVERY)
    assert every.n_items == sum(row.n_items for row in subcases) == 280
    assert every.accuracy == pytest.approx(np.mean([row.accuracy for row in subcases]))
    assert every.ties == sum(row.ties for row in subcases)


def test_the_table_shows_every_subcase_the_worst_one_and_examples(report):
    text = report.to_markdown(n_examples=2)
    assert text.count("\n| numbers |") == 9
    worst = report.worst["BM25"]
    assert worst.accuracy == 0
    assert f"| BM25 | {worst.heuristic}, {worst.subcase} | 0 (0 to 16) |" in text
    assert text.count("BM25 on ") == 2
    example = report.examples["BM25"][0]
    assert example.wrong_score > example.right_score
    assert example.query in text
    assert "BM25 on " not in report.to_markdown()
    assert json.loads(json.dumps(report.to_dict()))["rows"]["BM25"][0]["ties"] == 40


def test_outcomes_stand_item_by_item(report):
    assert report.outcomes["oracle"] == [1.0] * len(ITEMS)
    row = next(row for row in report.rows["BM25"] if row.subcase == "unit")
    found = [o for o, item in zip(report.outcomes["BM25"], ITEMS, strict=True) if item.subcase == "unit"]
    assert np.mean(found) == row.accuracy


@pytest.mark.parametrize(
    ("scores", "said"),
    [([1.0], "one finite number"), ([1.0, float("nan")], "nan"), ([1, 2, 3], "one finite number")],
)
def test_scores_that_are_none_are_refused(scores, said):
    with pytest.raises(InvalidInputError, match=f"odd gives .*{said}"):
        trap_report({"odd": lambda query, passages: scores}, ITEMS[:2])


def test_a_report_of_nothing_is_refused():
    with pytest.raises(InvalidInputError, match="no items"):
        trap_report({}, [])
    with pytest.raises(InvalidInputError, match="'words'"):
        trap_report({"words": oracle}, ITEMS)
    with pytest.raises(InvalidInputError, match="confidence"):
        trap_report({"oracle": oracle}, ITEMS, confidence=1)
    with pytest.raises(InvalidInputError, match="bm25 does not hold the passage"):
        lexical_scorer(tt.BM25Index, ITEMS[:2])("who", ["a passage that nobody indexed"])


def test_word_order_is_the_longest_common_subsequence():
    assert word_order("a b c d", ["x a c y d", "d c b a", "", "a b c d"]) == [3, 1, 0, 4]
    assert word_pairs("a b c", ["a b x b c", "c b a"]) == [2, 0]


def test_an_engine_scores_passages_as_if_they_were_in_its_corpus():
    collection = translated(60)
    model = tt.TwoTower.average(vocabulary_of(collection), "plain", dim=8)
    engine = tt.Engine.build(collection, model=model)
    items = trap_items(n=2)
    scorers = engine_scorers(engine, items)
    assert set(scorers) == {"BM25", "dense", "hybrid"}
    passages = list(dict.fromkeys(p for item in items for p in item.passages))
    corpus = [*collection.corpus.values(), *map(tt.Document, passages)]
    both = tt.BM25Index.build([document.full_text for document in corpus])
    docs = np.array([[60 + passages.index(p) for p in items[0].passages]])
    assert scorers["BM25"](items[0].query, items[0].passages) == both.score([items[0].query], docs)[0].tolist()
    vectors = model.encode_queries([items[0].query]) @ model.encode_documents(list(items[0].passages)).T
    assert scorers["dense"](items[0].query, items[0].passages) == pytest.approx(vectors[0].tolist(), abs=1e-6)
    assert np.isfinite(scorers["hybrid"](items[0].query, items[0].passages)).all()
    assert set(engine_scorers(tt.Engine.build(["a", "b"]), items)) == {"BM25"}
    alone = tower_scorer(model, items)
    assert alone(items[0].query, items[0].passages) == scorers["dense"](items[0].query, items[0].passages)


def twotower(*arguments):
    command = [sys.executable, "-m", "twotower", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_the_verb_prints_the_breakdown_and_examples(tmp_path):
    done = twotower("traps", "--items", 4, "--examples", 1)
    assert done.returncode == 0, done.stderr
    assert "| lexical overlap | echo | 4 |" in done.stdout
    assert done.stdout.count("BM25 on ") == 1
    tt.Engine.build(["sweet love", "sweet sorrow"]).save(tmp_path / "engine")
    done = twotower("traps", "--engine", tmp_path / "engine", "--items", 2, "--json", "--seed", 3)
    document = json.loads(done.stdout)
    assert "BM25" in document["rows"]
    assert document["worst"]["BM25"]["n_items"] == 2
    done = twotower("traps", "--items", 3)
    assert done.returncode == 2
    assert "even" in done.stderr
