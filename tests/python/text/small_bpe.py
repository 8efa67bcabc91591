"""A byte-level BPE vocabulary small enough to check by hand, and files of it."""

import copy
import json

import twotower as tt
from twotower.text.bpe import BYTE_OF

SPECIAL = ["<s>", "<pad>", "</s>", "<mask>"]
MERGES = ["l o", "v e", "lo ve", "Ġ love", "Ġ l", "Ã ©", "a b", "ab c", "b c", "Ġ Ġ", "e s"]
S, PAD, END, MASK = range(4)
TOKENS = [*SPECIAL, *sorted(BYTE_OF, key=BYTE_OF.__getitem__), *(merge.replace(" ", "") for merge in MERGES)]
ID = {token: number for number, token in enumerate(TOKENS)}
TEXTS = ["love loves", "", "don't  stop\n", "é 中\U0001d4d0", "a<mask>b </s>", "\x00\x00a", "abc" * 20, " " * 40]


def ids(*tokens):
    return [ID[token] for token in tokens]


def document():
    """Return a file of RoBERTa's kind."""
    flags = {"single_word": False, "rstrip": False, "normalized": False, "special": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": ID[t], "content": t, "lstrip": t == "<mask>", **flags} for t in SPECIAL],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": ["</s>", END],
            "cls": ["<s>", S],
            "trim_offsets": True,
            "add_prefix_space": True,
        },
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": dict(ID),
            "merges": list(MERGES),
        },
    }


def changed(*path_and_value):
    """Return the file with one value set."""
    *path, value = path_and_value
    made = document()
    part = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = copy.deepcopy(value)
    return made


def load(folder, made):
    path = folder / "changed.json"
    path.write_text(json.dumps(made))
    return tt.BPE.from_file(path)
