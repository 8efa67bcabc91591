"""word2vec in plain NumPy and Python, word after word: the specification that the core is compared with."""

import math

import numpy as np

MASK = 2**64 - 1


def mixed(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


class Chance:
    """SplitMix64 from (seed, epoch, text)."""

    def __init__(self, seed, epoch, text):
        self.state = mixed(mixed(mixed(seed) + epoch & MASK) + text & MASK)

    def next(self):
        self.state = self.state + 0x9E3779B97F4A7C15 & MASK
        return mixed(self.state)

    def below(self, n):
        return (self.next() >> 32) * n >> 32


def alias_table(counts, power):
    shares = np.array([0.0 if c == 0 else float(c) ** power for c in counts])
    shares /= shares.sum() / len(shares)
    places = [(0xFFFFFFFF, i) for i in range(len(shares))]
    poor = [i for i in range(len(shares)) if shares[i] < 1]
    rich = [i for i in range(len(shares)) if shares[i] >= 1]
    while poor and rich:
        low, high = poor.pop(), rich[-1]
        places[low] = (int(shares[low] * 2**32), high)
        shares[high] -= 1 - shares[low]
        if shares[high] < 1:
            poor.append(rich.pop())
    return places


def negative(places, chance):
    drawn = chance.next()
    limit, other = places[place := (drawn >> 32) * len(places) >> 32]
    return place if drawn & 0xFFFFFFFF < limit else other


def keep_limits(counts, t):
    total = sum(counts)
    chances = [math.sqrt(t * total / c) + t * total / c if c and t > 0 else 1.0 for c in counts]
    return [int(p * 2**32) if p < 1 else None for p in chances]


def chances_of(ids, n_terms, subsample):
    """Return what texts draw negatives and kept words from."""
    counts = np.bincount(ids, minlength=n_terms).tolist()
    return alias_table(counts, 0.75), keep_limits(counts, subsample)


def objective(h, outputs, rows, labels):
    """Return the sum of -log s(h . o) over predicted rows and of -log s(-h . n) over negatives."""
    scores = outputs[rows] @ h
    return float(np.logaddexp(0, np.where(labels == 1, -scores, scores)).sum())


def step(inputs, outputs, in_rows, rows, labels, lr):
    """One word: scores at one point, then row after row."""
    h = inputs[in_rows].mean(axis=0)
    steps = lr * (labels - 1 / (1 + np.exp(-(outputs[rows] @ h))))
    error = np.zeros_like(h)
    for row, by in zip(rows, steps, strict=True):
        error += by * outputs[row]
        outputs[row] += by * h
    for row in in_rows:
        inputs[row] += error / len(in_rows)


def train(ids, offsets, inputs, outputs, **options):
    """Update both tables (any float dtype) in place."""
    chances = chances_of(ids, len(inputs), options["subsample"])
    for epoch in range(options["epochs"]):
        for text in range(len(offsets) - 1):
            read(ids, offsets, epoch, text, chances, inputs, outputs, **options)


def train_in_copies(ids, offsets, inputs, outputs, n_copies, **options):
    """As `train` with several threads does it, where an epoch is one round: parts of like many words, then one table again."""
    chances = chances_of(ids, len(inputs), options["subsample"])
    bounds = np.searchsorted(offsets, [len(ids) * part // n_copies for part in range(1, n_copies)])
    bounds = [0, *bounds.tolist(), len(offsets) - 1]
    for epoch in range(options["epochs"]):
        copies = [(inputs.copy(), outputs.copy(), np.zeros((2, len(inputs)), int)) for _ in range(n_copies)]
        for part, (a, b, steps) in enumerate(copies):
            for text in range(bounds[part], bounds[part + 1]):
                read(ids, offsets, epoch, text, chances, a, b, steps, **options)
        rate = rate_at(epoch * len(ids), len(ids), **options)
        for at, table in enumerate((inputs, outputs)):
            n_steps = sum(copy[2][at] for copy in copies)
            fall = rate / 4 * np.maximum(n_steps, 1)
            weight = (1 - np.exp(-fall)) / (n_copies * (1 - np.exp(-fall / n_copies)))
            table += weight[:, None] * sum(copy[at] - table for copy in copies)


def rate_at(before, n_words, *, epochs, lr, min_lr, **_):
    """Return the learning rate after so many words."""
    return lr - (lr - min_lr) * before / (epochs * n_words)


def read(ids, offsets, epoch, text, chances, inputs, outputs, steps=None, **options):
    """Step over one text; `steps` [2, V] counts how often rows of the two tables were stepped at."""
    places, limits = chances
    rate = rate_at(epoch * len(ids) + int(offsets[text]), len(ids), **options)
    chance = Chance(options["seed"], epoch, text)
    words = [
        word
        for word in ids[offsets[text] : offsets[text + 1]].tolist()
        if limits[word] is None or chance.next() >> 32 < limits[word]
    ]
    for at in range(len(words) if len(words) > 1 else 0):
        reach = 1 + chance.below(options["window"])
        around = words[max(0, at - reach) : at] + words[at + 1 : at + reach + 1]
        rows, labels = [], []
        for target in [words[at]] if options["cbow"] else around:
            rows.append(target)
            labels.append(1.0)
            for _ in range(options["negative_samples"]):
                if (drawn := negative(places, chance)) != target:
                    rows.append(drawn)
                    labels.append(0.0)
        in_rows = around if options["cbow"] else [words[at]]
        step(inputs, outputs, in_rows, rows, np.array(labels), rate)
        if steps is not None:
            np.add.at(steps[0], in_rows, 1)
            np.add.at(steps[1], rows, 1)
