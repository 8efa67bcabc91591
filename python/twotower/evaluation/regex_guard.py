"""Regular expressions from data files, matched in bounded time.

Python's matcher goes back and tries again; a pattern such as ``(a+)+b`` makes it try a number of ways that doubles with each
character. Here the number of ways is bounded from the pattern's syntax tree first. Where the bound is low, Python's matcher runs;
otherwise all ways are followed at once, as a set of positions, which takes time proportional to text times pattern. Both give the
same answer to the one question asked: does the pattern occur?

The tree is that of the standard library's own parser (`re._parser`, Python 3.11 on); nothing else of it is relied on.
"""

import math
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from twotower.errors import InvalidInputError

FLAGS = re.IGNORECASE | re.MULTILINE
LONGEST_PATTERN = 10_000
WAYS = 27.0  # log2 of the ways that Python's matcher may try: below a second
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")

_parser: Any = import_module("re._parser")
_compiler: Any = import_module("re._compiler")


class GuardedPattern:
    """A case-insensitive pattern, ``^`` and ``$`` at line ends too, whose search cannot run away.

    Raises
    ------
    InvalidInputError
        If it is no regular expression, or too long; on `occurs_in`, if it can run away and has a part that sets of positions cannot
        follow (a back reference, a look-around, an atomic group).

    Examples
    --------
    >>> GuardedPattern(r"(a+)+b").occurs_in("A" * 500)
    False
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        try:
            if len(pattern) > LONGEST_PATTERN:
                raise InvalidInputError(f"a regular expression of {len(pattern)} characters: at most {LONGEST_PATTERN}")
            self._python = re.compile(pattern, FLAGS)
            self._tree = _parser.parse(pattern, FLAGS)
        except (re.error, RecursionError, OverflowError) as error:
            raise InvalidInputError(f"{pattern[:80]!r} is no regular expression: {error}") from error

    def occurs_in(self, text: str) -> bool:
        """Tell whether the pattern matches anywhere in `text`."""
        length = math.log2(len(text) + 2)
        if length + _ways(self._tree, length) <= WAYS:
            return self._python.search(text) is not None
        return _Positions(text, self._tree, self.pattern).search()


def _ways(items: Iterable[tuple[Any, Any]], length: float) -> float:
    """Return log2 of how many ways there are, at most, to match a sequence in a text of 2^length characters."""
    total = 0.0
    for op, value in items:
        name = str(op)
        if name in _REPEATS or name == "POSSESSIVE_REPEAT":
            low, high, body = value
            inside = _ways(body, length)
            times = float(int(high))
            if math.isinf(inside) or (inside and times > 2**20):
                return math.inf  # ways of the body, to the power of the repetitions
            total += (inside * times if inside else 0.0) + min(math.log2(times - int(low) + 1), length)
        elif name == "BRANCH":
            total += math.log2(len(value[1])) + max(_ways(branch, length) for branch in value[1])
        else:
            total += sum(_ways(part, length) for part in _parts(name, value))
    return total


def _parts(name: str, value: Any) -> list[Any]:
    """Return the sequences inside a node that is neither a repeat nor a branch."""
    if name == "SUBPATTERN":
        return [value[-1]]
    if name in ("ASSERT", "ASSERT_NOT"):
        return [value[1]]
    if name == "ATOMIC_GROUP":
        return [value]
    if name == "GROUPREF_EXISTS":
        return [part for part in value[1:] if part is not None]
    return []


class _Positions:
    """Follows all ways at once. Bit i of a set of positions says that a way has come to the i-th character."""

    def __init__(self, text: str, tree: Any, pattern: str) -> None:
        self.text = text
        self.tree = tree
        self.pattern = pattern
        self.all = (1 << len(text) + 1) - 1
        self.of_character: dict[str, int] = {}
        for i, character in enumerate(text):
            self.of_character[character] = self.of_character.get(character, 0) | 1 << i
        self._masks: dict[int, int] = {}

    def search(self) -> bool:
        return self._follow(self.tree, self.all) != 0

    def _follow(self, items: Iterable[tuple[Any, Any]], here: int) -> int:
        """Return where ways through a sequence end that begin at `here`."""
        for item in items:
            if not here:
                break
            here = self._step(item, here)
        return here

    def _step(self, item: tuple[Any, Any], here: int) -> int:
        op, value = item
        name = str(op)
        if name in ("LITERAL", "NOT_LITERAL", "IN", "ANY", "CATEGORY"):
            return (here & self._mask(item, self._characters)) << 1
        if name == "AT":
            return here & self._mask(item, self._places)
        if name in _REPEATS:
            low, high, body = value
            return self._repeat(int(low), int(high), body, here)
        if name == "BRANCH":
            ends = 0
            for branch in value[1]:
                ends |= self._follow(branch, here)
            return ends
        if name == "SUBPATTERN" and not value[1] and not value[2]:
            return self._follow(value[-1], here)
        raise InvalidInputError(
            f"{self.pattern[:80]!r} may take exponential time, and its part {name} cannot be followed otherwise: "
            "write it without nested repeats"
        )

    def _repeat(self, low: int, high: int, body: Any, here: int) -> int:
        for _ in range(low):
            after = self._follow(body, here)
            if after == here:  # nothing changes any more
                break
            here = after
        ends, times = here, low
        while here and times < high:
            here = self._follow(body, here) & ~ends
            ends |= here
            times += 1
        return ends

    def _mask(self, item: tuple[Any, Any], positions: Callable[[Any], int]) -> int:
        if id(item) not in self._masks:
            alone = _parser.SubPattern(self.tree.state, [item])
            self._masks[id(item)] = positions(_compiler.compile(alone, self.tree.state.flags))
        return self._masks[id(item)]

    def _characters(self, one: "re.Pattern[str]") -> int:
        found = 0
        for character, mask in self.of_character.items():
            if one.fullmatch(character):
                found |= mask
        return found

    def _places(self, assertion: "re.Pattern[str]") -> int:
        return sum(1 << i for i in range(len(self.text) + 1) if assertion.match(self.text, i))
