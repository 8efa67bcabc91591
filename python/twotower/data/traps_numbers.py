"""Numbers: which value fits, where no word of the question but perhaps a wrong number stands in the passage."""

from twotower.data.traps_words import BUILDINGS, MONTHS, NUMBER_WORDS, TOWNS, Draw, Pair

_LIMITS = (  # passage, question for more, question for less
    ("The tower in {town} is {{}} meters high.", "tower in {town} over {n} meters", "tower in {town} under {n} meters"),
    (
        "The hall in {town} seats {{}} people.",
        "hall in {town} for more than {n} people",
        "hall in {town} for fewer than {n} people",
    ),
    (
        "The tunnel near {town} is {{}} miles long.",
        "tunnel near {town} longer than {n} miles",
        "tunnel near {town} shorter than {n} miles",
    ),
    (
        "The ticket to {town} costs {{}} dollars.",
        "ticket to {town} for more than {n} dollars",
        "ticket to {town} for less than {n} dollars",
    ),
    (
        "The lake near {town} is {{}} feet deep.",
        "lake near {town} deeper than {n} feet",
        "lake near {town} shallower than {n} feet",
    ),
)
_UNITS = (  # passage, unit so many times larger, unit so many times smaller
    ("a rope of {} meters", "kilometers", "millimeters", 1000), ("a bag of {} kilograms", "tonnes", "grams", 1000),
    ("a wait of {} minutes", "hours", "seconds", 60), ("a cable of {} meters", "kilometers", "millimeters", 1000),
    ("a pack of {} grams", "kilograms", "milligrams", 1000), ("a talk of {} minutes", "hours", "seconds", 60),
)  # fmt: skip
_THINGS = ("chairs", "tables", "lamps", "doors", "windows", "beds", "desks", "shelves", "mirrors", "carpets")
_AGES = (
    ("course", "The course in {town} is for children from {} to {} years of age."),
    ("camp", "The camp in {town} takes children between {} and {}."),
)


def limit(draw: Draw) -> Pair:
    """Ask for more or less than a number that stands in neither passage."""
    say, more, less = draw.pick(_LIMITS)
    n, town = 10 * draw.between(3, 9), draw.pick(TOWNS)
    say = say.format(town=town)
    values = (n + draw.between(2, 9) + 10 * draw.between(0, 3), n - draw.between(2, 9) - 10 * draw.between(0, 1))
    return Pair(more.format(n=n, town=town), less.format(n=n, town=town), say.format(values[0]), say.format(values[1]))


def unit(draw: Draw) -> Pair:
    """Ask for an amount in another unit; the wrong passage has the question's number."""
    (thing, large, small, times), n, town = draw.pick(_UNITS), draw.between(2, 9), draw.pick(TOWNS)
    say, ask = f"There was {thing} in a store in {town}.", f"{thing.rsplit(' ', 1)[0]} {{}} in {town}"
    return Pair(ask.format(n, large), ask.format(n * times, small), say.format(n * times), say.format(n))


def date(draw: Draw) -> Pair:
    """Ask for a date in figures, say it in words; day and month could be each other."""
    (day, month), town = draw.several(range(1, 13), 2), draw.pick(TOWNS)
    year, building = draw.between(1880, 1999), draw.pick(BUILDINGS)
    say, ask = (
        f"The {building} in {town} was opened on {{}} {{}}, {year}.",
        f"{building} in {town} opened on {year}-{{:02}}-{{:02}}",
    )
    passages = (say.format(MONTHS[month - 1], day), say.format(MONTHS[day - 1], month))
    return Pair(ask.format(month, day), ask.format(day, month), *passages)


def number_word(draw: Draw) -> Pair:
    """Write "twelve" here and 12 there."""
    (a, b), thing, town = draw.several(list(NUMBER_WORDS), 2), draw.pick(_THINGS), draw.pick(TOWNS)
    place, form = f"a {draw.pick(BUILDINGS)} in {town}", draw.below(2)
    words = [(NUMBER_WORDS[n], str(n)) for n in (a, b)]
    say, ask = f"The owner bought {{}} new {thing} for {place}.", f"{place} with {{}} new {thing}"
    return Pair(*(ask.format(w[form]) for w in words), *(say.format(w[1 - form]) for w in words))


def bound(draw: Draw) -> Pair:
    """Count different things with the same two numbers."""
    (a, b), (x, y), town = draw.several(range(12, 60), 2), draw.several(_THINGS, 2), draw.pick(TOWNS)
    place = f"{draw.pick(BUILDINGS)} in {town}"
    say, asked = f"The {place} has {{}} {x} and {{}} {y}.", draw.in_turn((x, y))
    first, second = (a, b) if asked == x else (b, a)
    return Pair(f"{place} with {first} {asked}", f"{place} with {second} {asked}", say.format(a, b), say.format(b, a))


def decade(draw: Draw) -> Pair:
    """Ask for a decade; the wrong year has the same digits as the right one."""
    (tens, ones), town = draw.several(range(1, 10), 2), draw.pick(TOWNS)
    building, century = draw.pick(BUILDINGS), draw.pick((18, 19))
    say, ask = (
        f"The {building} in {town} dates from {century}{{}}{{}}.",
        f"{building} in {town} from the {century}{{}}0s",
    )
    return Pair(ask.format(tens), ask.format(ones), say.format(tens, ones), say.format(ones, tens))


def span(draw: Draw) -> Pair:
    """Ask for a number that lies between the two of the passage."""
    (what, say), town, start = draw.pick(_AGES), draw.pick(TOWNS), draw.between(3, 7)
    width = draw.between(2, 4)
    middle = start + width + 1
    ask = f"{what} in {town} for a child aged {{}}"
    ends = ((start, start + width), (middle, middle + width))
    return Pair(ask.format(start + 1), ask.format(middle + 1), *(say.format(*e, town=town) for e in ends))


SUBCASES = {
    "limit": limit,
    "unit": unit,
    "date": date,
    "number word": number_word,
    "bound": bound,
    "decade": decade,
    "span": span,
}
