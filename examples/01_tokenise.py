"""Chapter 1: from text to terms.

Everything that follows sees a text as a row of numbers. This chapter makes them three ways: words, stemmed words, and
pieces of words that are learned from the texts themselves.

    python examples/01_tokenise.py [COLLECTION]     # a BEIR folder, or the docstrings of installed packages
"""

import sys

import twotower as tt

collection = tt.load_collection(sys.argv[1] if len(sys.argv) > 1 else "python-docs")
texts = [document.full_text for document in collection.corpus.values()]
print(f"{collection.name}: {len(texts)} documents, {len(collection.queries)} queries")

# A word that is written in two ways should be one term: lower case, stop words gone, endings cut.
sentence = "The readers were reading; who reads what a Reader has read?"
for name in ("plain", "english"):
    print(f"{name:8} {tt.Analyzer(name).analyze(sentence)}")

# A vocabulary numbers the terms. What stands in only one text teaches nothing about another, so it may go.
analyzer = tt.Analyzer("english")
everything = tt.Vocabulary.count(texts, analyzer)
kept = tt.Vocabulary.count(texts, analyzer, min_count=2)
print(f"{len(everything)} terms, {len(kept)} of them at least twice")

# Pieces of words need no list of words, and no text is ever unknown: 2,000 of them spell everything.
wordpiece = tt.WordPiece.train(texts, vocabulary_size=2000)
print("pieces  ", [wordpiece.decode([i]) for i in wordpiece.encode("unreadable readers", add_special_tokens=False)])

# Many texts at once: the ids of all of them in one array, and where each text begins.
batch = wordpiece.encode_batch(texts)
print(
    f"{len(batch.ids)} pieces in all, {len(batch.ids) / len(texts):.1f} a text; text 0 is {batch.ids[: batch.offsets[1]][:8]} ..."
)
