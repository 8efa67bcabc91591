"""The words that retrieval traps are filled with, and chance that is the same on every machine. Knows no template."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple, TypeVar

Choice = TypeVar("Choice")

PEOPLE = (
    "Anna", "Peter", "Maria", "Thomas", "Laura", "Robert", "Helen", "David", "Julia", "Martin", "Sarah", "Daniel", "Alice",
    "George", "Emma", "Frank", "Susan", "Walter", "Clara", "Henry",
)  # fmt: skip
TOWNS = (
    "Lisbon", "Dublin", "Boston", "Vienna", "Oslo", "Denver", "Madrid", "Toronto", "Prague", "Sydney", "Milan", "Chicago",
    "Athens", "Geneva", "Dallas", "Warsaw",
)  # fmt: skip
HOUSES = ("Garden", "Harbor", "Station", "Castle", "River", "Market", "Forest", "Mountain", "Bridge", "Lake")
BUILDINGS = ("school", "library", "hospital", "museum", "theater", "market", "station", "church", "factory", "hotel")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
NUMBER_WORDS = {
    3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 11: "eleven", 12: "twelve", 14: "fourteen",
    15: "fifteen", 16: "sixteen", 18: "eighteen", 20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty",
}  # fmt: skip


class Pair(NamedTuple):
    """Two passages and two questions: the first passage answers the first question, the second the second."""

    first_query: str
    second_query: str
    first_passage: str
    second_passage: str


class Draw:
    """Chance from a key: the same key gives the same draws, whatever the machine and the version of anything.

    Attributes
    ----------
    turn : int
        How many pairs there are already. A template takes its variants in turn, so that where the asked word stands in the right
        passage is balanced exactly, not on average.

    Examples
    --------
    >>> draw = Draw("0/example")
    >>> draw.pick("abc"), draw.several("abc", 2)
    ('b', ['a', 'c'])
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._count = 0
        self.turn = 0

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1."""
        self._count += 1
        digest = sha256(f"{self._key}/{self._count}".encode()).digest()
        return int.from_bytes(digest[:8], "little") % n

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Return one of several things."""
        return choices[self.below(len(choices))]

    def in_turn(self, variants: Sequence[Choice]) -> Choice:
        """Return the variant whose turn it is."""
        return variants[self.turn % len(variants)]

    def several(self, choices: Sequence[Choice], n: int) -> list[Choice]:
        """Return `n` different ones, in an order by chance."""
        left = list(choices)
        return [left.pop(self.below(len(left))) for _ in range(n)]
