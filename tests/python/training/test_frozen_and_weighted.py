"""What training leaves alone (frozen tables, weights of terms) and what it reads by rows."""

import numpy as np
import torch

from twotower.towers import TwoTower
from twotower.training import train

QUICK = {"epochs": 2, "batch_size": 8, "valid": None, "lr": 0.05}


def build(vocabulary, collection, **options):
    vectors = np.random.default_rng(0).normal(size=(len(vocabulary), 6)).astype(np.float32)
    corpus = [document.full_text for document in collection.corpus.values()]
    return TwoTower.average(vocabulary, "plain", vectors=vectors, weights="idf", corpus=corpus, **options)


def test_frozen_embeddings_stay_and_the_projection_learns(vocabulary, collection):
    model = build(vocabulary, collection, frozen=True, out_dim=5)
    before = {name: weights.detach().clone() for name, weights in model.named_parameters()}
    losses = train(model, collection, **QUICK).losses
    changed = {name for name, weights in model.named_parameters() if not torch.equal(weights, before[name])}
    assert changed == {"query_tower.projection.weight"}
    assert losses[-1] < losses[0]


def test_weights_of_terms_stay_and_count_in_training(vocabulary, collection):
    weighted = build(vocabulary, collection)
    plain = TwoTower.average(vocabulary, "plain", vectors=weighted.given["embedding.weight"].numpy())
    before = weighted.query_tower.weights.detach().clone()
    losses = [train(model, collection, **QUICK).losses for model in (weighted, plain)]
    assert torch.equal(weighted.query_tower.weights, before)
    assert losses[0][0] != losses[1][0]


def test_a_run_with_dense_adam_resumes_to_the_same_bits(vocabulary, collection, tmp_path):
    options = {**QUICK, "epochs": 3, "optimiser": "dense_adam"}
    whole, cut = build(vocabulary, collection), build(vocabulary, collection)
    losses = train(whole, collection, **options).losses
    steps = []
    train(
        cut, collection, folder=tmp_path, callbacks=[lambda record: steps.append(record) or len(steps) == 4], **options
    )
    resumed = build(vocabulary, collection)
    assert train(resumed, collection, folder=tmp_path, resume=True, **options).losses == losses
    for name, weights in whole.named_parameters():
        assert torch.equal(dict(resumed.named_parameters())[name], weights)
