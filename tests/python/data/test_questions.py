"""Files of questions and answers: every format, what is wrong in them, and that nothing in them runs."""

import json
import lzma

import pytest

import twotower as tt
from real_data import require
from twotower.errors import DataFormatError


def read(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    return tt.read_questions(path)


def test_tab_separated_lists(tmp_path):
    content = 'who\t[\'a\', "b\'s"]\n\nwhat "x"\t"[\'c\', ""d\'s""]"\n'
    questions = read(tmp_path, "q.tsv", content)
    assert questions.texts == {"0": "who", "1": 'what "x"'}
    assert questions.answers == {"0": ["a", "b's"], "1": ["c", "d's"]}
    assert questions.qrels == {}
    with lzma.open(tmp_path / "q.tsv.xz", "wt") as file:
        file.write(content)
    assert tt.read_questions(tmp_path / "q.tsv.xz") == questions


def test_json_lines_whatever_the_suffix(tmp_path):
    rows = [{"question": "who", "answer": ["a"]}, {"id": 7, "question": "what", "answers": ["b", "c"]}]
    for name in ("q.jsonl", "q.tsv", "q.txt"):
        questions = read(tmp_path, name, "\n".join(map(json.dumps, rows)))
        assert questions.texts == {"0": "who", "7": "what"}
        assert questions.answers == {"0": ["a"], "7": ["b", "c"]}


def test_a_list_of_objects(tmp_path):
    questions = read(tmp_path, "q.json", json.dumps([{"qId": "w1", "qText": "who", "answers": ["a"]}]))
    assert (questions.texts, questions.answers) == ({"w1": "who"}, {"w1": ["a"]})


def test_squad_gives_paragraphs_and_gold_judgements(tmp_path):
    squad = {"data": [{"title": "A_Page", "paragraphs": [
        {"context": "One two.", "qas": [{"id": "x", "question": "1?", "answers": [{"text": "One", "answer_start": 0}]},
                                         {"id": "y", "question": "2?", "answers": [{"text": "two", "answer_start": 4}]}]},
        {"context": "Three.", "qas": [{"id": "z", "question": "3?", "answers": [{"text": "Three", "answer_start": 0}]}]}]}]}  # fmt: skip
    questions = read(tmp_path, "q.json", json.dumps(squad))
    assert questions.documents == {"0": tt.Document("One two.", "A Page"), "1": tt.Document("Three.", "A Page")}
    assert questions.qrels == {"x": {"0": 1}, "y": {"0": 1}, "z": {"1": 1}}
    assert questions.answers["y"] == ["two"]


@pytest.mark.parametrize(
    "payload",
    [
        "__import__('os').system('touch PWNED')",
        "[__import__('os').system('touch PWNED')]",
        "(lambda: 1)()",
        "[open('PWNED', 'w')]",
        "[" * 5000,
    ],
)
def test_a_payload_is_refused_and_not_run(tmp_path, payload, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataFormatError, match=r"q\.tsv, line 2: answers must be a Python list of strings"):
        read(tmp_path, "q.tsv", f"who\t['a']\nwho\t{payload}\n")
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("q.tsv", "who\n", r"line 1: must have 2 fields"),
        ("q.tsv", "who\t['a']\textra\n", r"line 1: must have 2 fields.*got 3"),
        ("q.tsv", "who\t\"['a']\n", r"line 1: .*write question, a tab"),
        ("q.tsv", "who\t'a'\n", r"line 1: answers must be a list with at least one string, got str"),
        ("q.tsv", "who\t[]\n", r"line 1: answers must be a list with at least one string"),
        ("q.tsv", "who\t['a', 3]\n", r"line 1, answer 2: must be a string, got int 3"),
        ("q.jsonl", '{"question": "who"}\n', r"line 1: no field 'answers' or 'answer'"),
        ("q.jsonl", '{"question": "who", "answer": ["a"]}\n{"answer": ["a"]}\n', r"line 2: no field 'question'"),
        (
            "q.jsonl",
            '{"id": 1, "question": "w", "answer": ["a"]}\n{"id": 1, "question": "w", "answer": ["a"]}\n',
            r"line 2: id '1' comes twice",
        ),
        ("q.jsonl", '{"question": "who", "answer"\n', r"line 1: not JSON"),
        ("q.json", '{"data": 3}', r"'data' must be a list"),
        (
            "q.json",
            '{"data": [{"paragraphs": [{"context": 3, "qas": []}]}]}',
            r"article 1, paragraph 1, context: must be a string",
        ),
        ("q.json", "3", r"must be one list of objects"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, name, content, said):
    with pytest.raises(DataFormatError, match=said):
        read(tmp_path, name, content)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "n"),
    [
        ("dpr.nq.dev.tsv", 8757), ("dpr.nq.test.tsv", 3610), ("dpr.trivia.dev.tsv", 8837), ("dpr.trivia.test.tsv", 11313),
        ("dpr.wq.test.tsv", 2032), ("dpr.curated.test.tsv", 694), ("dpr.squad.test.tsv", 10570), ("NQ-open.dev.jsonl", 3610),
        ("NQ-open.efficientqa.dev.1.1.jsonl", 1800), ("NQ-open.efficientqa.test.1.1.jsonl", 1769), ("webq-trainmodel.json", 2834),
        ("webq-val.json", 755), ("webq-devtest.json", 189), ("webq-test.json", 2032), ("xquad.en.json", 1190),
    ],
)  # fmt: skip
def test_every_real_file_is_read_whole(name, n):
    questions = tt.read_questions(require("qa") / name)
    assert len(questions) == len(questions.answers) == n
    assert all(answers for answers in questions.answers.values())
