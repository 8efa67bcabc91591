"""Make wordpiece_tables.inc: what the BERT normaliser and its word splitter do with each code point.

Runs at build time and reads the `unicodedata` of the interpreter that builds. BERT tokenizers, however, are defined by
the `tokenizers` package, whose parts follow several versions of Unicode: categories those of version 8, decompositions
of 12, lower case of 17. Ids must be equal to its ids whatever Python builds, so `DIFFERENCES` names every scalar value
on which Unicode 17 and `tokenizers` 0.23.3 differ, and the value taken is the package's; `_LOWER` holds the pairs that
an older Python does not know. A test compares all scalar values with the package. Usage:
``python make_wordpiece_tables.py OUTPUT``.

Two stages as in make_unicode_tables.py: ``kRecords[kCells[kBlocks[c >> 8] << 8 | (c & 255)]]``.
"""

import sys
import unicodedata
from pathlib import Path

from make_unicode_tables import lines_of

# Han as BERT's own code lists it by blocks (U+2B820 to U+2B91F is missing there, too).
CJK = "3400-4DBF 4E00-9FFF F900-FAFF 20000-2A6DF 2A700-2B81F 2B920-2CEAF 2F800-2FA1F"

# Property: (scalars that Unicode 17 gives it and `tokenizers` does not, scalars where it is the other way round).
# Nearly all were assigned after Unicode 8; the rest changed their category since.
DIFFERENCES = {
    "control": ("890-891 8E2 110CD 13430-1343F", "FFFD"),
    "mark": (
        (
            "7FD 897-89F 8CA-8E1 9FE AFA-AFF B55 C04 C3C D00 D3B-D3C D81 EBA ECE 180F 1885-1886 1ABF-1ADD 1AE0-1AEB "
            "1DF6-1DFB A82C A8C5 A8FF A9BD 10D24-10D27 10D69-10D6D 10EAB-10EAC 10EFA-10EFF 10F46-10F50 10F82-10F85 "
            "11070 11073-11074 110C2 111C9 111CF 1123E 11241 1133B 113BB-113C0 113CE 113D0 113D2 113E1-113E2 "
            "11438-1143F 11442-11444 11446 1145E 1182F-11837 11839-1183A 1193B-1193C 1193E 11943 119D4-119D7 "
            "119DA-119DB 119E0 11A01-11A0A 11A33-11A38 11A3B-11A3E 11A47 11A51-11A56 11A59-11A5B 11A8A-11A96 "
            "11A98-11A99 11B60 11B62-11B64 11B66 11C30-11C36 11C38-11C3D 11C3F 11C92-11CA7 11CAA-11CB0 11CB2-11CB3 "
            "11CB5-11CB6 11D31-11D36 11D3A 11D3C-11D3D 11D3F-11D45 11D47 11D90-11D91 11D95 11D97 11EF3-11EF4 "
            "11F00-11F01 11F36-11F3A 11F40 11F42 11F5A 13440 13447-13455 1611E-16129 1612D-1612F 16F4F 16FE4 "
            "1CF00-1CF2D 1CF30-1CF46 1E000-1E006 1E008-1E018 1E01B-1E021 1E023-1E024 1E026-1E02A 1E08F 1E130-1E136 "
            "1E2AE 1E2EC-1E2EF 1E4EC-1E4EF 1E5EE-1E5EF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5 1E944-1E94A"
        ),
        "1734 1171E",
    ),
    "punctuation": (
        (
            "61D 9FD A76 C77 C84 1B4E-1B4F 1B7D-1B7F 2E43-2E4F 2E52-2E5D 10D6E 10EAD 10ED0 10F55-10F59 10F86-10F89 "
            "113D4-113D5 113D7-113D8 1144B-1144F 1145A-1145B 1145D 11660-1166C 116B9 1183B 11944-11946 119E2 "
            "11A3F-11A46 11A9A-11A9C 11A9E-11AA2 11B00-11B09 11BE1 11C41-11C45 11C70-11C71 11EF7-11EF8 11F43-11F4F "
            "11FFF 12FF1-12FF2 16D6D-16D6F 16E97-16E9A 16FE2 1E5FF 1E95E-1E95F"
        ),
        "166D 111C9",
    ),
    "decomposition": ("105C9 105E4 11383 11385 1138E 11391 113C5 113C7-113C8 11938 16121-16128 16D68-16D6A", ""),
    "combining": (
        (
            "7FD 897-89F 8CA-8D3 9FE C3C D3B-D3C EBA 1715 1ABF-1ADD 1AE0-1AEB 1DF6-1DFA A82C 10D24-10D27 10D69-10D6D "
            "10EAB-10EAC 10EFA-10EFB 10EFD-10EFF 10F46-10F50 10F82-10F85 11070 1133B 113CE-113D0 1145E 11839-1183A "
            "1193D-1193E 11943 119E0 11A34 11A47 11A99 11D42 11D44-11D45 11D97 11F41-11F42 1612F 16FF0-16FF1 1E08F "
            "1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EC-1E4EF 1E5EE-1E5EF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5"
        ),
        "",
    ),
}

# Capital to small letters that came with Unicode 16 and 17: first capital, last capital, first small letter.
_LOWER = (
    (0x1C89, 0x1C89, 0x1C8A),
    (0xA7CB, 0xA7CB, 0x0264),
    (0xA7CC, 0xA7CC, 0xA7CD),
    (0xA7CE, 0xA7CE, 0xA7CF),
    (0xA7D2, 0xA7D2, 0xA7D3),
    (0xA7D4, 0xA7D4, 0xA7D5),
    (0xA7DA, 0xA7DA, 0xA7DB),
    (0xA7DC, 0xA7DC, 0x019B),
    (0x10D50, 0x10D65, 0x10D70),
    (0x16EA0, 0x16EB8, 0x16EBB),
)


def members(ranges: str) -> set[int]:
    """Return the code points that a list of hexadecimal ranges names."""
    found: set[int] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


HAN = members(CJK)
NOT = {name: members(absent) for name, (absent, _) in DIFFERENCES.items()}
ALSO = {name: members(present) for name, (_, present) in DIFFERENCES.items()}
LOWER = {c: small + c - first for first, last, small in _LOWER for c in range(first, last + 1)}
ASCII_SYMBOLS = {c for c in range(0x21, 0x7F) if not chr(c).isalnum()}


def has(name: str, code: int, unicode_says: bool) -> bool:
    """Return whether a code point has a property for `tokenizers`."""
    return code in ALSO[name] or (unicode_says and code not in NOT[name])


def flags_of(code: int) -> int:
    """Return the bits of twotower::WordPieceChar::flags."""
    category = unicodedata.category(chr(code))
    control = has("control", code, category in ("Cc", "Cf", "Co")) and code not in (0x9, 0xA, 0xD)
    space = category[0] == "Z" or code in (0x9, 0xA, 0xB, 0xC, 0xD, 0x85)
    punctuation = has("punctuation", code, category[0] == "P") or code in ASCII_SYMBOLS
    mark = has("mark", code, category == "Mn")
    return control | space << 1 | punctuation << 2 | mark << 3 | (code in HAN) << 4


def parts_of(code: int) -> tuple[int, ...]:
    """Return the full canonical decomposition; empty if there is none, and for Hangul syllables, which C++ computes."""
    if code in NOT["decomposition"] or 0xAC00 <= code <= 0xD7A3 or 0xD800 <= code <= 0xDFFF:
        return ()
    parts = tuple(map(ord, unicodedata.normalize("NFD", chr(code))))
    return () if parts == (code,) else parts


def record_of(code: int, parts_table: list[int]) -> tuple[int, int, int, int, int]:
    """Return (flags, combining class, lower case - code, first part, number of parts) and add the parts to the table."""
    lower = LOWER.get(code, ord(chr(code).lower()[0]))  # U+0130 has two; the normaliser adds the second
    combining = 0 if code in NOT["combining"] else unicodedata.combining(chr(code))
    parts = parts_of(code)
    size = len(chr(code).encode("utf-8", "surrogatepass"))
    kept = [part for part in parts if not flags_of(part) & 8]
    assert len(kept) <= size, f"U+{code:04X} becomes more characters than it has bytes: buffers rely on it"
    first = len(parts_table) if parts else 0
    parts_table.extend(parts)
    return flags_of(code), combining, lower - code, first, len(parts)


def main(output: Path) -> None:
    """Write the table."""
    records: dict[tuple[int, int, int, int, int], int] = {}
    stored: dict[tuple[int, ...], int] = {}
    parts_table: list[int] = []
    blocks = []
    for start in range(0, 0x110000, 256):
        found = (record_of(code, parts_table) for code in range(start, start + 256))
        cells = tuple(records.setdefault(record, len(records)) for record in found)
        blocks.append(stored.setdefault(cells, len(stored)))
    assert max(len(records), len(parts_table), len(stored)) < 65536, "numbers must fit uint16"
    rows = "\n".join(f"    {{{', '.join(map(str, record))}}}," for record in records)
    cells = [cell for block in stored for cell in block]
    output.write_text(
        "// Made by make_wordpiece_tables.py; do not edit.\n"
        f"constexpr WordPieceChar kRecords[] = {{\n{rows}\n}};\n"
        f"constexpr char32_t kParts[] = {{\n{lines_of(parts_table)}\n}};\n"
        f"constexpr std::uint16_t kBlocks[] = {{\n{lines_of(blocks)}\n}};\n"
        f"constexpr std::uint16_t kCells[] = {{\n{lines_of(cells)}\n}};\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
