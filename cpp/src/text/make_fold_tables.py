"""Make fold_tables.inc: what each character becomes when accents are folded.

Runs at build time and reads nothing but the `unicodedata` of the interpreter that builds.
Usage: ``python make_fold_tables.py OUTPUT``.

A character is decomposed (NFKD), loses its diacritics, and is composed again. Diacritics are marks that stand above,
below or across a letter (combining class 1, or 200 and up), and the points of Hebrew, Arabic and Syriac (10 to 36).
Vowel signs, viramas, nuktas and the voicing marks of kana make other letters: they stay. Then Latin letters that
Unicode does not decompose become their base by name ("LATIN SMALL LETTER O WITH STROKE") or by `LETTERS`.
A character whose form would have anything but letters, marks and numbers (a fraction, a circled sum) stays as it is.

The table has two stages, blocks of 256 code points that are stored once: cell 0 is "stays", any other cell n means the
bytes ``kFoldText[kFoldEnds[n - 1]:kFoldEnds[n]]``.
"""

import re
import sys
import unicodedata
from pathlib import Path

from make_unicode_tables import lines_of

LETTERS = {
    "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS", "þ": "th", "Þ": "TH", "ð": "d", "Ð": "D",
    "ı": "i", "ȷ": "j", "ŋ": "n", "Ŋ": "N", "ĸ": "k",
}  # fmt: skip
WITH = re.compile(r"LATIN (SMALL|CAPITAL) LETTER (DOTLESS )?([A-Z]) WITH ")


def is_diacritic(char: str) -> bool:
    """Tell whether folding takes a mark away."""
    place = unicodedata.combining(char)
    return place == 1 or 10 <= place <= 36 or place >= 200


def base_of(char: str) -> str:
    """Return the base of a Latin letter that has no decomposition; any other character as it is."""
    if char in LETTERS:
        return LETTERS[char]
    named = WITH.match(unicodedata.name(char, ""))
    if named is None:
        return char
    return named[3] if named[1] == "CAPITAL" else named[3].lower()


def fold(char: str) -> str:
    """Return what a character becomes, perhaps nothing."""
    kept = "".join(part for part in unicodedata.normalize("NFKD", char) if not is_diacritic(part))
    folded = unicodedata.normalize("NFC", "".join(map(base_of, kept)))
    return folded if all(unicodedata.category(part)[0] in "LMN" for part in folded) else char


def tables() -> tuple[list[int], list[int], list[str]]:
    """Return blocks (number of the stored block for each 256 code points), cells, and the forms from cell 1 on."""
    forms: dict[str, int] = {}
    stored: dict[tuple[int, ...], int] = {}
    blocks = []
    for start in range(0, 0x110000, 256):
        cells = []
        for code in range(start, start + 256):
            char = chr(code)
            folded = char if 0xD800 <= code <= 0xDFFF or unicodedata.category(char)[0] not in "LMN" else fold(char)
            cells.append(0 if folded == char else forms.setdefault(folded, len(forms) + 1))
        blocks.append(stored.setdefault(tuple(cells), len(stored)))
    return blocks, [cell for block in stored for cell in block], list(forms)


def main(output: Path) -> None:
    """Write the table."""
    blocks, cells, forms = tables()
    assert len(forms) < 65536, "cells must fit uint16"
    assert len(cells) <= 256 * 65536, "block numbers must fit uint16"
    data = [form.encode() for form in forms]
    ends = [0]
    for form in data:
        ends.append(ends[-1] + len(form))
    output.write_text(
        "// Made by make_fold_tables.py; do not edit.\n"
        f"constexpr unsigned char kFoldText[] = {{\n{lines_of(list(b''.join(data)))}\n}};\n"
        f"constexpr std::uint32_t kFoldEnds[] = {{\n{lines_of(ends)}\n}};\n"
        f"constexpr std::uint16_t kFoldBlocks[] = {{\n{lines_of(blocks)}\n}};\n"
        f"constexpr std::uint16_t kFoldCells[] = {{\n{lines_of(cells)}\n}};\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
