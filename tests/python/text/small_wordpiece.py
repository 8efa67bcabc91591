"""A vocabulary small enough to check by hand, and files of it."""

import copy
import json

import twotower as tt

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["sweet", "love", "##ly", "##s", "un", "##believ", "##able", "!", "é", "e", "中", "a", "##a", "b"]
PAD, UNK, CLS, SEP, MASK = range(5)
ID = {token: number for number, token in enumerate(SPECIAL + WORDS)}
TEXTS = ["Sweet love!", "", "unbelievably LOVELY 中a", "é e\u0301 \U0001d4d0", "x" * 40, "a[SEP]b [sep]"]


def ids(*tokens):
    return [ID[token] for token in tokens]


def write(folder, tokens):
    path = folder / "vocab.txt"
    path.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return path


def load(folder, document):
    path = folder / "changed.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return tt.WordPiece.from_file(path)


def changed(document, *path_and_value):
    """Return a copy of a tokenizer.json with one value set."""
    *path, value = path_and_value
    document = copy.deepcopy(document)
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return document
