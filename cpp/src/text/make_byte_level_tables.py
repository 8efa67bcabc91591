"""Make byte_level_tables.inc: letter, number, white space or anything else, for each code point.

Runs at build time and reads the `unicodedata` of the interpreter that builds. The classes, however, are those of the
regular expressions of the `tokenizers` package (0.23.3), which follow Unicode 16 whatever Python builds: `_LATER` names
what later versions add (up to 18), `_SINCE_14` what versions 15 and 16 added for a Python that is older. A test compares
all scalar values with the package. Usage: ``python make_byte_level_tables.py OUTPUT``.

Two stages as in make_unicode_tables.py: ``kCells[kBlocks[c >> 8] << 8 | (c & 255)]``.
"""

import sys
import unicodedata
from pathlib import Path

from make_unicode_tables import lines_of
from make_wordpiece_tables import members

_LATER = {
    "L": (
        "558 58B-58C 88F C5C CDC 208F 209D-209F A7CE-A7CF A7D2 A7D4 A7DD A7E2 A7F1 AB6C-AB6D 107BB-107BF 10940-10959 "
        "10EC5-10EC7 10ED9-10EEE 11B0A 11DB0-11DDB 11DF1 16EA0-16EB8 16EBB-16ED3 16FF2-16FF3 187F8-187FF 18CD6-18CDA "
        "18D09-18D20 18D80-18DF2 18E00-19191 191A0-191D2 1B123-1B128 1B168 1D6A6 1DF1F-1DF24 1DF2B-1DF81 1DF90-1DF96 "
        "1DFCD-1DFFF 1E6C0-1E6DE 1E6E0-1E6E2 1E6E4-1E6E5 1E6E7-1E6ED 1E6F0-1E6F4 1E6FE-1E6FF 2B73A-2B73F 2B81E "
        "2CEA2-2CEAD 323B0-33479 3D000-3FC3F"
    ),
    "N": "11DE0-11DE9 1246F 12475-1247F 12550-12686 16FF4-16FF6",
}
_SINCE_14 = {
    "L": (
        "1C89-1C8A A7CB-A7CD A7DA-A7DC 105C0-105F3 10D4A-10D65 10D6F-10D85 10EC2-10EC4 1123F-11240 11380-11389 1138B "
        "1138E 11390-113B5 113B7 113D1 113D3 11BC0-11BE0 11F02 11F04-11F10 11F12-11F33 1342F 13441-13446 13460-143FA "
        "16100-1611D 16D40-16D6C 18CFF 1B132 1B155 1DF25-1DF2A 1E030-1E06D 1E4D0-1E4EB 1E5D0-1E5ED 1E5F0 2B739 "
        "2EBF0-2EE5D 31350-323AF"
    ),
    "N": (
        "10D40-10D49 116D0-116E3 11BF0-11BF9 11F50-11F59 16130-16139 16D70-16D79 1CCF0-1CCF9 1D2C0-1D2D3 1E4F0-1E4F9 "
        "1E5F1-1E5FA"
    ),
}
LATER = {name: members(ranges) for name, ranges in _LATER.items()}
SINCE_14 = {name: members(ranges) for name, ranges in _SINCE_14.items()}


def class_of(code: int) -> int:
    """Return the number of twotower::ByteLevelClass."""
    category = unicodedata.category(chr(code))[0]
    for number, name in ((1, "L"), (2, "N")):
        if code in SINCE_14[name] or (category == name and code not in LATER[name]):
            return number
    return 3 if category == "Z" or code in (0x9, 0xA, 0xB, 0xC, 0xD, 0x85) else 0


def main(output: Path) -> None:
    """Write the table."""
    stored: dict[tuple[int, ...], int] = {}
    blocks = []
    for start in range(0, 0x110000, 256):
        cells = tuple(class_of(code) for code in range(start, start + 256))
        blocks.append(stored.setdefault(cells, len(stored)))
    assert len(stored) < 65536, "numbers must fit uint16"
    output.write_text(
        "// Made by make_byte_level_tables.py; do not edit.\n"
        f"constexpr std::uint16_t kBlocks[] = {{\n{lines_of(blocks)}\n}};\n"
        f"constexpr std::uint8_t kCells[] = {{\n{lines_of([cell for block in stored for cell in block])}\n}};\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
