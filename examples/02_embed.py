"""Chapter 2: from terms to vectors.

A row of numbers for each term, and a text is the mean of its terms' rows. Nothing is trained yet; still, texts that
share words lie close. That is why every table of this package shows a model beside its untrained twin.

    python examples/02_embed.py [COLLECTION]
"""

import sys

import numpy as np

import twotower as tt

collection = tt.load_collection(sys.argv[1] if len(sys.argv) > 1 else "python-docs")
texts = [document.full_text for document in collection.corpus.values()]
vocabulary = tt.Vocabulary.count(texts, tt.Analyzer("english"), min_count=2)
model = tt.TwoTower.average(vocabulary, "english", dim=128, seed=0)

# What the tower does, in NumPy: look the rows up, take their mean, divide by its length.
table = model.query_tower.embedding.weight.detach().numpy()
terms = model.reader.read(texts[:1])
by_hand = table[terms.ids].mean(axis=0)
by_hand /= np.linalg.norm(by_hand)
by_tower = model.encode_documents(texts[:1])[0]
print(f"the tower and NumPy differ by {np.abs(by_hand - by_tower).max():.1e}")
assert np.allclose(by_hand, by_tower, atol=1e-6)

# The inner product of two such vectors is their cosine. In 128 dimensions random rows are nearly at right angles, so it
# counts shared words.
words = vocabulary.terms()[:4]
few = model.encode_documents([" ".join(words), " ".join(words[:2]), " ".join(words[2:])])
print("four words against two of them, and the two halves against each other:", (few @ few.T)[[0, 1], [1, 2]].round(2))

# The mean does not know the order. Chapter 3 has a tower that does.
forwards, backwards = model.encode_documents([" ".join(words), " ".join(words[::-1])])
assert np.allclose(forwards, backwards, atol=1e-6)

# A text of which the vocabulary knows nothing is the zero vector: it is near to nothing, and no NaN.
assert not model.encode_documents([""]).any()
