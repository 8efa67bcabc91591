"""Question: how fast does word2vec read texts, and how good are its vectors, beside gensim's?

Data      Passages of wiki-passages; human judgements of word similarity: WordSim-353 and SimLex-999, which gensim's wheel carries.
Peer      gensim.models.Word2Vec, one worker, the same words, dim, window, negatives, epochs, subsampling and rates.
Answers   Spearman's correlation with the judgements over the pairs that both know; for each seed both models learn from the same texts.
          The interval is of the difference, over bootstrap samples of the pairs, each with one of the seeds.
Clock     CPU time of the process (`--clock wall` for a quiet machine); rounds of ours and the peer's are interleaved.
Cost      About 4 CPU minutes with the defaults (40,000 passages, 3 seeds, both methods); results are kept in --out, so that a run
          that was stopped goes on.
Command   python benchmarks/bench_word2vec.py DATA --out FOLDER
"""

import argparse
import json
import lzma
import platform
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

import twotower as tt
from twotower.pretraining.word_vectors import Word2VecOptions, vectors_of_ids
from twotower.text import Analyzer, TermIds, Vocabulary

SETS = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}
MIN_COUNT = 5


def passages(folder: Path, n: int) -> list[str]:
    """Return the texts of the first passages."""
    with lzma.open(folder / "wiki-passages" / "corpus.jsonl.xz", "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for _, line in zip(range(n), file, strict=False)]


def judged_pairs(name: str) -> list[tuple[str, str, float]]:
    """Return the pairs of a set in lower case."""
    raw = files("gensim").joinpath("test", "test_data", SETS[name]).read_text(encoding="utf-8")
    rows = [line.split("\t") for line in raw.splitlines() if line and not line.startswith("#")]
    return [
        (a.lower(), b.lower(), float(score))
        for a, b, score in (row[:3] for row in rows)
        if score.replace(".", "").isdigit()
    ]


def ours(found: TermIds, n_terms: int, method: str, seed: int, arguments: argparse.Namespace) -> np.ndarray:
    """Train with this package."""
    rate = {"lr": arguments.lr[method]} if method in arguments.lr else {}
    options = Word2VecOptions(
        method, arguments.dim, 5, 5, arguments.epochs, seed=seed, threads=arguments.threads, subsample=1e-3, **rate
    )
    return vectors_of_ids(found, n_terms, options, progress=False)


def theirs(
    sentences: list[list[str]], terms: list[str], method: str, seed: int, arguments: argparse.Namespace
) -> np.ndarray:
    """Train with gensim; rows in our order of terms."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=arguments.dim, window=5, negative=5, min_count=MIN_COUNT, sample=1e-3, sg=int(method == "skipgram"),
        hs=0, workers=arguments.threads, seed=seed + 1,
    )  # fmt: skip
    model.build_vocab(sentences)
    theirs.started = clock(arguments)
    model.train(sentences, total_examples=len(sentences), epochs=arguments.epochs)
    return model.wv[terms]


def clock(arguments: argparse.Namespace) -> float:
    """Return seconds on the chosen clock."""
    return time.perf_counter() if arguments.clock == "wall" else time.process_time()


def known_pairs(name: str, rows: dict[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two rows and the judgement of each pair whose words have vectors."""
    found = [(rows[a], rows[b], score) for a, b, score in judged_pairs(name) if a in rows and b in rows]
    a, b, scores = map(np.array, zip(*found, strict=True))
    return a, b, scores


def cosines(vectors: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cosine of each pair."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (unit[a] * unit[b]).sum(axis=1)


def interval(mine: list[np.ndarray], other: list[np.ndarray], scores: np.ndarray) -> tuple[float, float, float]:
    """Return the mean difference of the correlations and its 95 % interval."""
    generator = np.random.default_rng(0)
    draws = []
    for _ in range(1000):
        pairs = generator.integers(0, len(scores), len(scores))
        i, j = generator.integers(0, len(mine)), generator.integers(0, len(other))
        draws.append(
            spearmanr(mine[i][pairs], scores[pairs]).statistic - spearmanr(other[j][pairs], scores[pairs]).statistic
        )
    mean = np.mean([spearmanr(m, scores).statistic for m in mine]) - np.mean(
        [spearmanr(o, scores).statistic for o in other]
    )
    return float(mean), *(float(x) for x in np.percentile(draws, [2.5, 97.5]))


def main() -> None:
    """Train what is missing, then print a line for each method and set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=40_000)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("cpu", "wall"), default="cpu")
    parser.add_argument("--lr", type=json.loads, default={}, help='JSON: {"cbow": 0.05}')
    parser.add_argument("--methods", nargs="+", default=["skipgram", "cbow"])
    parser.add_argument("--beside", type=Path, help="An earlier --out: print ours against ours there, train no peer.")
    parser.add_argument("--speed", action="store_true", help="Time one seed of each, keep nothing.")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    texts = passages(arguments.data, arguments.passages)
    analyzer = Analyzer("plain")
    vocabulary = Vocabulary.count(texts, analyzer, min_count=MIN_COUNT)
    terms = vocabulary.terms()
    found = analyzer.term_ids(texts, vocabulary, grow=False)
    sentences = [
        [terms[i] for i in found.ids[a:b].tolist() if i >= 0]
        for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)
    ]
    n_words = int((found.ids >= 0).sum())
    print(
        json.dumps({"machine": platform.machine(), "isa": tt.backend().isa, "words": n_words, "terms": len(terms)}),
        flush=True,
    )
    for method in arguments.methods:
        seconds = trained(method, found, sentences, terms, arguments)
        if arguments.beside is None:
            a, b = (np.median(seconds[side]) for side in ("ours", "gensim"))
            rate = arguments.epochs * n_words
            print(
                json.dumps({"method": method, "clock": arguments.clock, "threads": arguments.threads, "words_per_s": round(rate / a),
                            "gensim_words_per_s": round(rate / b), "ratio": round(b / a, 2)}), flush=True
            )  # fmt: skip
        if not arguments.speed:
            compared(method, terms, arguments)


def trained(
    method: str, found: TermIds, sentences: list[list[str]], terms: list[str], arguments: argparse.Namespace
) -> dict[str, list[float]]:
    """Train what --out lacks; return the seconds of each side."""
    seconds: dict[str, list[float]] = {}
    for seed in range(1 if arguments.speed else arguments.seeds):
        for side in ("ours", "gensim") if arguments.beside is None else ("ours",):
            path = arguments.out / f"{method}-{side}-{seed}.npz"
            if path.exists() and not arguments.speed:
                seconds.setdefault(side, []).append(float(np.load(path)["seconds"]))
                continue
            theirs.started = clock(arguments)
            if side == "ours":
                vectors = ours(found, len(terms), method, seed, arguments)
            else:
                vectors = theirs(sentences, terms, method, seed, arguments)
            spent = clock(arguments) - theirs.started
            seconds.setdefault(side, []).append(spent)
            if not arguments.speed:
                np.savez(path, vectors=vectors, seconds=spent)
    return seconds


def compared(method: str, terms: list[str], arguments: argparse.Namespace) -> None:
    """Print a line for each set of judgements: ours, and the peer's or ours of an earlier run."""
    rows = {term: row for row, term in enumerate(terms)}
    other = {"gensim": arguments.out} if arguments.beside is None else {"earlier": arguments.beside}
    for name in SETS:
        left, right, scores = known_pairs(name, rows)
        sides = {
            label: [
                cosines(np.load(folder / f"{method}-{'gensim' if label == 'gensim' else 'ours'}-{seed}.npz")["vectors"], left, right)
                for seed in range(arguments.seeds)
            ]
            for label, folder in {"ours": arguments.out, **other}.items()
        }  # fmt: skip
        means = {side: [round(spearmanr(c, scores).statistic, 4) for c in found] for side, found in sides.items()}
        mean, low, high = interval(*sides.values(), scores)
        line = {"method": method, "set": name, "pairs": len(scores), **means}
        print(
            json.dumps(line | {"difference": round(mean, 4), "interval": [round(low, 4), round(high, 4)]}), flush=True
        )


if __name__ == "__main__":
    main()
