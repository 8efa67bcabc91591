"""Training of vocabularies in plain code: every pair is counted anew before each merge. For tiny corpora."""

import itertools
from collections import Counter


def disjoint_pairs(word):
    """Yield the pairs of neighbours in a word that can be merged together: "aaa" has one pair of a's."""
    free_from = {}
    for i, pair in enumerate(itertools.pairwise(word)):
        if i >= free_from.get(pair, 0):
            free_from[pair] = i + 2
            yield pair


def merged_word(word, pair, token):
    out, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            out.append(token)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def learn(words, tokens, vocabulary_size, min_frequency, max_token_length, prefix=""):
    """Return (tokens, merges as ids) from words, a list of (ids of the units of a word, how often it comes)."""
    tokens = list(tokens)
    ids = {token: number for number, token in enumerate(tokens)}
    units = dict.fromkeys(range(len(tokens)), 1)
    merges = []
    while len(tokens) < vocabulary_size:
        counts = Counter()
        for word, count in words:
            for left, right in disjoint_pairs(word):
                if units[left] + units[right] <= max_token_length:
                    counts[left, right] += count
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < min_frequency:
            break
        spelled = tokens[best[0]] + tokens[best[1]].removeprefix(prefix)
        if spelled not in ids:
            ids[spelled] = len(tokens)
            tokens.append(spelled)
        units[ids[spelled]] = units[best[0]] + units[best[1]]
        assert ids[spelled] not in {merged for _, _, merged in merges}, "a token came to be in two ways"
        merges.append((*best, ids[spelled]))
        words = [(merged_word(word, best, ids[spelled]), count) for word, count in words]
    return tokens, merges


def learn_wordpiece(words, special_tokens, vocabulary_size, min_frequency, max_token_length, limit_alphabet):
    """Return what the core learns from words, a dict from word to count."""
    chars, inside = Counter(), set()
    for word, count in words.items():
        inside.update(word[1:])
        for char in word:
            chars[char] += count
    alphabet = sorted(sorted(chars, key=lambda char: (-chars[char], char in inside, char))[:limit_alphabet])
    tokens = list(special_tokens)
    for token in alphabet + ["##" + char for char in alphabet if char in inside]:
        if token not in tokens:
            tokens.append(token)
    parts = []
    for word, count in words.items():
        units = [char if i == 0 else "##" + char for i, char in enumerate(word)]
        known = [tokens.index(unit) if char in alphabet else None for unit, char in zip(units, word, strict=True)]
        while None in known:
            at = known.index(None)
            parts.append((known[:at], count))
            known = known[at + 1 :]
        parts.append((known, count))
    return learn(parts, tokens, vocabulary_size, min_frequency, max_token_length, "##")


def cut(word, kept, without=None, inside=False):
    """Return the pieces of a word, longest match first, or None."""
    pieces = []
    while word:
        start = "##" if pieces or inside else ""
        sizes = [n for n in range(len(word), 0, -1) if start + word[:n] in kept and start + word[:n] != without]
        if not sizes:
            return None
        pieces.append(start + word[: sizes[0]])
        word = word[sizes[0] :]
    return pieces


def prune(words, tokens, n_fixed, size):
    """Return the tokens that stay of a WordPiece vocabulary."""
    kept = list(tokens)
    while len(kept) > size:
        uses = Counter()
        for word, count in words.items():
            for piece in cut(word, set(kept)) or ():
                uses[piece] += count

        def loss(token, kept=frozenset(kept), uses=uses):
            inside = token.startswith("##")
            return uses[token] * (len(cut(token.removeprefix("##"), kept, token, inside)) - 1) if uses[token] else 0

        excess = len(kept) - size
        n = min(excess, max(excess * 3 // 10 + 1, size // 64))
        droppable = [token for token in kept if tokens.index(token) >= n_fixed]
        dropped = set(sorted(droppable, key=lambda token: (loss(token), -tokens.index(token)))[:n])
        kept = [token for token in kept if token not in dropped]
    return kept


def learn_bpe(words, special_tokens, vocabulary_size, min_frequency, max_token_length, char_of_byte):
    """Return what the core learns of byte-level BPE from words, a dict from bytes to count."""
    tokens = list(dict.fromkeys([*special_tokens, *sorted(char_of_byte.values())]))
    ids = {byte: tokens.index(char) for byte, char in char_of_byte.items()}
    cut = [([ids[byte] for byte in word], count) for word, count in words.items()]
    return learn(cut, tokens, vocabulary_size, min_frequency, max_token_length)
