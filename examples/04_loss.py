"""Chapter 4: what to improve, and proof that it was.

A loss says how wrong the scores of a batch are. Two of them by hand, then a training run beside two controls, without
which its figure says nothing: the model before training, and trained on shuffled pairs.

    python examples/04_loss.py [COLLECTION]     # minutes; a model is trained twice
"""

import sys

import torch

import twotower as tt

# Two queries, two documents; query 0 belongs to document 0, query 1 to document 1.
queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
documents = torch.tensor([[0.8, 0.6], [0.6, 0.8]])
positive, known = torch.tensor([0, 1]), torch.zeros(2, 2, dtype=torch.bool)
scores = queries @ documents.T  # [[.8, .6], [.6, .8]]

# Triplet: the right document must be ahead of the wrong one by a margin; here .8 - .6 = .2 of .5.
assert torch.isclose(tt.losses.triplet(margin=0.5)(queries, documents, positive, known), torch.tensor(0.3))
# In-batch: the right document must win a softmax against the others' documents. The minus log is part of it.
by_hand = -(scores.exp().diagonal() / scores.exp().sum(dim=1)).log().mean()
assert torch.isclose(tt.losses.in_batch(temperature=1.0)(queries, documents, positive, known), by_hand)
# With one output the cosine is 1 or -1, its gradient exactly zero, and nothing can be learned: that is refused.
try:
    tt.TwoTower.average(tt.Vocabulary(["word"]), dim=1)
except tt.errors.InvalidInputError as error:
    print("refused:", error)

collection = tt.load_collection(sys.argv[1] if len(sys.argv) > 1 else "python-docs")
texts = [document.full_text for document in collection.corpus.values()]
vocabulary = tt.Vocabulary.count([*texts, *collection.queries.values()], tt.Analyzer("english"), min_count=2)


def measured(model):
    index = tt.FlatIndex.build(model.encode_documents(texts), list(collection.corpus))
    return tt.search_split(tt.Dense(model, index), collection, "valid")


runs = {"untrained": measured(tt.TwoTower.average(vocabulary, dim=128, seed=0))}
for name, shuffled in (("shuffled", True), ("trained", False)):
    model = tt.TwoTower.average(vocabulary, dim=128, seed=0)
    tt.train(model, collection, loss=tt.losses.in_batch(), epochs=3, shuffle_labels=shuffled, seed=0)
    runs[name] = measured(model)
print(tt.compare(runs, collection.qrels["valid"], ["nDCG@10"]).to_markdown())
