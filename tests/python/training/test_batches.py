"""Pairs and batches: what meets what, and what is no negative."""

import numpy as np
import pytest
import torch

from small_collection import ANALYZER, vocabulary_of
from twotower.errors import InvalidInputError
from twotower.towers.terms import TermReader
from twotower.training.batches import epoch_batches, excluded_mask, n_batches
from twotower.training.drawing import NegativeSource
from twotower.training.pairs import shuffled_pairs, training_set
from twotower.training.teacher import TeacherScores
from twotower.types import Collection, Document


@pytest.fixture
def several():
    """Query a has two documents; documents x and z have one text."""
    corpus = {name: Document(text) for name, text in {"w": "one", "x": "two", "y": "three", "z": "two"}.items()}
    queries = {"a": "first", "b": "second", "c": "third", "d": "fourth"}
    qrels = {"train": {"a": {"w": 1, "x": 2}, "b": {"y": 1, "w": 0}, "c": {"z": 1}}, "none": {"d": {"w": 0}}}
    return Collection("several", corpus, queries, qrels, {"a": ["x", "y", "z"], "c": ["z"]})


def read(collection, **options):
    return training_set(collection, "train", TermReader(vocabulary_of(collection), ANALYZER, 8), **options)


class TestTrainingSet:
    def test_rows_and_positives(self, several):
        training = read(several)
        assert training.pairs.tolist() == [[0, 0], [0, 1], [1, 2], [2, 3]]
        assert training.positives == [{0, 1}, {2}, {3}]
        assert training.same_text.tolist() == [0, 1, 2, 1]
        assert training.query_ids == ["a", "b", "c"]

    def test_a_split_without_pairs_is_refused(self, several):
        reader = TermReader(vocabulary_of(several), ANALYZER, 8)
        with pytest.raises(InvalidInputError, match="nothing to learn from"):
            training_set(several, "none", reader)
        with pytest.raises(InvalidInputError, match="none, train"):
            training_set(several, "dev", reader)

    @pytest.mark.parametrize("judged", [{"unknown": {"w": 1}}, {"a": {"unknown": 1}}])
    def test_a_judgement_of_something_absent_is_named(self, several, judged):
        several.qrels["train"] = judged
        with pytest.raises(InvalidInputError, match="unknown"):
            read(several)

    def test_shuffled_labels_are_dealt_out_anew(self, collection):
        pairs = collection.pairs("train")
        shuffled = shuffled_pairs(pairs, seed=1)
        assert [query_id for query_id, _ in shuffled] == [query_id for query_id, _ in pairs]
        assert sorted(doc_id for _, doc_id in shuffled) == sorted(doc_id for _, doc_id in pairs)
        assert np.mean([a == b for a, b in zip(pairs, shuffled, strict=True)]) < 0.1
        assert shuffled == shuffled_pairs(pairs, seed=1) != shuffled_pairs(pairs, seed=2)
        training = read(collection, shuffle_seed=1)
        assert [training.positives[query] >= {document} for query, document in training.pairs.tolist()] == [True] * 90


class TestExcluded:
    def test_known_positives_and_equal_texts_are_no_negatives(self, several):
        # columns: w (a's), x (a's), y (b's), z (c's, same text as x)
        training = read(several)
        mask = excluded_mask(training.known, training.same_text, np.array([0, 0, 1, 2]), np.array([0, 1, 2, 3]))
        expected = [[1, 1, 0, 1], [1, 1, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1]]  # z repeats x: it counts once for b
        assert mask.int().tolist() == expected

    def test_a_document_twice_in_the_batch_is_excluded_twice(self, several):
        training = read(several)
        mask = excluded_mask(training.known, training.same_text, np.array([1, 0]), np.array([2, 0, 2]))
        assert mask.int().tolist() == [[1, 0, 1], [0, 1, 1]]

    def test_the_mask_is_that_of_plain_loops(self, collection):
        training = read(collection)
        generator = np.random.default_rng(0)
        queries, documents = generator.integers(90, size=40), generator.integers(150, size=70)
        mask = excluded_mask(training.known, training.same_text, queries, documents).numpy()
        for row, query in enumerate(queries):
            for column, document in enumerate(documents):
                before = training.same_text[documents[:column]].tolist()
                wanted = document in training.known[query] or training.same_text[document] in before
                assert mask[row, column] == wanted

    def test_queries_with_one_text_share_their_documents(self, several):
        several.queries["b"] = several.queries["a"]
        training = read(several)
        assert training.positives == [{0, 1}, {2}, {3}]  # as judged: validation counts these
        assert [training.known[query].tolist() for query in range(3)] == [[0, 1, 2, 3], [0, 1, 2, 3], [1, 3]]


class TestBatches:
    def test_an_epoch_has_every_pair_once_in_even_batches(self, collection):
        training = read(collection)
        source = NegativeSource(None, collection, training)
        batches = list(epoch_batches(training, source, 32, seed=0, epoch=1))
        assert [len(batch.queries) for batch in batches] == [30, 30, 30]
        assert len(batches) == n_batches(training, 32)
        seen = np.concatenate([np.stack([batch.queries, batch.documents], 1) for batch in batches])
        assert sorted(map(tuple, seen.tolist())) == sorted(map(tuple, training.pairs.tolist()))
        for batch in batches:
            assert torch.equal(batch.positive, torch.arange(30))

    def test_order_belongs_to_seed_and_epoch_and_can_be_entered_anywhere(self, collection):
        training = read(collection)
        source = NegativeSource("random", collection, training)

        def documents(seed, epoch, skip=0):
            return [b.documents.tolist() for b in epoch_batches(training, source, 32, seed, epoch, skip)]

        assert documents(0, 1) == documents(0, 1)
        assert documents(0, 1) != documents(0, 2)
        assert documents(0, 1) != documents(1, 1)
        assert documents(0, 1, skip=2) == documents(0, 1)[2:]


class TestBuckets:
    def batches(self, collection, buckets, epoch=1):
        training = read(collection)
        lengths = np.random.default_rng(0).permutation(len(training.pairs)) + 1
        fake = type("Lengths", (), {"lengths": lengths})()
        training = type(training)(
            **vars(training) | {"queries": fake, "documents": type("None", (), {"lengths": np.zeros(150)})()}
        )
        source = NegativeSource(None, collection, training)
        return [b.queries for b in epoch_batches(training, source, 9, 0, epoch, buckets=buckets)], lengths

    def test_every_pair_once_and_like_lengths_together(self, collection):
        parts, lengths = self.batches(collection, True)
        assert sorted(np.concatenate(parts).tolist()) == list(range(90))
        assert [len(part) for part in parts] == [9] * 10
        assert max(np.ptp(lengths[part]) for part in parts) == 8  # 90 lengths, each once, all in one bucket run
        plain, _ = self.batches(collection, False)
        assert min(np.ptp(lengths[part]) for part in plain) > 20

    def test_the_order_of_batches_is_chance(self, collection):
        parts, lengths = self.batches(collection, True)
        means = [lengths[part].mean() for part in parts]
        assert means != sorted(means)
        assert [p.tolist() for p in parts] == [p.tolist() for p in self.batches(collection, True)[0]]
        assert [p.tolist() for p in parts] != [p.tolist() for p in self.batches(collection, True, epoch=2)[0]]


class TestTeacher:
    def test_a_matrix_by_hand(self):
        run = {"b": {"y": 2.0, "w": 1.0}, "other": {"w": 9.0}}
        scores = TeacherScores.of(run, ["a", "b"], ["w", "x", "y"])
        found = scores.matrix(np.array([1, 0, 1]), np.array([2, 0, 1, 2])).numpy()
        nan = np.nan
        np.testing.assert_array_equal(found, [[2, 1, nan, 2], [nan] * 4, [2, 1, nan, 2]])


class TestNegatives:
    def draw(self, negatives, collection, n=200):
        training = read(collection)
        source = NegativeSource(negatives, collection, training)
        queries = np.repeat([0, 1, 2], n)
        return source.draw(queries, np.random.default_rng(0)), source

    def test_none(self, several):
        assert len(self.draw(None, several)[0]) == 0

    def test_random_ones_come_from_the_whole_corpus(self, several):
        assert set(self.draw("random", several)[0].tolist()) == {0, 1, 2, 3}
        # a knows w, x and z, b knows y, c knows x and z
        source = self.draw("random", several)[1]
        for query, left in ((0, {2}), (1, {0, 1, 3}), (2, {0, 2})):
            assert set(source.draw(np.full(200, query), np.random.default_rng(1)).tolist()) == left

    def test_candidates_without_known_positives(self, several):
        # a has candidates x (known), y, z (the text of x); b has none; c has z (known) only
        assert set(self.draw("candidates", several)[0].tolist()) == {2}
        assert len(self.draw("candidates", several)[0]) == 200

    def test_a_mapping(self, several):
        # b knows y; x has the text of c's z
        assert set(self.draw({"b": ["w", "y"], "c": ["x", "y"]}, several)[0].tolist()) == {0, 2}

    def test_what_cannot_be_drawn_is_refused(self, several):
        with pytest.raises(InvalidInputError, match="'hard'"):
            self.draw("hard", several)
        with pytest.raises(InvalidInputError, match="'nowhere'"):
            self.draw({"a": ["nowhere"]}, several)
        several.candidates = {}
        with pytest.raises(InvalidInputError, match="no candidates"):
            self.draw("candidates", several)
