"""Role swap: both passages hold the same words, and only their order says who did what to whom.

Each template has two ways to say it: one with the asked name before the other, one with it behind, so that its place tells nothing.
"""

from twotower.data.traps_words import BUILDINGS, PEOPLE, TOWNS, Draw, Pair

_DID = (  # past tense and participle are one word, so that active and passive differ by "was" and "by" alone
    "hired", "taught", "phoned", "paid", "invited", "followed", "praised", "sued", "trained", "rescued", "interviewed",
    "replaced", "visited", "accused", "thanked", "fired", "defeated", "photographed",
)  # fmt: skip
_STATES = ("Both of them lived in {town} until {year}.", "The two had met in {town} in {year}.")
_SCENES = (
    *_STATES, "It happened in {town} in the spring of {year}.", "A newspaper in {town} wrote about it in {year}.",
)  # fmt: skip
_CONVERSES = (
    ("taller", "shorter"), ("older", "younger"), ("richer", "poorer"), ("faster", "slower"), ("stronger", "weaker"),
    ("heavier", "lighter"),
)  # fmt: skip
_VEHICLES = ("train", "bus", "ferry", "flight", "coach")
_TIMES = ("at noon", "at midnight", "every morning", "on Sundays", "in the evening", "before dawn")
_THINGS = ("boat", "house", "car", "piano", "horse", "farm", "painting", "camera", "violin", "tent")
_DEALS = (("sold", "to", "bought", "from"), ("lent", "to", "borrowed", "from"), ("gave", "to", "got", "from"))


def _people_and_scene(draw: Draw, scenes: tuple[str, ...] = _SCENES) -> tuple[str, str, str]:
    a, b = draw.several(PEOPLE, 2)
    return a, b, draw.pick(scenes).format(town=draw.pick(TOWNS), year=draw.between(1950, 2019))


def _swapped(ask: str, say: str, a: str, b: str) -> Pair:
    """Return the pair of templates over {a} and {b}, where the second of each has the two exchanged."""
    return Pair(ask.format(a=a, b=b), ask.format(a=b, b=a), say.format(a=a, b=b), say.format(a=b, b=a))


def active(draw: Draw) -> Pair:
    """Ask and say it in the active voice; {a} does it to {b}."""
    (a, b, scene), did = _people_and_scene(draw), draw.pick(_DID)
    say = draw.in_turn(("{a} %s {b}.", "It was {b} whom {a} %s.")) % did
    return _swapped(f"Who {did} {{b}}?", f"{say} {scene}", a, b)


def passive_passage(draw: Draw) -> Pair:
    """Ask in the active voice, say it in the passive."""
    (a, b, scene), did = _people_and_scene(draw), draw.pick(_DID)
    say = draw.in_turn(("{b} was %s by {a}.", "It was by {a} that {b} was %s.")) % did
    return _swapped(f"Who {did} {{b}}?", f"{say} {scene}", a, b)


def passive_question(draw: Draw) -> Pair:
    """Ask in the passive voice, say it in the active."""
    (a, b, scene), did = _people_and_scene(draw), draw.pick(_DID)
    say = draw.in_turn(("{a} %s {b}.", "It was {b} whom {a} %s.")) % did
    return _swapped(f"Who was {did} by {{a}}?", f"{say} {scene}", a, b)


def converse(draw: Draw) -> Pair:
    """Ask for "shorter than", say "taller than"."""
    (a, b, scene), (more, less) = _people_and_scene(draw, _STATES), draw.pick(_CONVERSES)
    if draw.below(2):
        more, less = less, more
    say = draw.in_turn((f"{{a}} is {more} than {{b}}.", f"Compared with {{b}}, {{a}} is {more}."))
    return _swapped(f"Who is {less} than {{a}}?", f"{say} {scene}", a, b)


def route(draw: Draw) -> Pair:
    """Go from here to there, or back."""
    (a, b), vehicle, time = draw.several(TOWNS, 2), draw.pick(_VEHICLES), draw.pick(_TIMES)
    way = draw.in_turn(("from {a} to {b}", "to {b} from {a}"))
    return _swapped(f"{vehicle} from {{a}} to {{b}} {time}", f"There is a {vehicle} {time} that goes {way}.", a, b)


def sequence(draw: Draw) -> Pair:
    """Ask what came after, say what came before or later."""
    (a, b), town, year = draw.several(BUILDINGS, 2), draw.pick(TOWNS), draw.between(1820, 1990)
    order = draw.in_turn(("{a} was built before the {b}", "{b} was built later than the {a}"))
    say = f"In {town} the {order}. Both were finished by {year}."
    return _swapped(f"What was built after the {{a}} in {town}?", say, a, b)


def exchange(draw: Draw) -> Pair:
    """Ask who bought, say who sold."""
    (a, b, scene), thing, (gave, to, got, back) = _people_and_scene(draw), draw.pick(_THINGS), draw.pick(_DEALS)
    say = draw.in_turn((f"{{a}} {gave} the {thing} {to} {{b}}.", f"It was {to} {{b}} that {{a}} {gave} the {thing}."))
    return _swapped(f"Who {got} the {thing} {back} {{a}}?", f"{say} {scene}", a, b)


SUBCASES = {
    "active": active,
    "passive passage": passive_passage,
    "passive question": passive_question,
    "converse": converse,
    "route": route,
    "sequence": sequence,
    "exchange": exchange,
}
