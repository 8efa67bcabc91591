"""How fast does text become term ids, through Python, on one thread?

Question  MB of UTF-8 a second from a list of str to int32 ids: "english" (stop words, Snowball) and "plain", with the
          cache of words cold (a new analyzer and vocabulary) and warm (every word has been met).
Data      scifact abstracts (5,183 texts, 7.3 MB, nearly all ASCII).
Check     The terms of the first 200 texts equal the plain-Python oracle of the tests before anything is timed.
Command   pytest benchmarks/bench_text.py --benchmark-enable
"""

import json

import pytest

from real_data import require
from text.oracle import STOP_WORDS, analyze
from twotower import Analyzer, Vocabulary

pytestmark = [pytest.mark.quick, pytest.mark.data]
ORACLE = {"english": (STOP_WORDS, "english"), "plain": ((), None)}


@pytest.fixture(scope="module")
def texts():
    with (require("scifact") / "corpus.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def report_speed(benchmark, texts):
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    benchmark.extra_info["data_MB"] = round(megabytes, 2)
    if benchmark.enabled:
        benchmark.extra_info["MB_per_s"] = round(megabytes / benchmark.stats.stats.median, 1)


@pytest.mark.parametrize("name", ORACLE)
def test_cold(benchmark, texts, name):
    def run():
        return Analyzer(name).term_ids(texts, Vocabulary(), grow=True)

    benchmark.pedantic(run, rounds=5)
    report_speed(benchmark, texts)


@pytest.mark.parametrize("name", ORACLE)
def test_warm(benchmark, texts, name):
    stop_words, stemmer = ORACLE[name]
    analyzer, vocabulary = Analyzer(name), Vocabulary()
    expected = [analyze(text, stop_words=stop_words, stemmer=stemmer) for text in texts[:200]]
    assert analyzer.analyze_batch(texts[:200]) == expected
    analyzer.term_ids(texts, vocabulary, grow=True)
    benchmark.pedantic(analyzer.term_ids, args=(texts, vocabulary, False), rounds=10)
    report_speed(benchmark, texts)
