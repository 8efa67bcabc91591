"""Measures written out by their definitions, one list at a time, in plain Python: what `twotower.evaluation` is compared with.

`ranked` holds the grade of each document of a list, best place first, None where nobody judged it; `judged` holds all grades of the
query's judgements. Nothing here knows places, queries or arrays.
"""

import math

import numpy as np


def trec_order(scores):
    """Document ids of one list as trec_eval orders them."""
    with np.errstate(over="ignore"):
        return sorted(scores, key=lambda doc: (np.float32(scores[doc]), doc.encode()), reverse=True)


def without_ties(run):
    """The same lists with scores that no reader can order otherwise."""
    ordered = {query_id: trec_order(scores) for query_id, scores in run.items()}
    return {query_id: {doc: float(len(docs) - i) for i, doc in enumerate(docs)} for query_id, docs in ordered.items()}


def is_relevant(grade, rel=1):
    return grade is not None and grade >= rel


def n_relevant(judged, rel=1):
    return sum(grade >= rel for grade in judged)


def rr(ranked, judged, k=None, rel=1):
    return next((1 / i for i, grade in enumerate(ranked[:k], 1) if is_relevant(grade, rel)), 0.0)


def r_cap(ranked, judged, k, rel=1):
    best = min(k, n_relevant(judged, rel))
    return sum(is_relevant(grade, rel) for grade in ranked[:k]) / best if best else 0.0


def judged_share(ranked, judged, k=None):
    top = ranked[:k]
    return sum(grade is not None for grade in top) / len(top) if top else 0.0


def hole(ranked, judged, k=None):
    top = ranked[:k]
    return sum(grade is None for grade in top) / len(top) if top else 0.0


def accuracy(ranked, judged, k=None, rel=1):
    top = [is_relevant(grade, rel) for grade in ranked[:k]]
    if not any(top):
        return 0.0
    pairs = [(i, j) for i, a in enumerate(top) for j, b in enumerate(top) if a and not b]
    return sum(i < j for i, j in pairs) / len(pairs) if pairs else 1.0


def dcg(gains, k):
    return sum(gain / math.log2(i + 1) for i, gain in enumerate(gains[:k], 1))


def ndcg(ranked, judged, k=None, gain=lambda grade: grade):
    gains = [gain(grade) if grade is not None and gain(grade) > 0 else 0.0 for grade in ranked]
    ideal = dcg(sorted((gain(grade) for grade in judged if gain(grade) > 0), reverse=True), k)
    return dcg(gains, k) / ideal if ideal else 0.0


def exponential(grade):
    return 2**grade - 1 if grade > 0 else 0


def err(ranked, judged, k=None, max_rel=4):
    value, reached = 0.0, 1.0
    for i, grade in enumerate(ranked[:k], 1):
        stop = exponential(grade or 0) / 2**max_rel
        value += reached * stop / i
        reached *= 1 - stop
    return value


def nerr(ranked, judged, k=None, max_rel=4):
    best = err(sorted(judged, reverse=True), judged, k, max_rel)
    return err(ranked, judged, k, max_rel) / best if best else 0.0


def rbp(ranked, judged, p=0.8, rel=1, k=None):
    return (1 - p) * sum(p ** (i - 1) for i, grade in enumerate(ranked[:k], 1) if is_relevant(grade, rel))


def expected_utility(ranked, continuation, min_rel, max_rel):
    """C/W/L: attention of a place is the product of the chances to go on before it."""
    gains = [(min(max(grade or 0, 0, min_rel), max_rel) - min_rel) / (max_rel - min_rel) for grade in ranked[:1000]]
    gains += [0.0] * (1000 - len(gains))
    reached, attention, utility, so_far = 1.0, 0.0, 0.0, 0.0
    for i, gain in enumerate(gains, 1):
        attention += reached
        utility += reached * gain
        so_far += gain
        reached *= continuation(i, gain, so_far)
    return utility / attention


def bpm(ranked, judged, k, T=1.0, min_rel=0, max_rel=3):
    return expected_utility(ranked, lambda i, gain, so_far: float(so_far < T and i < k), min_rel, max_rel)


def insq(ranked, judged, T=1.0, min_rel=0, max_rel=3):
    return expected_utility(ranked, lambda i, gain, so_far: ((i + 2 * T - 1) / (i + 2 * T)) ** 2, min_rel, max_rel)


def inst(ranked, judged, T=1.0, min_rel=0, max_rel=3):
    def goes_on(i, gain, so_far):
        return ((i + T + (T - so_far) - 1) / (i + T + (T - so_far))) ** 2

    return expected_utility(ranked, goes_on, min_rel, max_rel)


def sdcg(ranked, judged, k, max_rel=3):
    top = [max(grade or 0, 0) for grade in ranked[:k]]
    return dcg([min(grade, max_rel) / max_rel for grade in top], k) / dcg([1.0] * k, k)


def nerr_cwl(version, ranked, k=None, p=0.9, T=1.0, max_rel=3):
    chances = {
        8: lambda i, gain, _: (1 - gain) * (i < k),
        9: lambda i, gain, _: (1 - gain) * i / (i + 1) * (i < k),
        10: lambda i, gain, _: p * (1 - gain),
        11: lambda i, gain, _: ((i + 2 * T - 1) / (i + 2 * T)) ** 2 * (1 - gain),
    }
    return expected_utility(ranked, chances[version], 0, max_rel)


def compat(docs, qrels, p=0.95, normalize=True):
    """Rank-biased overlap of `docs` with the ideal list, prefix by prefix."""
    ideal = [doc for doc in docs if qrels.get(doc, 0) > 0]
    ideal += [doc for doc, grade in qrels.items() if grade > 0 and doc not in docs]
    ideal.sort(key=lambda doc: -qrels[doc])

    def overlap(a, b):
        depth = max(len(docs), len(ideal))
        return sum(p ** (i - 1) * len(set(a[:i]) & set(b[:i])) / i for i in range(1, depth + 1))

    if not ideal:
        return 0.0
    whole = overlap(ideal, ideal) if normalize else sum(p**i for i in range(max(len(docs), len(ideal))))
    return overlap(docs, ideal) / whole
