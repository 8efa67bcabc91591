"""The trap suite: the same on every machine, balanced, and made of what its files say."""

import re
from collections import Counter, defaultdict

import pytest

import twotower as tt
from twotower.data.traps import CONTROL, HEURISTICS, fingerprint
from twotower.data.traps_overlap import _FACTS
from twotower.data.traps_words import Draw
from twotower.errors import InvalidInputError
from twotower.registry import resolve

ITEMS = tt.trap_items()
SUBCASES = [(h, s) for h in HEURISTICS for s in [*resolve(HEURISTICS, h, "heuristic"), CONTROL]]
SAME_WORDS = [  # subcases whose two passages hold the same words
    *(("role swap", s) for s in resolve(HEURISTICS, "role swap", "heuristic")),
    *(("negation", s) for s in ("scope", "ellipsis", "without", "prefix", "double negation")),
    ("numbers", "bound"),
]


def words(text):
    return re.findall(r"\w+", text.lower())


def of(heuristic, subcase, items=ITEMS):
    return [item for item in items if (item.heuristic, item.subcase) == (heuristic, subcase)]


def test_the_suite_is_the_same_everywhere():
    assert fingerprint(ITEMS) == "007c7827ba4cc77f8406517b6fad3c966f4fd15e85de2d037a711cad320fda8f"
    assert fingerprint(ITEMS) == fingerprint(tt.trap_items(0, 40))


def test_another_seed_gives_other_items_and_a_larger_suite_begins_with_the_smaller():
    assert fingerprint(tt.trap_items(1)) != fingerprint(ITEMS)
    larger = {item.item_id: item for item in tt.trap_items(0, 60)}
    assert all(larger[item.item_id] == item for item in ITEMS)


def test_every_subcase_has_its_items_and_no_pair_comes_twice():
    assert Counter((i.heuristic, i.subcase) for i in ITEMS) == dict.fromkeys(SUBCASES, 40)
    assert len({i.item_id for i in ITEMS}) == len(ITEMS) == 40 * len(SUBCASES)
    for heuristic, subcase in SUBCASES:
        assert len({frozenset(i.passages) for i in of(heuristic, subcase)}) == 20


def test_the_two_items_of_a_pair_have_the_same_passages_and_opposite_answers():
    pairs = defaultdict(list)
    for item in ITEMS:
        pairs[item.pair].append(item)
    for first, second in pairs.values():
        assert first.passages == second.passages
        assert first.passages[0] != first.passages[1]
        assert (first.right, second.right) == (0, 1)
        assert first.query != second.query


@pytest.mark.parametrize(("heuristic", "subcase"), SAME_WORDS)
def test_swaps_and_scopes_give_a_bag_of_words_nothing(heuristic, subcase):
    for item in of(heuristic, subcase):
        assert Counter(words(item.passages[0])) == Counter(words(item.passages[1]))


@pytest.mark.parametrize(("heuristic", "subcase"), SUBCASES)
def test_the_questions_of_a_pair_are_of_about_one_length(heuristic, subcase):
    items = of(heuristic, subcase)
    if subcase not in (CONTROL, "denied words", "other place"):
        assert all(
            abs(len(words(a.query)) - len(words(b.query))) <= 1 for a, b in zip(items[::2], items[1::2], strict=True)
        )
    assert all(len(words(i.query)) >= 3 for i in items)
    assert all(text == " ".join(text.split()) and "{" not in text for i in items for text in (i.query, *i.passages))


@pytest.mark.parametrize("subcase", ["echo", "scattered", "keywords", "other place"])
def test_the_wrong_passage_of_an_overlap_trap_has_more_of_the_question(subcase):
    for item in of("lexical overlap", subcase):
        asked = set(words(item.query))
        right, wrong = (len(asked & set(words(item.passages[at]))) for at in (item.right, 1 - item.right))
        assert right < wrong


def test_answers_of_facts_share_no_content_word_with_their_questions_and_baits_have_them_all():
    analyze = tt.Analyzer("english").analyze
    for fact in _FACTS:
        asked = set(analyze(fact.ask)) - {"who"}
        assert asked.isdisjoint(analyze(fact.answer)), fact
        assert asked <= set(analyze(fact.scattered)), fact
        assert asked <= set(analyze(fact.keywords)), fact


def test_the_wrong_passage_of_a_control_shares_no_long_word_with_the_right_one():
    for item in (i for i in ITEMS if i.is_control):
        right, wrong = item.passages[item.right], item.passages[1 - item.right]
        assert not {w for w in words(f"{item.query} {right}") if len(w) > 3} & {w for w in words(wrong) if len(w) > 3}


def numbers_in(text):
    return [int(n) for n in re.findall(r"\d+", text)]


def test_numbers_fit_the_right_passage_and_not_the_wrong_one():
    for item in of("numbers", "limit"):
        (limit,), (right,), (wrong,) = (numbers_in(t) for t in (item.query, *_ordered(item)))
        more = re.search("over|more than|longer|deeper", item.query) is not None
        assert (right > limit > wrong) if more else (right < limit < wrong)
    for item in of("numbers", "span"):
        (age,), (low, high), (start, stop) = (numbers_in(t) for t in (item.query, *_ordered(item)))
        assert low <= age <= high
        assert not start <= age <= stop
    sizes = {
        "kilometers": 1000,
        "millimeters": 1e-3,
        "tonnes": 1000,
        "hours": 60,
        "seconds": 1 / 60,
        "milligrams": 1e-3,
    }
    for item in of("numbers", "unit"):
        unit = next(w for w in words(item.query) if w in {*sizes, "kilograms", "grams"})
        size = sizes.get(unit) or {"kilograms": 1000, "grams": 1e-3}[unit]
        right, wrong = (numbers_in(t)[0] for t in _ordered(item))
        assert numbers_in(item.query)[0] * size == pytest.approx(right)
        assert wrong == numbers_in(item.query)[0]


def _ordered(item):
    return item.passages[item.right], item.passages[1 - item.right]


def test_draws_are_even_and_by_key():
    draw = Draw("x")
    counts = Counter(draw.below(7) for _ in range(7000))
    assert min(counts.values()) > 850
    assert set(counts) == set(range(7))
    assert [Draw("y").between(3, 5) for _ in range(3)] == [Draw("y").between(3, 5)] * 3
    assert sorted(draw.several("abcd", 4)) == list("abcd")


@pytest.mark.parametrize("n", [0, 1, 3, -2])
def test_an_odd_number_of_items_is_refused(n):
    with pytest.raises(InvalidInputError, match="even"):
        tt.trap_items(n=n)


def test_more_items_than_the_templates_give_are_refused():
    with pytest.raises(InvalidInputError, match="hardly more than"):
        tt.trap_items(n=2000)
