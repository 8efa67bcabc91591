"""Make unicode_tables.inc: for each code point its class for the word splitter and its simple lower case.

Runs at build time and reads nothing but the `unicodedata` of the interpreter that builds, whose version is written into
the table (``kUnicodeVersion``). Usage: ``python make_unicode_tables.py OUTPUT``.

The table has two stages, blocks of 256 code points that are stored once however often they occur:
``kRecords[kCells[kBlocks[c >> 8] << 8 | (c & 255)]]`` is the class of c and what to add to c to make it lower case.
"""

import sys
import unicodedata
from pathlib import Path

# Scripts written without spaces that become bigrams. unicodedata has no script property; these names are stable by the
# Unicode policy on names. Conjoining and half-width jamo are not here: a bigram of jamo is less than a syllable.
CJK_NAMES = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC",
    "HIRAGANA",
    "HENTAIGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "HANGUL SYLLABLE",
)
VARIANT_NAMES = ("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION SELECTOR")
APOSTROPHES = "'\u2019\uff07"
ZERO_WIDTH_SPACE = "\u200b"  # a format character by category, yet it is there to separate words


def class_of(char: str) -> str:
    """Return the enumerator of twotower::CharClass for one character."""
    category = unicodedata.category(char)
    name = unicodedata.name(char, "")
    if char in APOSTROPHES:
        return "Apostrophe"
    if char.isspace():
        return "Space"
    if (category == "Cf" and char != ZERO_WIDTH_SPACE) or name.startswith(VARIANT_NAMES):
        return "Ignored"
    if category[0] in "LN" and name.startswith(CJK_NAMES):
        return "Cjk"
    return {"L": "Letter", "M": "Mark", "N": "Number"}.get(category[0], "Other")


def lower_of(char: str) -> str:
    """Return the simple (one to one) lower case; U+0130 is the only character whose full lower case is longer."""
    lower = char.lower()
    assert len(lower) == 1 or char == "\u0130", f"U+{ord(char):04X} has an unexpected lower case {lower!r}"
    return lower[0]


def tables() -> tuple[list[int], list[int], list[tuple[str, int]]]:
    """Return blocks (number of the stored block for each 256 code points), cells (record numbers), and records."""
    records: dict[tuple[str, int], int] = {}
    stored: dict[tuple[int, ...], int] = {}
    blocks = []
    for start in range(0, 0x110000, 256):
        cells = []
        for code in range(start, start + 256):
            char = chr(code)
            record = (class_of(char), ord(lower_of(char)) - code)
            cells.append(records.setdefault(record, len(records)))
        blocks.append(stored.setdefault(tuple(cells), len(stored)))
    return blocks, [cell for block in stored for cell in block], list(records)


def lines_of(numbers: list[int]) -> str:
    """Return the numbers as the inside of a C++ array literal."""
    return "\n".join("    " + ", ".join(map(str, numbers[i : i + 24])) + "," for i in range(0, len(numbers), 24))


def main(output: Path) -> None:
    """Write the table."""
    blocks, cells, records = tables()
    assert len(records) <= 256, "record numbers must fit uint8"
    assert len(cells) <= 256 * 65536, "block numbers must fit uint16"
    rows = "\n".join(f"    {{CharClass::k{name}, {delta}}}," for name, delta in records)
    output.write_text(
        "// Made by make_unicode_tables.py; do not edit.\n"
        f'constexpr char kUnicodeVersion[] = "{unicodedata.unidata_version}";\n'
        f"constexpr CharRecord kRecords[] = {{\n{rows}\n}};\n"
        f"constexpr std::uint16_t kBlocks[] = {{\n{lines_of(blocks)}\n}};\n"
        f"constexpr std::uint8_t kCells[] = {{\n{lines_of(cells)}\n}};\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
