"""Every tower of the registry, over texts; then what sets them apart."""

import numpy as np
import pytest
import torch
from torch import nn

from small_models import WORDS, build
from twotower.errors import InputTypeError, InvalidInputError
from twotower.text import Vocabulary
from twotower.towers import TwoTower


class TestEveryTower:
    def test_a_vector_depends_on_nothing_but_its_text(self, make, texts):
        model = build(make)
        together = model.encode_documents(texts)
        alone = np.concatenate([model.encode_documents([text]) for text in texts])
        in_other_company = model.encode_documents([*reversed(texts), *texts], batch_size=3)[len(texts) :]
        assert np.abs(together - alone).max() < 1e-6
        assert np.abs(together - in_other_company).max() < 1e-6

    def test_vectors_are_float32_unit_rows_and_the_same_again(self, make, texts):
        model = build(make)
        vectors = model.encode_queries(iter(texts))
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(texts), model.out_dim)
        filled = [bool(text) for text in texts]
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), filled, atol=1e-6)
        np.testing.assert_array_equal(vectors, model.encode_queries(texts))

    def test_a_text_without_known_terms_is_the_zero_vector(self, make):
        for similarity in ("cosine", "dot"):
            vectors = build(make, similarity=similarity).encode_queries(["", "unknown words", "word1"])
            assert (vectors[:2] == 0).all()
            assert (vectors[2] != 0).any()

    def test_no_texts_give_no_rows(self, make):
        model = build(make)
        assert model.encode_documents([]).shape == (0, model.out_dim)

    def test_the_gradient_is_finite_and_ignores_empty_texts(self, make):
        model = build(make)
        ids, offsets = torch.tensor([1, 2]), torch.tensor([0, 0, 2, 2])
        vectors = model.finish(model.query_tower(ids, offsets))
        assert vectors.shape == (3, model.out_dim)
        vectors[[0, 2]].sum().backward()
        for parameter in model.parameters():
            assert parameter.grad is None or (parameter.grad == 0).all()
        model.finish(model.query_tower(ids, offsets)).sum().backward()
        assert all(bool(torch.isfinite(p.grad).all()) for p in model.parameters() if p.grad is not None)
        assert (model.query_tower.embedding.weight.grad[1] != 0).any()

    def test_unknown_terms_are_as_if_they_were_not_there(self, make):
        model = build(make)
        np.testing.assert_array_equal(
            model.encode_queries(["word1 strange word2 words"]), model.encode_queries(["word1 word2"])
        )

    def test_terms_beyond_max_terms_are_not_read(self, make):
        model = build(make, max_terms=2)
        np.testing.assert_array_equal(
            model.encode_queries(["word1 x word2 word3"]), model.encode_queries(["word1 word2"])
        )

    def test_equal_seeds_give_equal_weights_and_leave_the_global_state(self, make, texts):
        state = torch.get_rng_state()
        first, second, other = build(make, seed=1), build(make, seed=1), build(make, seed=2)
        assert torch.equal(torch.get_rng_state(), state)
        np.testing.assert_array_equal(first.encode_queries(texts), second.encode_queries(texts))
        assert np.abs(first.encode_queries(texts) - other.encode_queries(texts)).max() > 0.01

    def test_tied_is_one_object_and_untied_are_two_with_equal_weights(self, make, texts):
        tied, untied = build(make, tied=True), build(make, tied=False)
        assert tied.query_tower is tied.document_tower
        assert sum(p.numel() for p in untied.parameters()) == 2 * sum(p.numel() for p in tied.parameters())
        np.testing.assert_array_equal(untied.encode_queries(texts), untied.encode_documents(texts))
        with torch.no_grad():
            table = untied.query_tower.embedding.weight
            table.copy_(table.flip(0))
        assert np.abs(untied.encode_queries(texts) - untied.encode_documents(texts)).max() > 0.01

    def test_twin_is_the_model_before_training(self, make, texts):
        model = build(make, seed=3, tied=False)
        before = model.encode_queries(texts)
        with torch.no_grad():
            table = model.query_tower.embedding.weight
            table.copy_(table.flip(0))
        np.testing.assert_array_equal(model.twin().encode_queries(texts), before)
        assert np.abs(model.twin(seed=4).encode_queries(texts) - before).max() > 0.01

    def test_dropout_is_off_while_encoding_and_the_mode_stays(self, make, texts):
        model = build(make).train()
        np.testing.assert_array_equal(model.encode_queries(texts), model.eval().encode_queries(texts))
        assert not model.training
        model.train().encode_queries(texts)
        assert model.training

    def test_what_is_no_text_is_refused(self, make):
        model = build(make)
        with pytest.raises(InputTypeError, match="one str"):
            model.encode_queries("word1 word2")
        with pytest.raises(InputTypeError, match="text 1 is of type int"):
            model.encode_queries(["word1", 2])
        with pytest.raises(InvalidInputError, match="batch_size"):
            model.encode_queries(["word1"], batch_size=0)

    def test_the_bar_goes_to_standard_error(self, make, capsys):
        build(make).encode_queries(["word1"], progress=True)
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "encoding" in shown.err


class TestAverage:
    def test_is_the_mean_of_the_rows(self):
        model = TwoTower.average(Vocabulary(WORDS), "plain", dim=4, similarity="dot")
        rows = model.query_tower.embedding.weight.detach().numpy()
        vector = model.encode_queries(["word3 word3 word5 nothing"])[0]
        np.testing.assert_allclose(vector, (2 * rows[3] + rows[5]) / 3, rtol=1e-6)

    def test_does_not_see_order(self):
        vectors = TwoTower.average(Vocabulary(WORDS), "plain").encode_queries(
            ["word1 word2 word3", "word3 word1 word2"]
        )
        np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_saturation_counts_a_term_as_bm25_does(self, weighted):
        weights = np.linspace(0.5, 2.0, 4).astype(np.float32) if weighted else None
        model = TwoTower.average(
            Vocabulary(WORDS[:4]), "plain", dim=3, saturation=0.5, weights=weights, similarity="dot"
        )
        table = model.query_tower.embedding.weight.detach().double()
        texts = ["word0 word3 word0 word1 word0", "word3", "", "word0 word0"]
        for text, vector in zip(texts, model.encode_queries(texts), strict=True):
            ids = [int(word[-1]) for word in text.split()]
            counts = {v: ids.count(v) for v in ids}
            shares = {v: f / (f + 0.5) * (1.0 if weights is None else weights[v]) for v, f in counts.items()}
            expected = sum(share * table[v] for v, share in shares.items()) / (sum(shares.values()) or 1.0)
            np.testing.assert_allclose(vector, np.zeros(3) if not ids else expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("value", "error"), [(0, InvalidInputError), (float("inf"), InvalidInputError), ("1", InputTypeError)]
    )
    def test_a_saturation_is_a_number_above_0(self, value, error):
        with pytest.raises(error, match="saturation is"):
            TwoTower.average(Vocabulary(WORDS), "plain", saturation=value)

    def test_a_saved_model_saturates_on(self, tmp_path):
        model = TwoTower.average(Vocabulary(WORDS), "plain", dim=3, saturation=0.5)
        model.save_pretrained(tmp_path / "model")
        again, texts = TwoTower.from_pretrained(tmp_path / "model"), ["word1 word1 word2"]
        np.testing.assert_array_equal(again.encode_queries(texts), model.encode_queries(texts))
        np.testing.assert_array_equal(model.twin().encode_queries(texts), model.encode_queries(texts))
        plain = TwoTower.average(Vocabulary(WORDS), "plain", dim=3)
        assert np.abs(plain.encode_queries(texts) - model.encode_queries(texts)).max() > 0.01


class TestRecurrent:
    @pytest.mark.parametrize("cell", ["gru", "lstm"])
    @pytest.mark.parametrize("pooling", ["last", "mean", "max"])
    def test_sees_order(self, cell, pooling):
        model = TwoTower.rnn(Vocabulary(WORDS), "plain", cell=cell, pooling=pooling)
        vectors = model.encode_queries(["word1 word2 word3", "word3 word1 word2"])
        assert np.abs(vectors[0] - vectors[1]).max() > 1e-3

    @pytest.mark.parametrize("cell", ["gru", "lstm"])
    @pytest.mark.parametrize("pooling", ["last", "mean", "max"])
    def test_equals_one_text_at_a_time_in_plain_torch(self, cell, pooling):
        options = {"cell": cell, "pooling": pooling, "bidirectional": True, "dim": 6, "hidden": 5, "layers": 2}
        tower = TwoTower.rnn(Vocabulary(WORDS), "plain", **options).query_tower
        texts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 1]]
        ids, offsets = torch.tensor([term for text in texts for term in text]), torch.tensor([0, 3, 4, 10])
        expected = []
        for text in texts:
            states, _ = tower.cells(tower.embedding(torch.tensor([text])))
            forward, backward = states[0, :, :5], states[0, :, 5:]
            expected.append(
                {
                    "last": torch.cat([forward[-1], backward[0]]),
                    "mean": states[0].mean(dim=0),
                    "max": states[0].max(dim=0).values,
                }[pooling]
            )
        torch.testing.assert_close(tower(ids, offsets), torch.stack(expected), atol=1e-6, rtol=0)

    @pytest.mark.parametrize(
        ("option", "error", "message"),
        [
            ({"cell": "elman"}, InvalidInputError, "gru, lstm"),
            ({"pooling": "first"}, InvalidInputError, "last, max, mean"),
            ({"dropout": 1.0}, InvalidInputError, "dropout"),
            ({"dropout": "no"}, InputTypeError, "dropout"),
            ({"bidirectional": "yes"}, InputTypeError, "bidirectional"),
            ({"hidden": 0}, InvalidInputError, "hidden is 0"),
            ({"layers": 1.5}, InputTypeError, "layers"),
            ({"layers": 100}, InvalidInputError, "layers is 100"),
        ],
    )
    def test_options_are_checked(self, option, error, message):
        with pytest.raises(error, match=message):
            TwoTower.rnn(Vocabulary(WORDS), "plain", **option)


class TestTwoTower:
    def test_options_are_checked(self):
        vocabulary = Vocabulary(WORDS)
        with pytest.raises(InvalidInputError, match="average, rnn, tdnn, transformer"):
            TwoTower.build("tree", vocabulary)
        with pytest.raises(InvalidInputError, match="cosine, dot"):
            TwoTower.average(vocabulary, similarity="euclid")
        with pytest.raises(InvalidInputError, match="max_terms"):
            TwoTower.average(vocabulary, max_terms=0)
        with pytest.raises(InvalidInputError, match="no term"):
            TwoTower.average(Vocabulary())

    def test_a_vocabulary_that_grows_later_changes_nothing(self):
        vocabulary = Vocabulary(WORDS)
        model = TwoTower.average(vocabulary, "plain")
        vocabulary.ids([["later"]], grow=True)
        assert (model.encode_queries(["later"]) == 0).all()

    def test_forward_gives_both_sides(self):
        model = TwoTower.average(Vocabulary(WORDS), "plain", dim=4)
        queries, documents = model(*[(torch.tensor([1, 2, 3]), torch.tensor([0, 1, 3]))] * 2)
        assert queries.shape == documents.shape == (2, 4)

    def test_own_analyzer_function(self):
        model = TwoTower.average(Vocabulary(["a|b"]), lambda text: [text])
        assert (model.encode_queries(["a|b"]) != 0).any()

    def test_is_a_torch_module(self):
        assert isinstance(TwoTower.average(Vocabulary(WORDS)), nn.Module)
