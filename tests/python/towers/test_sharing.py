"""What two towers share, heads behind them, and vectors cut at encode time."""

import numpy as np
import pytest
import torch

from small_models import MAKES, WORDS, build
from twotower import losses
from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.text import Vocabulary
from twotower.towers import TwoTower

LINEAR, MLP = {"kind": "linear", "dim": 3}, {"kind": "mlp", "dim": 3, "hidden": 7}
SIDES = [(torch.tensor([1, 2, 3]), torch.tensor([0, 2, 3])), (torch.tensor([4, 5, 6]), torch.tensor([0, 1, 3]))]
ORDER_BLIND = {"average"}


@pytest.fixture(params=["tied", "untied", "embedding", "encoder"])
def sharing(request):
    return {
        "tied": {"tied": True}, "untied": {"tied": False},
        "embedding": {"tied": False, "shared": "embedding"}, "encoder": {"tied": False, "shared": "encoder"},
    }[request.param]  # fmt: skip


@pytest.mark.parametrize("head", [LINEAR, MLP], ids=["linear", "mlp"])
class TestEverySharing:
    def test_a_text_has_one_vector_and_none_the_zero_vector(self, make, texts, sharing, head):
        model = build(make, head=head, **sharing)
        assert model.out_dim == 3
        together = model.encode_documents(texts)
        alone = np.concatenate([model.encode_documents([text]) for text in texts])
        assert np.abs(together - alone).max() < 1e-6
        assert ((together == 0).all(axis=1) == [not text for text in texts]).all()

    def test_both_sides_start_equal(self, make, texts, sharing, head):
        model = build(make, head=head, **sharing)
        np.testing.assert_array_equal(model.encode_queries(texts), model.encode_documents(texts))

    def test_comes_back_from_disk_and_as_a_twin(self, make, texts, sharing, head, tmp_path):
        model = build(make, head=head, **sharing)
        before = model.encode_documents(texts)
        with torch.no_grad():
            for number, parameter in enumerate(model.parameters()):
                parameter.add_(0.1 * number)
        model.save_pretrained(tmp_path / "m")
        again = TwoTower.from_pretrained(tmp_path / "m")
        parameters = dict(model.named_parameters())
        assert [name for name, _ in again.named_parameters()] == list(parameters)
        assert all(torch.equal(values, parameters[name]) for name, values in again.named_parameters())
        # torch's products may differ in the last bit with the place of a matrix in memory
        np.testing.assert_allclose(again.encode_queries(texts), model.encode_queries(texts), atol=1e-6)
        np.testing.assert_allclose(again.encode_documents(texts), model.encode_documents(texts), atol=1e-6)
        np.testing.assert_allclose(again.twin().encode_documents(texts), before, atol=1e-6)


def n_weights(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_what_is_shared_is_one_object():
    options = {"head": LINEAR, "dim": 6, "layers": [(5, 3, 1)]}
    make = ("tdnn", options)
    tied, untied = build(make, tied=True), build(make, tied=False)
    by_table, by_encoder = (build(make, tied=False, shared=shared) for shared in ("embedding", "encoder"))
    table, head = 20 * 6, 5 * 3
    assert n_weights(untied) == 2 * n_weights(tied)
    assert n_weights(by_table) == n_weights(untied) - table
    assert n_weights(by_encoder) == n_weights(tied) + head
    assert by_table.query_tower.embedding is by_table.document_tower.embedding
    assert by_table.document_tower.body.embedding is by_table.query_tower.embedding
    bare = build(("tdnn", {"dim": 6, "layers": [(5, 3, 1)]}), tied=False, shared="embedding")
    assert bare.query_tower.embedding is bare.document_tower.embedding
    assert n_weights(bare) == 2 * n_weights(bare.query_tower) - table
    assert by_encoder.query_tower.body is by_encoder.document_tower.body
    assert by_encoder.query_tower.head.weight is not by_encoder.document_tower.head.weight


def test_a_head_is_what_it_says(texts):
    for head in (LINEAR, MLP):
        model = build(("average", {"dim": 6}), head=head, similarity="dot")
        body, maps = model.query_tower.body, [p.double() for p in model.query_tower.head.parameters()]
        ids, offsets = model.reader.read(texts).tensors()
        states = body(ids, offsets).double()
        for number, weights in enumerate(maps):
            states = (states if number == 0 else states * (1 + torch.erf(states / 2**0.5)) / 2) @ weights.T
        assert [tuple(weights.shape) for weights in maps] == ([(3, 6)] if head is LINEAR else [(7, 6), (3, 7)])
        np.testing.assert_allclose(model.encode_queries(texts), states.detach(), atol=1e-6)


@pytest.mark.parametrize("make", MAKES, ids=str)
def test_the_gradient_of_a_shared_part_is_the_sum_of_both_branches(make):
    name, options = make
    make = (name, {**options, "dropout": 0.0} if "dropout" in options else options)
    untied = build(make, tied=False, head=MLP)
    for sharing in ({"tied": True}, {"tied": False, "shared": "embedding"}, {"tied": False, "shared": "encoder"}):
        model = build(make, head=MLP, **sharing)
        for one in (untied, model):
            one.zero_grad()
            queries, documents = one(*SIDES)
            (queries * documents).sum().backward()
        branches = [
            dict(tower.named_parameters(remove_duplicate=True)) for tower in (untied.query_tower, untied.document_tower)
        ]
        documents_own = dict(model.document_tower.named_parameters())
        for name, parameter in model.query_tower.named_parameters():
            if not parameter.requires_grad:
                continue
            grads = [branch[name].grad for branch in branches]
            is_shared = documents_own[name] is parameter
            torch.testing.assert_close(parameter.grad, sum(grads) if is_shared else grads[0])


def test_what_does_not_go_together_is_refused():
    vocabulary = Vocabulary(WORDS)
    for options, message in (
        ({"shared": "encoder", "head": LINEAR}, "give tied=False"),
        ({"tied": False, "shared": "encoder"}, "without a head"),
        ({"tied": False, "shared": "head"}, "embedding, encoder"),
        ({"head": {"kind": "tree", "dim": 3}}, "linear, mlp"),
        ({"head": {"kind": "linear"}}, "needs dim"),
        ({"head": {"kind": "linear", "dim": 3, "hidden": 4}}, "linear head has"),
        ({"head": {"kind": "linear", "dim": 0}}, "dim is 0"),
        ({"head": {"kind": "linear", "dim": 1}}, "one output dimension"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            TwoTower.average(vocabulary, "plain", **options)
    with pytest.raises(InputTypeError, match="give a mapping"):
        TwoTower.average(vocabulary, "plain", head="linear")


def test_a_saved_head_is_checked(tmp_path):
    build(("average", {"dim": 8}), head=LINEAR).save_pretrained(tmp_path / "m")
    path = tmp_path / "m" / "config.json"
    config = path.read_text()
    for damaged in ('"kind": "tree"', '"kind": "mlp"'):
        path.write_text(config.replace('"kind": "linear"', damaged))
        with pytest.raises(CorruptFileError):
            TwoTower.from_pretrained(tmp_path / "m")
    path.write_text(config.replace('"shared": null,', ""))
    with pytest.raises(CorruptFileError, match="'shared'"):
        TwoTower.from_pretrained(tmp_path / "m")


class TestCutVectors:
    @pytest.mark.parametrize("similarity", ["cosine", "dot"])
    def test_are_the_first_components_of_the_whole(self, make, texts, similarity):
        model = build(make, similarity=similarity)
        whole, cut = model.encode_queries(texts), model.encode_queries(texts, dim=3)
        expected = whole[:, :3]
        if similarity == "cosine":
            lengths = np.linalg.norm(expected, axis=1, keepdims=True)
            expected = expected / np.where(lengths > 0, lengths, 1)
        np.testing.assert_allclose(cut, expected, atol=1e-6)
        np.testing.assert_array_equal(model.encode_documents(texts, dim=model.out_dim), model.encode_documents(texts))

    def test_score_as_the_matryoshka_loss_has_them(self):
        """Its value at one size is that of the loss on vectors cut by the encoder."""
        model = build(("average", {"dim": 8}))
        texts = ["word1 word2", "word3", "word4 word5"]
        whole = torch.from_numpy(model.encode_queries(texts))
        cut = torch.from_numpy(model.encode_queries(texts, dim=3))
        own, none = torch.arange(3), torch.zeros(3, 3, dtype=torch.bool)
        shifted = own.roll(1)
        found = losses.matryoshka(losses.in_batch(), [3])(whole, whole, shifted, none)
        torch.testing.assert_close(found, losses.in_batch()(cut, cut, shifted, none))

    def test_sizes_that_make_no_vector_are_refused(self):
        model = build(("average", {"dim": 8}))
        for dim, message in ((9, "from 2 to 8"), (0, "from 2 to 8"), (1, "from 2 to 8")):
            with pytest.raises(InvalidInputError, match=message):
                model.encode_queries(["word1"], dim=dim)
        with pytest.raises(InputTypeError, match="dim"):
            model.encode_queries(["word1"], dim=2.0)
        assert build(("average", {"dim": 8}), similarity="dot").encode_queries(["word1"], dim=1).shape == (1, 1)


def test_every_tower_but_the_average_sees_order(make):
    vectors = build(make).encode_queries(["word1 word2 word3 word4", "word4 word1 word3 word2"])
    assert (np.abs(vectors[0] - vectors[1]).max() > 1e-3) == (make[0] not in ORDER_BLIND)
