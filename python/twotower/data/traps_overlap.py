"""Lexical overlap: the wrong passage repeats the question's words and does not answer, the right one answers in other words.

In the first three subcases each passage answers one question in its own words and repeats the words of the other question.
"""

from collections.abc import Callable
from typing import NamedTuple

from twotower.data.traps_words import PEOPLE, TOWNS, Draw, Pair


class Fact(NamedTuple):
    """A question, its answer in other words, and a sentence and a list with its words that answer nothing."""

    ask: str
    answer: str
    scattered: str
    keywords: str


_FACTS = (
    Fact(
        "who repairs the clock",
        "{name} keeps the old timepiece running",
        "A tailor repairs coats under the clock",
        "clock, repairs",
    ),
    Fact(
        "who paints the fence",
        "{name} gives the wooden railing a new coat of color",
        "An artist paints children beside a fence",
        "fence, paints",
    ),
    Fact(
        "who bakes the bread",
        "{name} puts the loaves into the oven",
        "The sun bakes the road where bread is eaten",
        "bread, bakes",
    ),
    Fact(
        "who teaches the children",
        "{name} gives lessons to the young pupils",
        "A film teaches history while the children sleep",
        "children, teaches",
    ),
    Fact(
        "who feeds the horses",
        "{name} brings hay to the stable",
        "A small river feeds the lake where horses drink",
        "horses, feeds",
    ),
    Fact(
        "who cleans the streets",
        "{name} sweeps the roads",
        "Rain cleans the roofs along the streets",
        "streets, cleans",
    ),
    Fact(
        "who drives the bus",
        "{name} sits at the wheel of the public coach",
        "A motor drives the pump behind the bus",
        "bus, drives",
    ),
    Fact("who cuts the grass", "{name} mows the lawn", "A barber cuts hair beside the grass", "grass, cuts"),
    Fact(
        "who guards the bank",
        "{name} watches over the vault and its money",
        "A dog guards sheep on the bank of the river",
        "bank, guards",
    ),
    Fact(
        "who sells the tickets",
        "{name} takes the money for admission",
        "A shop sells hats and collects old tickets",
        "tickets, sells",
    ),
    Fact(
        "who runs the hospital", "{name} is the head of the clinic", "A road runs past the hospital", "hospital, runs"
    ),
    Fact("who owns the ship", "{name} has bought the vessel", "A farmer owns the field behind the ship", "ship, owns"),
    Fact(
        "who plays the organ",
        "{name} makes the music on the pipes of the church",
        "A child plays chess under the organ",
        "organ, plays",
    ),
    Fact(
        "who cooks the soup",
        "{name} prepares the hot broth",
        "A man cooks eggs while the soup gets cold",
        "soup, cooks",
    ),
)
_ECHOES = (
    "Visitors often ask {ask}.", "A letter to the newspaper wanted to know {ask}.", "Nobody here can say {ask}.",
    "Children like to guess {ask}.",
)  # fmt: skip
_TWO_WORDINGS = (  # a fact in two wordings: question and passage of the one, question and passage of the other
    (
        "What does a doctor earn in {t}?",
        "A doctor earns about 90000 dollars in {t}.",
        "yearly salary of a physician working for a clinic of {t}",
        "The yearly salary of a physician working for a clinic of {t} is 90000 dollars.",
    ),
    (
        "Does it rain much during autumn in {t}?",
        "It does rain much during autumn in {t}.",
        "wet weather each fall around {t}",
        "There is wet weather each fall around {t}.",
    ),
    (
        "Are flats expensive in {t}?",
        "Flats are expensive in {t}.",
        "high apartment rents around {t}",
        "There are high apartment rents around {t}.",
    ),
    (
        "Is the population growing in {t}?",
        "The population is growing in {t}.",
        "more and more residents moving to {t}",
        "More and more residents are moving to {t}.",
    ),
    (
        "Has crime fallen in {t}?",
        "Crime has fallen in {t}.",
        "fewer thefts and burglaries around {t}",
        "There are fewer thefts and burglaries around {t}.",
    ),
    (
        "At what age do children start school in {t}?",
        "Children start school at the age of six in {t}.",
        "how old pupils are when entering first grade around {t}",
        "Pupils are six years old when entering first grade around {t}.",
    ),
    (
        "When did the mayor resign in {t}?",
        "The mayor did resign in {t} last May.",
        "head of the city council of {t} stepping down",
        "The head of the city council of {t} was stepping down last May.",
    ),
    (
        "Does the harbor freeze in winter in {t}?",
        "The harbor does freeze in winter in {t}.",
        "port of {t} closed by ice during the cold season",
        "The port of {t} is closed by ice during the cold season.",
    ),
    (
        "How heavy is traffic in the morning in {t}?",
        "Traffic is heavy in the morning in {t}.",
        "cars jamming roads around {t} before work",
        "Cars are jamming roads around {t} before work.",
    ),
    (
        "Can you swim in the sea near {t}?",
        "You can swim in the sea near {t}.",
        "bathing at the beaches of {t}",
        "Bathing is allowed at the beaches of {t}.",
    ),
)


def _double(draw: Draw, bait: Callable[[Fact, str], str]) -> Pair:
    """Return two passages, each the answer to one question with the bait of the other, in an order that both share."""
    town, (name, other), (a, b) = draw.pick(TOWNS), draw.several(PEOPLE, 2), draw.several(_FACTS, 2)
    answers = [f"{fact.answer.format(name=who)} in {town}." for fact, who in ((a, name), (b, other))]
    baits = (bait(b, town), bait(a, town))
    frame = draw.in_turn(("{0} {1}", "{1} {0}"))
    passages = [frame.format(answer, words) for answer, words in zip(answers, baits, strict=True)]
    return Pair(*(f"{fact.ask.capitalize()} in {town}?" for fact in (a, b)), *passages)


def echo(draw: Draw) -> Pair:
    """Say in the wrong passage that the question is asked."""
    frame = draw.pick(_ECHOES)
    return _double(draw, lambda fact, town: frame.format(ask=f"{fact.ask} in {town}"))


def scattered(draw: Draw) -> Pair:
    """Use the question's words in the wrong passage, each beside other words."""
    return _double(draw, lambda fact, town: f"{fact.scattered} in {town}.")


def keywords(draw: Draw) -> Pair:
    """List the question's words as keywords of the wrong passage."""
    return _double(draw, lambda fact, town: f"Keywords: {fact.keywords}, {town}.")


def other_place(draw: Draw) -> Pair:
    """Repeat all words but the place in the wrong passage; say it of the right place in other words."""
    one_query, one, other_query, other = draw.pick(_TWO_WORDINGS)
    here, there = draw.several(TOWNS, 2)
    return Pair(one_query.format(t=here), other_query.format(t=there), other.format(t=here), one.format(t=there))


SUBCASES = {"echo": echo, "scattered": scattered, "keywords": keywords, "other place": other_place}
