"""Question: why are two threads of a tokeniser not twice one? Prints, for WordPiece on warm text, by the clock, medians:

two threads against one for a list of str, and for (bytes, offsets), which need no reference to each str; the processor time that
two threads take for the work of one; and what two processes, which share nothing but the memory, get done together.

    python benchmarks/two_threads.py $DATA --rounds 15
"""

import argparse
import json
import lzma
import multiprocessing
import statistics
import time
from itertools import islice
from pathlib import Path

import numpy as np

import twotower as tt

N_TEXTS = 60_000


def load(data):
    with lzma.open(data / "wiki-passages" / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, N_TEXTS)]


def make(texts):
    """A tokeniser, the texts in both forms, and a warm cache."""
    wordpiece = tt.WordPiece.train(texts[:5_000], vocabulary_size=8_000)
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    forms = {"list of str": texts, "bytes and offsets": (b"".join(encoded), offsets)}
    for form in forms.values():
        for threads in (1, 2, 1, 2):
            wordpiece.encode_batch(form, threads=threads)
    return wordpiece, forms


def timed(wordpiece, form, threads):
    started, processor = time.perf_counter(), time.process_time()
    wordpiece.encode_batch(form, threads=threads)
    return time.perf_counter() - started, time.process_time() - processor


def process(data, rounds, barrier, times):
    """One of several processes that begin each round together."""
    wordpiece, forms = make(load(data))
    for _ in range(rounds):
        barrier.wait()
        times.put(timed(wordpiece, forms["list of str"], 1)[0])


def processes(data, rounds, n):
    barrier, times = multiprocessing.Barrier(n), multiprocessing.Queue()
    workers = [multiprocessing.Process(target=process, args=(data, rounds, barrier, times)) for _ in range(n)]
    for worker in workers:
        worker.start()
    got = [times.get() for _ in range(n * rounds)]
    for worker in workers:
        worker.join()
    return statistics.median(got)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the collections")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    wordpiece, forms = make(load(arguments.data))
    for name, form in forms.items():
        pairs = [(timed(wordpiece, form, 1), timed(wordpiece, form, 2)) for _ in range(arguments.rounds)]
        ratios = sorted(one[0] / two[0] for one, two in pairs)
        print(json.dumps({
            "input": name, "one_ms": round(1e3 * statistics.median(one[0] for one, _ in pairs), 1),
            "times": round(statistics.median(ratios), 2), "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
            "best": round(min(one[0] for one, _ in pairs) / min(two[0] for _, two in pairs), 2),
            "processor": round(statistics.median(two[1] / one[1] for one, two in pairs), 2),
        }))  # fmt: skip
    alone, together = (processes(arguments.data, arguments.rounds, n) for n in (1, 2))
    print(json.dumps({"two processes": round(2 * alone / together, 2)}))


if __name__ == "__main__":
    main()
