"""Chapter 5: search, fuse, measure, keep.

Words find what is written the same way, vectors what is written otherwise. Both are exact here, and both together find
more than either.

    python examples/05_search.py [COLLECTION]     # a minute; a small model is trained
"""

import sys
import tempfile

import twotower as tt

collection = tt.load_collection(sys.argv[1] if len(sys.argv) > 1 else "python-docs")
doc_ids, texts = list(collection.corpus), [document.full_text for document in collection.corpus.values()]

# Lexical: an inverted index and BM25. `explain` says what each word contributed.
bm25 = tt.BM25Index.build(texts, doc_ids, k1=0.9, b=0.4)
query_id, query = next((i, text) for i, text in collection.queries.items() if bm25.search(text, k=1))
best = bm25.search(query, k=1)[0]
print(f"{query}\n  BM25: {best.doc_id}, {best.score:.2f}")
for part in bm25.explain(query, best.doc_id).terms:
    print(f"    {part.term}: in {part.df} documents, adds {part.score:.2f}")

# Dense: the vectors of all documents, searched exactly.
vocabulary = tt.Vocabulary.count([*texts, *collection.queries.values()], tt.Analyzer("english"), min_count=2)
model = tt.TwoTower.average(vocabulary, dim=128, seed=0)
tt.train(model, collection, epochs=3, seed=0)
dense = tt.Dense(model, tt.FlatIndex.build(model.encode_documents(texts), doc_ids))

# Fused: one weight, tuned on valid. The test split is looked at once, and with intervals.
hybrid = tt.Hybrid([bm25, dense], fusion="linear")
hybrid.tune(collection, split="valid")
runs = {name: tt.search_split(searcher, collection, "test")
        for name, searcher in {"bm25": bm25, "dense": dense, "hybrid": hybrid}.items()}  # fmt: skip
print(tt.compare(runs, collection.qrels["test"], ["nDCG@10"]).to_markdown())

# Kept: one folder that answers.
with tempfile.TemporaryDirectory() as folder:
    tt.Engine.build(collection, model=model).save(f"{folder}/engine")
    for hit in tt.Engine.load(f"{folder}/engine").search(query, k=3):
        print(f"  {hit.score:.3f} {hit.doc_id} {hit.title}")
