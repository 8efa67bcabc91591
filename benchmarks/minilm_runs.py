"""Zero-shot all-MiniLM-L6-v2 as TREC runs, one file a collection: what `twotower audit --run MiniLM=FILE` looks at.

    python benchmarks/minilm_runs.py OUT_FOLDER SOURCE ...

Vectors come from benchmarks/minilm.py, exact search from `FlatIndex`. Judged queries of all splits but train and valid.
"""

import sys
from pathlib import Path

import twotower as tt

sys.path.insert(0, str(Path(__file__).parent))
from minilm import MiniLM

DEPTH = 100


def main(out, sources):
    """Write OUT_FOLDER/<collection>.trec for each source."""
    for source in sources:
        collection = tt.load_collection(source)
        model = MiniLM().load(collection)
        texts = [document.full_text for document in collection.corpus.values()]
        dense = tt.Dense(model, tt.FlatIndex.build(model.encode_documents(texts), list(collection.corpus)))
        run = {}
        for split in collection.qrels:
            if split not in ("train", "valid"):
                run |= tt.search_split(dense, collection, split, k=DEPTH)
        out.mkdir(parents=True, exist_ok=True)
        tt.write_run(run, out / f"{collection.name}.trec", tag=model.name)
        print(f"{out / collection.name}.trec: {len(run)} queries", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
