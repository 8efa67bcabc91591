"""Negation: which of two things is denied. But for "denied words", both passages hold the same words, or all but one."""

from twotower.data.traps_words import DAYS, HOUSES, PEOPLE, TOWNS, Draw, Pair

_SCOPES = (  # who, does, do, things, question about the one that is so, about the one that is not
    (
        "The {x} Hotel",
        "allows",
        "allow",
        ("dogs", "cameras", "visitors", "bicycles"),
        "hotel that allows",
        "hotel that does not allow",
    ),
    (
        "The {x} Store",
        "sells",
        "sell",
        ("bread", "shoes", "toys", "flowers"),
        "store that sells",
        "store that does not sell",
    ),
    (
        "The {x} Cafe",
        "serves",
        "serve",
        ("soup", "breakfast", "wine", "pizza"),
        "cafe that serves",
        "cafe that does not serve",
    ),
    (
        "The {x} School",
        "teaches",
        "teach",
        ("music", "chess", "dancing", "cooking"),
        "school that teaches",
        "school that does not teach",
    ),
    (
        "The {x} Clinic",
        "treats",
        "treat",
        ("children", "cats", "burns", "allergies"),
        "clinic that treats",
        "clinic that does not treat",
    ),
)
_ELLIPSES = (  # place, things, participle, question
    ("the {x} Park", ("dogs", "bicycles", "fires", "tents"), "allowed", "Where are {thing} allowed?"),
    ("the {x} Pool", ("children", "adults", "beginners", "tourists"), "admitted", "Where are {thing} admitted?"),
    ("the {x} Museum", ("drawings", "coins", "weapons", "photographs"), "shown", "Where are {thing} shown?"),
    ("the {x} Market", ("vegetables", "books", "clothes", "birds"), "sold", "Where are {thing} sold?"),
)
_PARTS = ("garden", "garage", "balcony", "cellar", "fireplace", "pantry", "terrace", "kitchen")
_PREFIXES = (
    ("safe", "unsafe"), ("legal", "illegal"), ("possible", "impossible"), ("popular", "unpopular"), ("common", "uncommon"),
    ("pleasant", "unpleasant"), ("wise", "unwise"), ("comfortable", "uncomfortable"),
)  # fmt: skip
_ACTS = ("Fishing", "Swimming", "Camping", "Hunting", "Sailing", "Skating")
_SEASONS = ("spring", "summer", "autumn", "winter")
_EXCEPTIONS = (  # passage, question if it is the exception to "every", and to "no"
    (
        "{{}} branch except the one in {town} opens on {day}.",
        "branch in {town} closed on {day}",
        "branch in {town} open on {day}",
    ),
    ("{{}} bridge except the one in {town} was repaired.", "broken bridge in {town}", "usable bridge in {town}"),
    (
        "{{}} factory except the one in {town} made a profit.",
        "losing money with the factory in {town}",
        "earning money with the factory in {town}",
    ),
    ("{{}} player except the one from {town} was hurt.", "healthy player from {town}", "injured player from {town}"),
)
_SERVICES = (
    ("ferry", "sail"), ("bus", "come"), ("courier", "deliver"), ("band", "play"), ("bakery", "open"), ("doctor", "visit"),
)  # fmt: skip
_DENIED = (  # one says it in its own words, the other denies it in the words of the first question
    (
        "Pets are welcome at the {x} Hotel.",
        "The {y} Hotel does not allow dogs.",
        "hotels that allow dogs",
        "hotels where pets are not welcome",
    ),
    (
        "Guests can order wine and beer at the {x} Grill.",
        "The {y} Grill does not serve alcohol.",
        "restaurants that serve alcohol",
        "restaurants where guests cannot order wine and beer",
    ),
    (
        "Entry to the {x} Museum is free.",
        "The {y} Museum does not let visitors in without paying.",
        "museums that let visitors in without paying",
        "museums where entry is not free",
    ),
    (
        "The water of the {x} Pool is heated.",
        "The {y} Pool does not offer warm swimming.",
        "pools that offer warm swimming",
        "pools where the water is not heated",
    ),
    (
        "Cyclists may ride through the {x} Park.",
        "The {y} Park does not permit bicycles.",
        "parks that permit bicycles",
        "parks where cyclists may not ride",
    ),
    (
        "The {x} Gym is open day and night.",
        "The {y} Gym does not operate around the clock.",
        "gyms that operate around the clock",
        "gyms that are not open day and night",
    ),
    (
        "Customers may pay with plastic at the {x} Store.",
        "The {y} Store does not accept credit cards.",
        "stores that accept credit cards",
        "stores where customers may not pay with plastic",
    ),
    (
        "Anyone can borrow films from the {x} Library.",
        "The {y} Library does not lend movies.",
        "libraries that lend movies",
        "libraries where nobody can borrow films",
    ),
    (
        "Evening lessons are given at the {x} School.",
        "The {y} School does not teach after working hours.",
        "schools that teach after working hours",
        "schools where evening lessons are not given",
    ),
    (
        "Cars can be left at the {x} Station.",
        "The {y} Station does not provide parking.",
        "stations that provide parking",
        "stations where cars cannot be left",
    ),
)


def scope(draw: Draw) -> Pair:
    """Put "not" before the one or the other; half of the questions ask for what is denied."""
    who, does, do, things, positive, negative = draw.pick(_SCOPES)
    (a, b), subject = draw.several(things, 2), who.format(x=draw.pick(HOUSES))
    say = draw.in_turn((f"{does} {{}} but does not {do} {{}}.", f"does not {do} {{1}} but {does} {{0}}."))
    ask, first, second = (negative, b, a) if draw.turn // 2 % 2 else (positive, a, b)
    return Pair(f"{ask} {first}", f"{ask} {second}", *(f"{subject} {say.format(*pair)}" for pair in ((a, b), (b, a))))


def ellipsis(draw: Draw) -> Pair:
    """Leave the second verb out: "and dogs are not"."""
    place, things, done, ask = draw.pick(_ELLIPSES)
    (a, b), where = draw.several(things, 2), place.format(x=draw.pick(HOUSES))
    say = draw.in_turn(
        (f"{{}} are {done} in {where} and {{}} are not.", f"{{1}} are not {done} in {where} and {{0}} are.")
    )
    passages = (say.format(*pair).capitalize().replace(where.lower(), where) for pair in ((a, b), (b, a)))
    return Pair(ask.format(thing=a), ask.format(thing=b), *passages)


def without(draw: Draw) -> Pair:
    """Offer one part and lack another."""
    (a, b), town = draw.several(_PARTS, 2), draw.pick(TOWNS)
    parts = draw.in_turn(("with a {} and without a {}", "without a {1} and with a {0}"))
    say, ask = f"For rent in {town}: an apartment {parts}.", f"apartment in {town} that has no {{}}"
    return Pair(ask.format(b), ask.format(a), say.format(a, b), say.format(b, a))


def prefix(draw: Draw) -> Pair:
    """Negate by a prefix: safe in one season, unsafe in another."""
    (good, bad), act, town, (a, b) = draw.pick(_PREFIXES), draw.pick(_ACTS), draw.pick(TOWNS), draw.several(_SEASONS, 2)
    seasons = draw.in_turn((f"{good} in {{}} and {bad} in {{}}", f"{bad} in {{1}} and {good} in {{0}}"))
    say = f"{act} near {town} is {seasons}."
    wanted, first, second = (bad, b, a) if draw.turn // 2 % 2 else (good, a, b)
    ask = f"{act.lower()} near {town} is {wanted} in {{}}"
    return Pair(ask.format(first), ask.format(second), say.format(a, b), say.format(b, a))


def exception(draw: Draw) -> Pair:
    """Except one from "every" or from "no": a single word differs."""
    say, first, second = draw.pick(_EXCEPTIONS)
    names = {"town": draw.pick(TOWNS), "day": draw.pick(DAYS)}
    say = say.format(**names)
    return Pair(first.format(**names), second.format(**names), say.format("Every"), say.format("No"))


def double_negation(draw: Draw) -> Pair:
    """Negate twice: what never fails to happen does happen."""
    (service, acts), (a, b), who = draw.pick(_SERVICES), draw.several(DAYS, 2), draw.pick(PEOPLE)
    days = draw.in_turn(
        (
            f"never fails to {acts} on {{}} and often fails to {acts} on {{}}",
            f"often fails to {acts} on {{1}} and never fails to {acts} on {{0}}",
        )
    )
    say = f"According to {who}, the {service} {days}."
    ask = f"{who} says that one can count on the {service} on {{}}"
    return Pair(ask.format(a), ask.format(b), say.format(a, b), say.format(b, a))


def denied_words(draw: Draw) -> Pair:
    """Deny the question's own words in the wrong passage; say it in other words in the right one."""
    first, second, *queries = draw.pick(_DENIED)
    x, y = draw.several(HOUSES, 2)
    return Pair(queries[0], queries[1], first.format(x=x), second.format(y=y))


SUBCASES = {
    "scope": scope,
    "ellipsis": ellipsis,
    "without": without,
    "prefix": prefix,
    "exception": exception,
    "double negation": double_negation,
    "denied words": denied_words,
}
