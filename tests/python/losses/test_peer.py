"""Values of sentence-transformers' losses, where both have the loss. It is not among the test dependencies."""

import warnings

import pytest
import torch

from twotower import losses

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip(
        "sentence_transformers", reason="the peer sentence-transformers is absent: pip install '.[bench]'"
    )
    from sentence_transformers.sentence_transformer import losses as peer
    from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score

B, D = 6, 8
OWN = torch.arange(B)
NO_LABELS = torch.zeros(B)


class NoModel(torch.nn.Module):
    """The peer's losses hold a model; given embeddings, they do not use it."""


def embeddings(columns, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(B, D, generator=generator) for _ in range(columns)]


def none(m):
    return torch.zeros(B, m, dtype=torch.bool)


def own_only(columns):
    """Exclude what other queries brought: the peer's triplets and distillation lists are each query's own."""
    return ~torch.eye(B, dtype=torch.bool).repeat(1, columns)


def unit(rows):
    return torch.nn.functional.normalize(rows, dim=1)


@pytest.mark.parametrize("hard", [0, 1, 3])
@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_in_batch_with_hard_negatives(hard, scale):
    queries, *documents = embeddings(2 + hard)
    theirs = peer.MultipleNegativesRankingLoss(NoModel(), scale=scale)
    value = theirs.compute_loss_from_embeddings([queries, *documents], NO_LABELS)
    stacked = unit(torch.cat(documents))
    torch.testing.assert_close(losses.in_batch(1 / scale)(unit(queries), stacked, OWN, none(len(stacked))), value)


@pytest.mark.parametrize("hard", [0, 2])
def test_both_directions(hard):
    queries, *documents = embeddings(2 + hard)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.MultipleNegativesSymmetricRankingLoss(NoModel(), scale=20.0)
    value = theirs.compute_loss_from_embeddings([queries, *documents], NO_LABELS)
    stacked = unit(torch.cat(documents))
    ours = losses.in_batch(0.05, symmetric=True)(unit(queries), stacked, OWN, none(len(stacked)))
    torch.testing.assert_close(ours, value)


@pytest.mark.parametrize(("metric", "similarity"), [("COSINE", "cosine"), ("EUCLIDEAN", "l2")])
def test_triplets(metric, similarity):
    columns = embeddings(3)
    theirs = peer.TripletLoss(NoModel(), getattr(peer.TripletDistanceMetric, metric), triplet_margin=0.7)
    value = theirs.compute_loss_from_embeddings(columns, NO_LABELS)
    ours = losses.triplet(0.7, similarity=similarity)
    torch.testing.assert_close(ours(columns[0], torch.cat(columns[1:]), OWN, own_only(2)), value, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("BatchHardTripletLoss", {"margin": 2.0, "mining": "hard"}),
        ("BatchHardSoftMarginTripletLoss", {"margin": "soft", "mining": "hard"}),
        ("BatchSemiHardTripletLoss", {"margin": 2.0, "mining": "semi_hard"}),
    ],
)
def test_mining_in_a_batch_of_labelled_vectors(name, options):
    (vectors,) = embeddings(1, seed=4)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])  # two of each: a vector has one positive
    margin = {} if options["margin"] == "soft" else {"margin": options["margin"]}
    theirs = getattr(peer, name)(NoModel(), **margin).compute_loss_from_embeddings([vectors], labels)
    ours = losses.triplet(**options, similarity="l2")
    same = labels[:, None] == labels
    torch.testing.assert_close(
        ours(vectors, vectors, torch.tensor([3, 4, 5, 0, 1, 2]), same), theirs, atol=2e-5, rtol=1e-4
    )


def test_cosent():
    queries, documents = embeddings(2)
    rows, columns = torch.meshgrid(OWN, OWN, indexing="ij")
    pairs = [queries[rows.flatten()], documents[columns.flatten()]]
    theirs = peer.CoSENTLoss(NoModel(), scale=10.0, similarity_fct=pairwise_cos_sim)
    value = theirs.compute_loss_from_embeddings(pairs, torch.eye(B).flatten())
    torch.testing.assert_close(losses.cosent(0.1)(unit(queries), unit(documents), OWN, none(B)), value)


@pytest.mark.parametrize("negatives", [1, 3])
def test_margin_mse(negatives):
    columns = embeddings(2 + negatives)
    labels = torch.randn(B, 1 + negatives)
    theirs = peer.MarginMSELoss(NoModel(), similarity_fct=pairwise_dot_score)
    value = theirs.compute_loss_from_embeddings(columns, labels)
    teacher = (labels.T.unsqueeze(2) * torch.eye(B)).transpose(0, 1).reshape(B, -1)
    ours = losses.margin_mse()(columns[0], torch.cat(columns[1:]), OWN, own_only(1 + negatives), teacher)
    torch.testing.assert_close(ours, value)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_kl_distillation(temperature):
    columns = embeddings(4)
    labels = torch.randn(B, 3)
    theirs = peer.DistillKLDivLoss(NoModel(), similarity_fct=pairwise_dot_score, temperature=temperature)
    value = theirs.compute_loss_from_embeddings(columns, labels)
    teacher = (labels.T.unsqueeze(2) * torch.eye(B)).transpose(0, 1).reshape(B, -1)
    ours = losses.kl_distillation(temperature)(columns[0], torch.cat(columns[1:]), OWN, own_only(3), teacher)
    torch.testing.assert_close(ours, value)
