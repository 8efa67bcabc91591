"""Retrieval traps: questions with two passages, of which a heuristic takes the wrong one.

Every pair of passages has two questions, one for each, so that a ranker which never looks at the question is right exactly
half of the time. Knows no ranker. Templates stand in one file a heuristic; after McCoy, Pavlick and Linzen (ACL 2019, HANS),
whose idea this is; templates and words are written for this project.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from hashlib import sha256

from twotower.data.traps_words import Draw, Pair
from twotower.errors import InvalidInputError
from twotower.registry import resolve

HEURISTICS = {
    "role swap": "twotower.data.traps_roles:SUBCASES",
    "negation": "twotower.data.traps_negation:SUBCASES",
    "numbers": "twotower.data.traps_numbers:SUBCASES",
    "lexical overlap": "twotower.data.traps_overlap:SUBCASES",
}
CONTROL = "control"
"""The subcase of each heuristic whose wrong passage is about something else."""
_PATIENCE = 60  # draws for each pair that is wanted, before the templates count as used up
_LONG_WORD = re.compile(r"\w{4,}")

Template = Callable[[Draw], Pair]


@dataclass(frozen=True)
class TrapItem:
    """A question with the passage that answers it and one that seems to.

    Attributes
    ----------
    item_id : str
        "heuristic/subcase/number of the pair/a or b".
    heuristic, subcase : str
    query : str
    passages : tuple of (str, str)
        The two items of a pair have the same two, in the same order.
    right : int
        0 or 1: which passage answers.
    """

    item_id: str
    heuristic: str
    subcase: str
    query: str
    passages: tuple[str, str]
    right: int

    @property
    def pair(self) -> str:
        """What the two items with these passages share of their id."""
        return self.item_id.rpartition("/")[0]

    @property
    def is_control(self) -> bool:
        """Whether the wrong passage is simply about something else."""
        return self.subcase == CONTROL


def trap_items(seed: int = 0, n: int = 40) -> list[TrapItem]:
    """Make the suite.

    Parameters
    ----------
    seed : int
        The same seed gives the same items, on every machine.
    n : int
        Items for each subcase: even, 2 or more, two for each pair of passages.

    Returns
    -------
    list of TrapItem
        By heuristic, then subcase (the controls last), then pair.

    Raises
    ------
    InvalidInputError
        If `n` is not even or below 2, or larger than a subcase's templates and words can give.

    Examples
    --------
    >>> items = trap_items(n=2)
    >>> items[0].query, items[0].passages[items[0].right].split(".")[0]
    ('Who praised Thomas?', 'Maria praised Thomas')
    """
    if n < 2 or n % 2:
        raise InvalidInputError(f"n is {n}: give an even number of items for each subcase, 2 or more")
    items: list[TrapItem] = []
    for heuristic in HEURISTICS:
        templates: Mapping[str, Template] = resolve(HEURISTICS, heuristic, "heuristic")
        for subcase, template in {**templates, CONTROL: _control(templates)}.items():
            items += _items(heuristic, subcase, template, seed, n)
    return items


def fingerprint(items: Sequence[TrapItem]) -> str:
    """Return a SHA-256 hex digest of all items: same digest, same suite."""
    return sha256(repr([astuple(item) for item in items]).encode()).hexdigest()


def _items(heuristic: str, subcase: str, template: Template, seed: int, n: int) -> list[TrapItem]:
    draw = Draw(f"{seed}/{heuristic}/{subcase}")
    pairs: dict[frozenset[str], Pair] = {}
    for _ in range(_PATIENCE * n):
        pair = template(draw)
        pairs.setdefault(frozenset(pair[2:]), pair)
        draw.turn = len(pairs)
        if len(pairs) == n // 2:
            break
    else:
        raise InvalidInputError(
            f"{heuristic}, {subcase}: n is {n}, but there are hardly more than {2 * len(pairs)} items"
        )
    items = []
    for number, (first, second, *passages) in enumerate(pairs.values()):
        where = f"{heuristic}/{subcase}/{number}"
        both = (passages[0], passages[1])
        items.append(TrapItem(f"{where}/a", heuristic, subcase, first, both, 0))
        items.append(TrapItem(f"{where}/b", heuristic, subcase, second, both, 1))
    return items


def _control(templates: Mapping[str, Template]) -> Template:
    """Return a template that takes the first halves of two pairs which share no word of four letters or more."""

    def template(draw: Draw) -> Pair:
        while True:
            one, other = (choice(draw) for choice in draw.several(list(templates.values()), 2))
            if _long_words(one).isdisjoint(_long_words(other)):
                return Pair(one.first_query, other.first_query, one.first_passage, other.first_passage)

    return template


def _long_words(pair: Pair) -> set[str]:
    return set(_LONG_WORD.findall(f"{pair.first_query} {pair.first_passage}".lower()))
