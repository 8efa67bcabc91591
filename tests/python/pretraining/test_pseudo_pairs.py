"""Pairs from texts: what is asked, what is left, how often, and that a tower learns from them and from nothing else."""

import numpy as np
import pytest

import twotower as tt
from real_data import require
from twotower.pretraining import ict, start_from_words, titles
from twotower.pretraining.run import joined_corpora, new_model, run_step
from twotower.pretraining.word_vectors import Word2VecOptions, vectors_of_ids
from twotower.text import Analyzer, TermIds, Vocabulary
from twotower.types import Collection, Document

PLAIN = Analyzer("plain")


def numbered(n_blocks=200, n_sentences=4):
    """Return blocks whose every word tells its block and sentence: word b<block>s<sentence>w<i>."""
    return Collection(
        "numbered",
        {
            f"d{b}": Document(
                " ".join(f"B{b}s{s}w0 b{b}s{s}w1 b{b}s{s}w2." for s in range(n_sentences)), title=f"title{b}"
            )
            for b in range(n_blocks)
        },
        {},
    )


def model_of(collection, **options):
    texts = [document.full_text for document in collection.corpus.values()]
    return tt.TwoTower.average(Vocabulary.count(texts, PLAIN), PLAIN, dim=16, **options)


def words(reader, terms, row):
    return [reader.vocabulary.term(int(i)) for i in terms.ids[terms.offsets[row] : terms.offsets[row + 1]]]


def test_a_sentence_asks_for_its_block_and_is_taken_out_in_nine_of_ten():
    collection = numbered()
    reader = model_of(collection).reader
    source = ict(collection)
    masked = total = 0
    drawn = np.zeros(4)
    for epoch in range(1, 51):  # 10,000 draws
        found = source.training_set(reader, seed=3, epoch=epoch)
        assert len(found.pairs) == 200
        for row in range(0, 200, 7):
            query, document = words(reader, found.queries, row), words(reader, found.documents, row)
            sentence = int(query[0].split("s")[1].split("w")[0])
            drawn[sentence] += 1
            every = [f"b{row}s{s}w{i}" for s in range(4) for i in range(3)]
            assert query == every[3 * sentence : 3 * sentence + 3]
            left = [f"title{row}"] + [word for word in every if word not in query]
            assert document in ([f"title{row}", *every], left)
        inside = [len(words(reader, found.documents, row)) == 13 for row in range(200)]
        masked += 200 - sum(inside)
        total += 200
    assert masked / total == pytest.approx(0.9, abs=0.01)
    assert np.abs(drawn / drawn.sum() - 0.25).max() < 0.05


@pytest.mark.parametrize(("rate", "length"), [(0.0, 13), (1.0, 10)])
def test_the_rate_at_its_ends(rate, length):
    collection = numbered()
    found = ict(collection, mask_rate=rate).training_set(model_of(collection).reader, 0, 1)
    assert set(found.documents.lengths.tolist()) == {length}


def test_draws_are_functions_of_seed_and_epoch():
    collection = numbered()
    reader, source = model_of(collection).reader, ict(collection)
    one = source.training_set(reader, 0, 1)
    same = ict(collection).training_set(reader, 0, 1)
    np.testing.assert_array_equal(one.queries.ids, same.queries.ids)
    np.testing.assert_array_equal(one.documents.ids, same.documents.ids)
    for seed, epoch in ((0, 2), (1, 1)):
        assert not np.array_equal(one.queries.ids, source.training_set(reader, seed, epoch).queries.ids)


def test_what_cannot_make_a_pair_is_left_out():
    corpus = {
        "one": Document("Only one sentence here."),
        "empty": Document(""),
        "a": Document("First one. Second one."),
        "unknown": Document("Known words. Zzz."),
        "b": Document("Third one. Fourth one."),
    }
    collection = Collection("few", corpus, {})
    vocabulary = Vocabulary(["only", "one", "sentence", "here", "first", "second", "known", "words", "third", "fourth"])
    reader = tt.TwoTower.average(vocabulary, PLAIN, dim=4).reader
    assert ict(collection).training_set(reader, 0, 1).query_ids == ["a", "b"]
    with pytest.raises(tt.errors.InvalidInputError, match="two sentences"):
        ict(Collection("none", {"one": corpus["one"]}, {})).training_set(reader, 0, 1)
    with pytest.raises(tt.errors.InvalidInputError, match="a title and a body"):
        titles(collection).training_set(reader, 0, 1)
    with pytest.raises(tt.errors.InvalidInputError, match="a title and a body"):
        titles(Collection("empty", {}, {})).training_set(reader, 0, 1)


def test_titles_ask_for_bodies_without_them():
    corpus = {
        "a": Document("red fox runs", "red fox"),
        "b": Document("blue cat sleeps", "a cat"),
        "c": Document("no title"),
        "d": Document("", "no body"),
        "e": Document("same", "same"),
    }
    collection = Collection("titled", corpus, {})
    reader = model_of(collection).reader
    found = titles(collection).training_set(reader, 0, 1)
    assert found.query_ids == ["a", "b"]
    assert [words(reader, found.queries, row) for row in (0, 1)] == [["red", "fox"], ["a", "cat"]]
    assert [words(reader, found.documents, row) for row in (0, 1)] == [["runs"], ["blue", "cat", "sleeps"]]


def test_long_blocks_are_cut_where_the_model_stops_reading():
    collection = numbered(5, 30)
    reader = model_of(collection, max_terms=20).reader
    found = ict(collection, mask_rate=1.0).training_set(reader, 0, 1)
    assert found.documents.lengths.tolist() == [20] * 5
    for row in range(5):
        asked = words(reader, found.queries, row)
        every = [f"b{row}s{s}w{i}" for s in range(30) for i in range(3)]
        left = [f"title{row}", *(word for word in every if word not in asked)]
        assert words(reader, found.documents, row) == left[:20]
    assert len(found.documents.ids) == 5 * 20


def test_equal_texts_are_no_negatives_of_each_other():
    corpus = {name: Document("First one. Second one.") for name in "ab"} | {"c": Document("Third one. Fourth one.")}
    collection = Collection("twins", corpus, {})
    found = ict(collection).training_set(model_of(collection).reader, 0, 1)
    assert [found.known[query].tolist() for query in range(3)] == [[0, 1], [0, 1], [2]]
    assert found.same_text.tolist() == [0, 0, 2]


def test_shuffled_pairs_keep_queries_and_blocks():
    collection = numbered()
    reader, source = model_of(collection).reader, ict(collection)
    right, wrong = (source.training_set(reader, 0, 1, shuffle) for shuffle in (None, 5))
    np.testing.assert_array_equal(right.queries.ids, wrong.queries.ids)
    assert sorted(wrong.pairs[:, 1].tolist()) == list(range(200))
    assert (wrong.pairs[:, 0] == wrong.pairs[:, 1]).mean() < 0.05
    assert all(wrong.known[q].tolist() == [d] for q, d in wrong.pairs.tolist())


def topics(n=400):
    """Return texts of two sentences that share no word, but whose words belong to one of 20 topics: x<t>i and y<t>j."""
    generator = np.random.default_rng(0)
    corpus = {}
    for i in range(n):
        t = i % 20
        a, b = generator.choice(6, (2, 3))
        corpus[f"d{i}"] = Document(" ".join(f"X{t}v{j}" for j in a) + ". " + " ".join(f"Y{t}v{j}" for j in b) + ".")
    return Collection("topics", corpus, {})


def test_a_tower_learns_from_the_pairs_and_not_from_shuffled_ones():
    collection = topics()
    queries = [f"x{t}v0 x{t}v1" for t in range(20)]
    documents = [f"y{t}v2 y{t}v3" for t in range(20)]
    found = {}
    for name, shuffled in (("trained", False), ("shuffled", True)):
        model = model_of(collection)
        history = tt.train(
            model,
            ict(collection),
            valid=None,
            epochs=15,
            batch_size=64,
            lr=0.1,
            shuffle_labels=shuffled,
            threads=1,
            progress=False,
        )
        scores = model.encode_queries(queries) @ model.encode_documents(documents).T
        found[name] = (scores.argmax(axis=1) == np.arange(20)).mean()
        assert (history.failure is None) == (not shuffled)
    assert found["trained"] > 0.9
    assert found["shuffled"] < 0.4


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path):
    collection = topics(100)
    options = {"valid": None, "epochs": 4, "batch_size": 32, "threads": 1, "progress": False}
    whole = model_of(collection)
    tt.train(whole, ict(collection), **options)
    steps = []
    stopped = model_of(collection)
    stop = lambda record: steps.append(record) or len(steps) == 10  # noqa: E731
    tt.train(stopped, ict(collection), folder=tmp_path / "run", callbacks=[stop], **options)
    resumed = model_of(collection)
    tt.train(resumed, ict(collection), folder=tmp_path / "run", resume=True, **options)
    for name, weights in whole.named_parameters():
        assert bool((weights == dict(resumed.named_parameters())[name]).all())
    with pytest.raises(tt.errors.InvalidInputError, match="collection"):
        tt.train(model_of(collection), ict(collection, mask_rate=0.5), folder=tmp_path / "run", resume=True, **options)


def test_the_valid_split_is_that_of_the_labelled_collection():
    corpus = topics(100)
    labelled = Collection(
        "labelled", {"a": Document("y1v1 y1v2"), "b": Document("y2v1")}, {"q": "x1v1"}, {"valid": {"q": {"a": 1}}}
    )
    model = model_of(corpus)
    history = tt.train(model, ict(corpus, labelled=labelled), epochs=2, batch_size=32, threads=1, progress=False)
    assert history.best_valid is not None
    with pytest.raises(tt.errors.InvalidInputError, match="valid"):
        tt.train(model, ict(corpus), epochs=1, threads=1)
    with pytest.raises(tt.errors.InvalidInputError, match="neither negatives"):
        tt.train(model, ict(corpus), valid=None, negatives="random", threads=1)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), True, "much"])
def test_hostile_rates_are_refused(rate):
    with pytest.raises(tt.errors.InvalidInputError, match="mask_rate"):
        ict(numbered(2), mask_rate=rate)


def test_other_things_than_collections_are_refused():
    with pytest.raises(tt.errors.InputTypeError, match="Collection"):
        titles(["a text"])


def test_word_vectors_start_the_tables():
    collection = topics()
    texts = [document.full_text for document in collection.corpus.values()]
    for tied in (True, False):
        model = model_of(collection, tied=tied)
        before = model.query_tower.embedding.weight.detach().numpy().copy()
        start_from_words(
            model, texts, random_share=0.0, frequent=None, min_count=2, epochs=20, lr=0.1, subsample=0, progress=False
        )
        after = model.query_tower.embedding.weight.detach().numpy()
        assert np.mean(after**2) == pytest.approx(np.mean(before**2), rel=0.05)
        scores = (
            model.encode_queries([f"x{t}v0" for t in range(20)])
            @ model.encode_documents([f"y{t}v1" for t in range(20)]).T
        )
        assert (scores.argmax(axis=1) == np.arange(20)).mean() > 0.9
        np.testing.assert_array_equal(after, model.document_tower.embedding.weight.detach().numpy())
    model = model_of(collection)
    start_from_words(model, texts, random_share=1.0, frequent=None, min_count=2, epochs=1, progress=False)
    np.testing.assert_allclose(model.query_tower.embedding.weight.detach().numpy(), before, rtol=1e-6)
    for options in ({"random_share": 1.5}, {"frequent": 0.0}):
        with pytest.raises(tt.errors.InvalidInputError):
            start_from_words(model, texts, **options)


def test_a_table_row_is_the_mix_that_the_notes_say():
    """Rows computed here from the word vectors, term by term: variance shares, scale, weights, rare terms, both towers."""
    collection = topics()
    texts = [document.full_text for document in collection.corpus.values()]
    model, share, frequent, min_count = model_of(collection, tied=False), 0.2, 0.01, 10
    towers = (model.query_tower, model.document_tower)
    before = [tower.embedding.weight.detach().numpy().copy() for tower in towers]
    found = model.reader.read(texts)
    counts = np.bincount(found.ids, minlength=model.reader.n_terms)
    learned = counts >= min_count
    assert 10 < learned.sum() < len(counts) - 10
    ids = np.where(learned[found.ids], found.ids, -1).astype(np.int32)
    vectors = vectors_of_ids(
        TermIds(ids, found.offsets), len(counts), Word2VecOptions(dim=16, epochs=2, seed=3), progress=False
    )
    start_from_words(
        model, texts, random_share=share, frequent=frequent, min_count=min_count, epochs=2, seed=3, progress=False
    )
    for tower, old in zip(towers, before, strict=True):
        new = tower.embedding.weight.detach().numpy()
        size = np.sqrt((old[learned] ** 2).mean() / (vectors[learned] ** 2).mean())
        for term, count in enumerate(counts.tolist()):
            expected = old[term]
            if count >= min_count:
                expected = (1 - share) ** 0.5 * size * vectors[term] + share**0.5 * old[term]
            np.testing.assert_allclose(
                new[term], expected / (1 + count / counts.sum() / frequent), rtol=1e-4, atol=1e-6
            )


def test_the_digest_tells_sources_apart():
    collection, other = numbered(20), numbered(21)
    sources = [
        ict(collection), ict(collection, mask_rate=0.5), ict(collection, mask_rate=1.0), titles(collection), ict(other),
        ict(collection, labelled=other),
    ]  # fmt: skip
    assert len({source.fingerprint() for source in sources}) == len(sources)
    assert ict(numbered(20)).fingerprint() == sources[0].fingerprint()


def test_a_source_is_read_anew_for_a_model_with_other_words():
    collection = numbered(5)
    source = ict(collection, mask_rate=0.0)
    few = tt.TwoTower.average(Vocabulary([f"b{b}s{s}w1" for b in range(5) for s in range(4)]), PLAIN, dim=4)
    for model, length in ((model_of(collection), 13), (few, 4)):
        assert source.training_set(model.reader, 0, 1).documents.lengths.tolist() == [length] * 5


def test_steps_by_name():
    collection = topics(60)
    corpus = joined_corpora([collection, collection])
    assert len(corpus.corpus) == 120
    model = new_model(corpus, dim=8)
    settings = {"epochs": 1, "batch_size": 32, "lr": 0.1, "seed": 0, "threads": 1, "progress": False}
    assert run_step(model, "word2vec", corpus, None, **settings)["step"] == "word2vec"
    rows = model.query_tower.embedding.weight.detach().numpy().copy()
    for seed in (0, 1):
        again = new_model(corpus, dim=8)
        run_step(again, "word2vec", corpus, None, **{**settings, "seed": seed})
        assert np.array_equal(rows, again.query_tower.embedding.weight.detach().numpy()) == (seed == 0)
    assert run_step(model, "ict", corpus, None, **settings)["loss"] > 0
    with pytest.raises(tt.errors.InvalidInputError, match="titles"):
        run_step(model, "bert", corpus, None, **settings)
    with pytest.raises(tt.errors.InvalidInputError, match="at least one"):
        joined_corpora([])


@pytest.mark.data
def test_pairs_of_real_abstracts_teach_search():
    """Zero labels: nDCG@10 on the train split of scifact rises by far more than its noise."""
    collection = tt.load_collection(require("scifact"))
    corpus = Collection("texts", collection.corpus, {})
    model = new_model(corpus, dim=128)

    def measured():
        index = tt.FlatIndex.build(
            model.encode_documents([d.full_text for d in corpus.corpus.values()]), list(corpus.corpus)
        )
        run = tt.search_split(tt.Dense(model, index), collection, "train", k=10)
        return tt.evaluate(run, collection.qrels["train"], ["nDCG@10"])["nDCG@10"]

    before = measured()
    tt.train(model, ict(corpus), valid=None, epochs=2, batch_size=512, lr=0.1, threads=1, progress=False)
    assert measured() > before + 0.05
