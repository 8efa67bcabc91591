"""Answer containment against a plain oracle on tricky text, and regular expressions in bounded time."""

import random
import re
import time
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twotower as tt
from real_data import require
from twotower.errors import InputTypeError, InvalidInputError
from twotower.evaluation.answers import _token_pattern, first_answer_places, tokens
from twotower.evaluation.regex_guard import FLAGS, GuardedPattern, _Positions

# Everything that text does to a tokeniser: marks, case that changes length, scripts without spaces, joiners, symbols, blanks, controls.
PIECES = [
    "a", "B", "the", "1901", "3", "½", "²", "Ⅷ", "٣", "é", "e\u0301", "ñ", "n\u0303", "Å", "Å", "A\u030a", "ß", "ẞ", "SS", "İ", "i\u0307",
    "I", "ı", "Σ", "σ", "ς", "ΑΣ", "ﬁ", "ǆ", "ǅ", "漢字", "か\u3099", "が", "한국", "한국", "عَرَبي", "हिन्दी", "क\u093f",
    "ไทย", "👩\u200d🚀", "🇩🇪", "🚁", "€", "$", "%", "+", "-", "–", "—", "'", "’", "\"", "“", ".", ",", "…", "(", ")", "_", "&", "@", "#",
    "/", "\\", "|", "^", "°", "№", "™", "·", "\u0301", "\u20dd", " ", "  ", "\t", "\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u200d",
    "\ufeff", "\u00ad", "\0", "\x07", "\x85", "\u2028", "\u0378", "\ue000", "\U0010ffff", "\U000e0061", "U.S.", "don't", "A&B", "x_y",
]  # fmt: skip


def plain_tokens(text):
    """One character at a time, by its general category."""
    found, word = [], ""
    for character in unicodedata.normalize("NFD", text) + " ":
        kind = unicodedata.category(character)[0]
        if kind in "LNM":
            word += character
            continue
        if word:
            found.append(word.lower())
        word = ""
        if kind not in "ZC":
            found.append(character.lower())
    return found


def plain_has_answer(text, answers):
    passage = plain_tokens(text)
    for answer in map(plain_tokens, answers):
        n = len(answer)
        if n and any(passage[i : i + n] == answer for i in range(len(passage) - n + 1)):
            return True
    return False


def test_500_tricky_cases_equal_the_plain_oracle():
    rng = random.Random(0)
    outcomes = []
    for number in range(500):
        text = "".join(rng.choices(PIECES, k=rng.randint(0, 25)))
        answers = ["".join(rng.choices(PIECES, k=rng.randint(0, 3))) for _ in range(rng.randint(0, 3))]
        if number % 2 and text:  # a part of the text itself, in another form or case
            begin = rng.randrange(len(text))
            part = text[begin : begin + rng.randint(1, 6)]
            change = rng.choice(
                [
                    str,
                    str.upper,
                    str.lower,
                    lambda s: unicodedata.normalize("NFC", s),
                    lambda s: unicodedata.normalize("NFD", s),
                ]
            )
            answers.append(change(part))
        expected = plain_has_answer(text, answers)
        assert tt.has_answer(text, answers) == expected, (text, answers)
        assert tokens(text) == plain_tokens(text), text
        outcomes.append(expected)
    assert 100 < sum(outcomes) < 400  # both sides are tried


def test_every_character_is_a_token_or_none_as_its_category_says():
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            category = unicodedata.category(chr(code))[0]
            expected = [] if category in "ZC" else [chr(code)]
            assert _token_pattern().findall(chr(code)) == expected, hex(code)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), st.lists(st.text(max_size=6), max_size=3))
def test_any_text_equals_the_plain_oracle(text, answers):
    assert tt.has_answer(text, answers) == plain_has_answer(text, answers)


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("He came in 19010.", "1901", False),  # naive `in` says yes
        ("NOT A WORD-BOUNDARY", "word", True),
        ("Destiny's Child", "Destiny 's Child", True),
        ("in July 5, 2018", "July 5 , 2018", True),
        ("Röntgen", "Ro\u0308ntgen", True),
        ("Rontgen", "Röntgen", False),
        ("", "a", False),
        ("anything", "", False),
        ("anything", " \u200b", False),
        ("straße", "STRASSE", False),  # lower case, not case folding: as DPR
        ("a b", "b a", False),
    ],
)
def test_cases_worked_by_hand(text, answer, expected):
    assert tt.has_answer(text, [answer]) is expected


def test_the_first_place_with_an_answer_and_the_accuracy_of_it():
    run = {
        "a": {"d1": 3.0, "d2": 2.0, "d3": 1.0},
        "b": {"d3": 1.0, "d1": 1.0},  # a tie: d3 stands first
        "nothing": {"d1": 1.0},
        "extra": {"d1": 1.0},
    }
    texts = {"d1": "one", "d2": tt.Document("two", title="seven"), "d3": "three"}
    answers = {"a": ["Two", "three"], "b": ["one"], "nothing": ["seven"], "missing": ["one"]}
    assert first_answer_places(run, answers, texts).tolist() == [2, 2, 0, 0]
    assert first_answer_places(run, answers, texts, depth=1).tolist() == [0, 0, 0, 0]
    assert tt.answer_accuracy(run, answers, texts, ks=(1, 2, 100)) == {1: 0.0, 2: 0.5, 100: 0.5}
    assert tt.answer_accuracy(run, {"a": [r"t\w+e$"]}, texts, ks=[3], match="regex") == {3: 1.0}


def test_wrong_input_is_refused():
    with pytest.raises(InputTypeError, match="list of strings"):
        tt.has_answer("text", "answer")
    with pytest.raises(InputTypeError, match="list of strings"):
        tt.has_answer("text", [3])
    with pytest.raises(InputTypeError, match="text is NoneType"):
        tt.has_answer(None, ["a"])
    with pytest.raises(InvalidInputError, match="tokens, regex"):
        tt.has_answer("text", ["a"], match="string")
    with pytest.raises(InvalidInputError, match="no regular expression"):
        tt.has_answer("text", ["(a"], match="regex")
    with pytest.raises(InvalidInputError, match="at most"):
        tt.has_answer("text", ["a" * 20_000], match="regex")
    for ks in ((), (0,), (1.5,), (True,)):
        with pytest.raises(InvalidInputError, match="ks"):
            tt.answer_accuracy({}, {"q": ["a"]}, {}, ks=ks)
    with pytest.raises(InvalidInputError, match="no question"):
        tt.answer_accuracy({}, {}, {})
    with pytest.raises(InvalidInputError, match=r"'d'.*not in texts"):
        tt.answer_accuracy({"q": {"d": 1.0}}, {"q": ["a"]}, {})
    for arguments, said in (
        ((3, {"q": ["a"]}, {}), "run is int"),
        (({}, ["a"], {}), "answers is list"),
        (({}, {"q": ["a"]}, ["t"]), "texts is list"),
    ):
        with pytest.raises(InputTypeError, match=said):
            tt.answer_accuracy(*arguments)


ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "A",
        "é",
        "ſ",
        "K",
        ".",
        r"\w",
        r"\d",
        r"\s",
        "[ab]",
        "[^a]",
        r"[^\W\d]",
        r"\b",
        r"\B",
        "^",
        "$",
        r"\A",
        r"\Z",
        "",
    ]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=7,
)


@settings(max_examples=1500, deadline=None)
@given(PATTERNS, st.text("abAé1 \nsKſ", max_size=9))
def test_following_all_ways_at_once_equals_pythons_matcher(pattern, text):
    guarded = GuardedPattern(pattern)
    assert _Positions(text, guarded._tree, pattern).search() == (re.search(pattern, text, FLAGS) is not None)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)+b", "a" * 3000),
        (r"(a|a)*b", "a" * 3000),
        (r"(a|aa)+$", "a" * 3000 + "b"),
        (r"(.*)*x", "y" * 2000),
        (r"(.*a){20}", "b" * 2000),
        (r".*.*.*.*.*x", "y" * 2000),
        ("a?" * 60 + "a" * 60, "a" * 59),
        (r"((9|1[0-5])\s*(-|to)?\s*)+h(our)?", "9  " * 800),
        (r"(\w+\s?)*!", "word " * 500),
        (r"(x{0,1000}){1000}y", "x" * 500),
    ],
)
def test_catastrophic_patterns_end(pattern, text):
    started = time.monotonic()
    assert tt.has_answer(text, [pattern], match="regex") is False
    assert time.monotonic() < started + 30  # Python's matcher would need longer than the age of the universe


def test_accents_in_regular_expressions():
    for text in ("Sněžka", unicodedata.normalize("NFD", "Sněžka")):
        assert tt.has_answer(text, [r"Sn[eě][zž]ka"], match="regex")
        assert tt.has_answer(
            text, [r"Sn\ě\žka"], match="regex"
        )  # an escape that a decomposed pattern would make invalid


def test_what_sets_of_positions_cannot_follow_is_refused():
    for pattern in (r"(a+)+\1b", r"(a+)+(?=b)", r"(?>a+)(a+)+"):
        with pytest.raises(InvalidInputError, match="exponential"):
            tt.has_answer("a" * 100, [pattern], match="regex")
    assert tt.has_answer("abab", [r"(ab)\1"], match="regex")  # harmless: Python's matcher runs


@pytest.mark.data
def test_real_patterns_equal_pythons_matcher():
    questions = tt.read_questions(require("qa") / "dpr.curated.test.tsv")
    patterns = sorted({pattern for answers in questions.answers.values() for pattern in answers})
    contexts = [d.text for d in tt.read_questions(require("qa") / "xquad.en.json").documents.values()][:10]
    found = 0
    for pattern in patterns:
        guarded = GuardedPattern(pattern)
        for text in contexts:
            expected = re.search(pattern, text, FLAGS) is not None
            assert guarded.occurs_in(text) == expected
            assert _Positions(text, guarded._tree, pattern).search() == expected
            found += expected
    assert found > 50


@pytest.mark.data
def test_gold_paragraphs_hold_their_answers():
    questions = tt.read_questions(require("qa") / "xquad.en.json")
    run = {query_id: {next(iter(gold)): 1.0} for query_id, gold in questions.qrels.items()}
    places = first_answer_places(run, questions.answers, questions.documents)
    assert np.mean(places == 1) > 0.99  # an answer that begins inside a token is the rest
    assert tt.evaluate(run, questions.qrels, ["Success@1"]) == {"Success@1": 1.0}


def test_answers_from_a_generator_are_all_asked():
    assert tt.has_answer("abc", (answer for answer in ["zzz", "abc"]))


@pytest.mark.parametrize("score", [float("nan"), None, "1"])
def test_a_score_that_is_no_number_is_refused(score):
    with pytest.raises(InvalidInputError, match="document 'a'"):
        tt.answer_accuracy({"q": {"a": score, "b": 1.0}}, {"q": ["x"]}, {"a": "x", "b": "y"}, ks=[1])
