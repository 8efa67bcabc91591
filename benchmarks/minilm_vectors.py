"""Encode the first passages of wiki-passages and real MS MARCO questions with MiniLM once, for the benchmarks of dense search.

Vectors are kept outside the repository: wiki20k.npy, wiki100k.npy and queries1000.npy, float32 [N, 384], in the folder given by --out.
Parts of 5,000 passages are written as they are done, so a run that is cut off goes on where it stopped. The vectors are what
`minilm.MiniLM` makes, with bfloat16 autocast unless --float32: for benchmarks of search, which ask where vectors lie and not how good
they are.
Command: python benchmarks/minilm_vectors.py $DATA --out $TWOTOWER_CACHE
"""

import argparse
import json
import lzma
import sys
import time
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

import numpy as np
from minilm import CACHE, MiniLM

PART = 5_000
SAVED = {"wiki20k": 20_000, "wiki100k": 100_000}
N_QUERIES = 1_000


def read_passages(data, n):
    """Return the first n passages, title and text."""
    with lzma.open(data / "wiki-passages" / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in islice(lines, n)]
    return [f"{record['title']} {record['text']}".strip() for record in records]


def read_questions(data, n):
    """Return the first n questions of MS MARCO."""
    with (data / "msmarco-passage-32k" / "queries.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, n)]


def encode(model, texts, use_bfloat16):
    """Return the vectors of texts, float32, of length 1."""
    import torch

    autocast = torch.autocast("cpu", torch.bfloat16) if use_bfloat16 else nullcontext()
    with torch.inference_mode(), autocast:
        vectors = model.model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def save(file, vectors):
    """Write an array under another name and rename it, so that a reader never sees half of it."""
    partial = file.with_suffix(".partial.npy")
    np.save(partial, vectors)
    partial.rename(file)


def main():
    """Encode what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the collections")
    parser.add_argument("--out", type=Path, default=CACHE, help="folder for the vectors, outside the repository")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--float32", action="store_true", help="no bfloat16 inside the model")
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(arguments.threads)
    model, out = MiniLM(), arguments.out
    parts = out / "wiki-parts"
    parts.mkdir(parents=True, exist_ok=True)
    if not (out / "queries1000.npy").exists():
        save(out / "queries1000.npy", encode(model, read_questions(arguments.data, N_QUERIES), not arguments.float32))
    texts = read_passages(arguments.data, max(SAVED.values()))
    for first in range(0, len(texts), PART):
        file = parts / f"{first:06}.npy"
        if not file.exists():
            began = time.perf_counter()
            save(file, encode(model, texts[first : first + PART], not arguments.float32))
            print(f"{first + PART:,} passages, {PART / (time.perf_counter() - began):.0f} a second", file=sys.stderr)
        for name, n in SAVED.items():
            if first + PART == n and not (out / f"{name}.npy").exists():
                done = [np.load(parts / f"{i:06}.npy", allow_pickle=False) for i in range(0, n, PART)]
                save(out / f"{name}.npy", np.concatenate(done))


if __name__ == "__main__":
    main()
