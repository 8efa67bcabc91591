"""Question: how many tokens does a word of held-out text take, with vocabularies of different trainers?

Data: a tenth of the texts of each collection, drawn by seed 0, is held out; the trainers read the others. "scripts" are the
passages of wiki-passages with at least eight letters that are not Latin. Vocabularies of 1,000 tokens have at most 200
characters, others 1,000.
Peer: the trainers of `tokenizers`, at their own settings but for size, alphabet, prefix and special tokens. "likelihood" is
the score of Schuster and Nakajima (2012), count(ab) / (count(a) count(b)) for pairs that come twice, in plain NumPy.
Tokens of all vocabularies are counted by the tokenizers of twotower, which cut as `tokenizers` does; an [UNK] is one token,
and its share is printed where it is not 0.
Command: python benchmarks/vocabulary_quality.py wordpiece [scifact msmarco wiki pubmed scripts] [--likelihood]
         python benchmarks/vocabulary_quality.py bpe
"""

import argparse
import gzip
import json
import lzma
import random
import sys
import tempfile
import unicodedata
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

import twotower as tt
from twotower.text.native import NativeWordCounter, SplitRule
from twotower.text.text_columns import native_texts
from twotower.text.wordpiece_document import parse_document
from twotower.text.wordpiece_file import SPECIAL_TOKENS, document_of_vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))
from real_data import ROOT

SIZES = (1_000, 8_000, 30_000)


def limit_of(size):
    return 200 if size <= 1_000 else 1_000


def rows(name):
    path = next(p for p in (ROOT / name).iterdir() if p.name.startswith("corpus.jsonl"))
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def many_scripts(text):
    letters = [c for c in text if ord(c) > 0x24F and c.isalpha()]
    return sum("LATIN" not in unicodedata.name(c, "LATIN") for c in letters) >= 8


@cache
def texts(collection):
    if collection == "wiki":
        found = [row["text"] for row in rows("wiki-passages")][::4]
    elif collection == "scripts":
        found = [row["text"] for row in rows("wiki-passages") if many_scripts(row["text"])]
    else:
        folder = {"msmarco": "msmarco-passage-32k", "pubmed": "pubmed-titles"}.get(collection, collection)
        found = [f"{row['title']} {row['text']}" for row in rows(folder)]
    random.Random(0).shuffle(found)
    tenth = len(found) // 10
    return found[tenth:], found[:tenth]


def words_of(documents):
    counter = NativeWordCounter.of_wordpiece(True, True, 100, list(SPECIAL_TOKENS), 1 << 30)
    counter.add(native_texts(documents, "text"), 0, len(documents), 0, 1)
    return counter.take().items()


def peer_wordpiece(documents, size, folder):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=2,
        limit_alphabet=limit_of(size),
        special_tokens=list(SPECIAL_TOKENS),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    tokenizer.save(str(folder / "peer.json"))
    return tt.WordPiece.from_file(folder / "peer.json")


def peer_bpe(documents, size, folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=[],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    tokenizer.save(str(folder / "peer.json"))
    return tt.BPE.from_file(folder / "peer.json")


def likelihood_wordpiece(documents, size):
    """Train by the score of WordPiece's paper, greedily, with all scores computed anew before each merge."""
    counts = [(word.decode(), count) for word, count in words_of(documents)]
    chars = Counter()
    for word, count in counts:
        chars.update(dict.fromkeys(word, 0) | {char: word.count(char) * count for char in set(word)})
    alphabet = {char for char, _ in chars.most_common(limit_of(size))}
    words = [([w[0], *("##" + c for c in w[1:])], n) for w, n in counts if set(w) <= alphabet]
    tokens = dict.fromkeys([*SPECIAL_TOKENS, *sorted(alphabet), *sorted({t for w, _ in words for t in w})])
    number, single = {token: i for i, token in enumerate(tokens)}, np.zeros(4 * size)
    pair_number, left, right, times = {}, [], [], np.zeros(1 << 22)
    where = defaultdict(set)

    def count(i, sign):
        word, n = words[i]
        for token in word:
            single[number[token]] += sign * n
        for pair in pairwise(word):
            if pair not in pair_number:
                pair_number[pair] = len(left)
                left.append(number[pair[0]])
                right.append(number[pair[1]])
            times[pair_number[pair]] += sign * n
            where[pair].add(i)

    for i in range(len(words)):
        count(i, 1)
    pairs = list(pair_number)
    while len(tokens) < size:
        n = len(left)
        good = np.flatnonzero(times[:n] >= 2)
        if not len(good):
            break
        scores = times[good] / (single[np.array(left)[good]] * single[np.array(right)[good]])
        pairs += list(pair_number)[len(pairs) :]
        a, b = pairs[good[np.argmax(scores)]]
        merged = a + b.removeprefix("##")
        tokens.setdefault(merged)
        number.setdefault(merged, len(number))
        for i in list(where[a, b]):
            count(i, -1)
            word, k = words[i][0], 0
            while k + 1 < len(word):
                if (word[k], word[k + 1]) == (a, b):
                    word[k : k + 2] = [merged]
                k += 1
            count(i, 1)
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return tt.WordPiece(parse_document(document_of_vocabulary(vocabulary, True, "likelihood"), "likelihood"))


def tokens_per_word(tokenizer, documents, n_words):
    batch = tokenizer.encode_batch(documents, add_special_tokens=False)
    unknown = tokenizer.token_to_id("[UNK]")
    return len(batch.ids) / n_words, 0.0 if unknown is None else int((batch.ids == unknown).sum()) / n_words


def vocabulary(tokenizer):
    return {tokenizer.id_to_token(number) for number in range(tokenizer.vocab_size)}


def wordpiece(collection, size, likelihood=False):
    """Return name to (tokens a word, share of [UNK], tokens shared with the peer's vocabulary)."""
    trained_on, held_out = texts(collection)
    n_words = sum(count for _, count in words_of(held_out))
    with tempfile.TemporaryDirectory() as folder:
        peer = peer_wordpiece(trained_on, size, Path(folder))
    options = {"limit_alphabet": limit_of(size)}
    trained = {
        "tokenizers": peer,
        "merges alone": tt.WordPiece.train(trained_on, size, candidates=1, **options),
        "default": tt.WordPiece.train(trained_on, size, **options),
    }
    if likelihood:
        trained["likelihood"] = likelihood_wordpiece(trained_on, size)
    return compared(trained, held_out, n_words)


def bpe(collection, size, likelihood=False):
    """Return the same for byte-level BPE; a word is what GPT-2's rule cuts."""
    trained_on, held_out = texts(collection)
    counter = NativeWordCounter.of_byte_level(SplitRule.GPT2, False, False, [], 1 << 30)
    counter.add(native_texts(held_out, "text"), 0, len(held_out), 0, 1)
    n_words = sum(count for _, count in counter.take().items())
    with tempfile.TemporaryDirectory() as folder:
        peer = peer_bpe(trained_on, size, Path(folder))
    ours = tt.BPE.train(trained_on, size, special_tokens=[])
    return compared({"tokenizers": peer, "default": ours}, held_out, n_words)


def compared(trained, held_out, n_words):
    shared = vocabulary(trained["tokenizers"])
    return {
        name: (*tokens_per_word(tokenizer, held_out, n_words), len(shared & vocabulary(tokenizer)))
        for name, tokenizer in trained.items()
    }


KINDS = {"wordpiece": wordpiece, "bpe": bpe}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("collections", nargs="*", default=["scifact", "msmarco", "wiki", "pubmed", "scripts"])
    parser.add_argument("--likelihood", action="store_true", help="also the score of the paper (slow)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments = parser.parse_args()
    for collection in arguments.collections:
        for size in arguments.sizes:
            found = KINDS[arguments.kind](collection, size, arguments.likelihood)
            base = found["tokenizers"][0]
            for name, (per_word, unknown, shared) in found.items():
                change = f"{100 * (per_word / base - 1):+.2f} %"
                print(
                    f"{collection:8} {size:6} {name:13} {per_word:.4f} {change:>8} {shared:6}",
                    f"{unknown:.5f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
