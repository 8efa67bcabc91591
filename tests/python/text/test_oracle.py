"""C++ against the plain-Python oracle: all of Unicode, random strings, real collections."""

import json
import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from real_data import require
from text.oracle import STOP_WORDS, analyze, lower
from twotower import Analyzer, Vocabulary
from twotower.text import STOP_WORDS as PACKAGE_STOP_WORDS

# Characters at which the rules part: every class, every apostrophe, growing and shrinking lower case, marks, joiners.
EDGES = (
    "abZ9 .,_'’＇\u00ad\u200b\u200c\u200d\ufeff\ufe0f\U000e0100\u0301\u3099\u20e3"
    "é𝔘ßİſΣςȺK東京都々〇ひらガｶﾞー한글ᄒ²½٣ไทยहि❤👍🏽\x00\x85\u2028\u3000"
)
TEXTS = st.text() | st.text(alphabet=EDGES, max_size=40)
ENGLISH = Analyzer("english")
OPTIONS = [
    {},
    {"stemmer": None},
    {"stop_words": None, "stemmer": None},
    {"lowercase": False, "stop_words": None, "stemmer": None},
    {"words": "whitespace"},
    {"words": "whitespace", "lowercase": False, "stop_words": ["a", "東京"], "stemmer": "german"},
]
ANALYZERS = [(Analyzer(**options), options) for options in OPTIONS]


def oracle(text, words="unicode", lowercase=True, stop_words="english", stemmer="english"):
    stop_words = STOP_WORDS if stop_words == "english" else stop_words or ()
    return analyze(text, words, lowercase, stop_words, stemmer)


def test_stop_list_is_lucenes_33_words():
    assert set(PACKAGE_STOP_WORDS["english"]) == STOP_WORDS
    assert len(PACKAGE_STOP_WORDS["english"]) == 33


@settings(max_examples=400, deadline=None)
@given(st.lists(TEXTS, max_size=4))
@example(["it's THAT's nurse's s's"])
@example(["ȺȺȺ", "\x00", "a\u00ad'\u00adb", "か\u3099き\ufe0fく"])
def test_random_texts(texts):
    for analyzer, options in ANALYZERS:
        assert analyzer.analyze_batch(texts) == [oracle(text, **options) for text in texts]


def test_every_code_point():
    """Each character alone, inside a word, after an apostrophe; of blocks whose members are alike, a few do."""
    plain = Analyzer("plain")
    alike = [range(0x3500, 0x4D00), range(0x4F00, 0x9F00), range(0xAD00, 0xD700), range(0xE100, 0xF800)]
    alike += [range(0x17100, 0x18700), range(0x20100, 0x2A600), range(0x2A800, 0x2EB00), range(0x30100, 0x31300)]
    skipped = {code for block in alike for code in block}
    codes = [code for code in range(0x32000) if code not in skipped and not 0xD800 <= code <= 0xDFFF]
    codes += [*range(0xE0000, 0xE0200), 0xF0000, 0x10FFFD, sys.maxunicode]
    texts = [f"{chr(code)} a{chr(code)}b a'{chr(code)}東" for code in codes]
    assert plain.analyze_batch(texts) == [oracle(text, stop_words=None, stemmer=None) for text in texts]


def test_lower_case_is_pythons_except_where_it_needs_context_or_more_characters():
    for code in range(sys.maxunicode + 1):
        if chr(code) != "İ":
            assert len(chr(code).lower()) == 1
    assert Analyzer("plain").analyze("ΟΔΟΣ İI") == [lower("ΟΔΟΣ"), "ii"]


def test_tables_have_the_version_of_this_python():
    assert ENGLISH.to_config()["unicode_version"] == unicodedata.unidata_version


@pytest.mark.data
@pytest.mark.parametrize("name", ["scifact", "cacm", "wiki-vital-summaries"])
def test_real_collections(name):
    with (require(name) / "corpus.jsonl").open(encoding="utf-8") as lines:
        texts = [f"{row['title']} {row['text']}" for row in map(json.loads, lines)]
    texts = texts[:4000]
    vocabulary = Vocabulary()
    ids, offsets = ENGLISH.term_ids(texts, vocabulary, grow=True)
    terms = vocabulary.terms()
    assert len(set(terms)) == len(terms)
    for text, (start, end) in zip(texts, pairwise(offsets), strict=True):
        assert [terms[i] for i in ids[start:end]] == oracle(text)
