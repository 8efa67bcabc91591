"""Make composition_tables.inc: which pairs of characters compose (NFC), and which characters NFC leaves alone.

Decompositions and combining classes are those that make_wordpiece_tables.py takes from the `tokenizers` package, so that
both directions follow one version of Unicode. Hangul syllables are computed in C++. Usage:
``python make_composition_tables.py OUTPUT``.

``kCompositions`` is sorted by its two characters; bit c & 7 of ``kInert[kInertBlocks[c >> 8] << 5 | (c & 255) >> 3]`` says
that c is a starter which neither decomposes for good nor composes with what is before it.
"""

import sys
import unicodedata
from pathlib import Path

from make_unicode_tables import lines_of
from make_wordpiece_tables import NOT, parts_of

JAMO = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}  # second and third of a syllable


def compositions() -> list[tuple[int, int, int]]:
    """Return (first, second, composed), sorted."""
    found = []
    for code in range(0x110000):
        if not parts_of(code):
            continue
        first, *second = (int(part, 16) for part in unicodedata.decomposition(chr(code)).split())
        if second and unicodedata.normalize("NFC", chr(first) + chr(second[0])) == chr(code):
            found.append((first, second[0], code))
    return sorted(found)


def combining(code: int) -> int:
    """Return the canonical combining class."""
    return 0 if code in NOT["combining"] else unicodedata.combining(chr(code))


def main(output: Path) -> None:
    """Write the tables."""
    pairs = compositions()
    composed, seconds = {c for _, _, c in pairs}, {second for _, second, _ in pairs} | JAMO
    stored: dict[tuple[int, ...], int] = {}
    blocks = []
    for start in range(0, 0x110000, 256):
        inert = [
            combining(code) == 0 and code not in seconds and (code in composed or not parts_of(code))
            for code in range(start, start + 256)
        ]
        cells = tuple(sum(inert[i + bit] << bit for bit in range(8)) for i in range(0, 256, 8))
        blocks.append(stored.setdefault(cells, len(stored)))
    assert len(stored) < 65536, "numbers must fit uint16"
    rows = "\n".join(f"    {{{first}, {second}, {code}}}," for first, second, code in pairs)
    output.write_text(
        "// Made by make_composition_tables.py; do not edit.\n"
        f"constexpr Composition kCompositions[] = {{\n{rows}\n}};\n"
        f"constexpr std::uint16_t kInertBlocks[] = {{\n{lines_of(blocks)}\n}};\n"
        f"constexpr std::uint8_t kInert[] = {{\n{lines_of([cell for block in stored for cell in block])}\n}};\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
