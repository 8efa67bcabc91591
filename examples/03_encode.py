"""Chapter 3: towers.

A tower makes a vector of a text, one for queries and one for documents (or one for both). Towers differ in what they
see: the average sees which words there are, a recurrent tower also reads their order.

    python examples/03_encode.py [COLLECTION]
"""

import sys

import numpy as np

import twotower as tt

collection = tt.load_collection(sys.argv[1] if len(sys.argv) > 1 else "python-docs")
texts = [document.full_text for document in collection.corpus.values()][:2000]
vocabulary = tt.Vocabulary.count(texts, tt.Analyzer("english"))

average = tt.TwoTower.average(vocabulary, dim=64, seed=0)
recurrent = tt.TwoTower.rnn(vocabulary, cell="gru", dim=64, hidden=64, seed=0)
words = vocabulary.terms()[:6]
there, back = " ".join(words), " ".join(words[::-1])
for name, model in {"average": average, "GRU": recurrent}.items():
    a, b = model.encode_documents([there, back])
    print(f"{name}: cosine of a text and the same text backwards {a @ b:.3f}")

# A text's vector does not depend on the texts that are encoded with it: there is no padding that could count.
alone, beside = recurrent.encode_documents(texts[:1])[0], recurrent.encode_documents(texts[:50])[0]
assert np.abs(alone - beside).max() < 1e-5

# Two towers or one: untied towers start equal and may become different.
untied = tt.TwoTower.average(vocabulary, dim=64, tied=False, seed=0)
assert untied.query_tower is not untied.document_tower
assert average.query_tower is average.document_tower
assert np.array_equal(untied.encode_queries(texts[:5]), untied.encode_documents(texts[:5]))
print(
    f"parameters: tied {sum(p.numel() for p in average.parameters()):,}, "
    f"untied {sum(p.numel() for p in untied.parameters()):,}"
)
