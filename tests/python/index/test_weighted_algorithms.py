"""The pairwise part of weighted_product.py on every instruction set, and what every algorithm owes to unusual weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from real_data import require
from twotower.index import SparseIndex
from twotower.index.native import core

ALGORITHMS = ["auto", *core.query_algorithms()]


@pytest.mark.data
@pytest.mark.parametrize("isa", core.isa_names())
def test_pairwise_product(isa):
    require("scifact")
    script = Path(__file__).with_name("weighted_product.py")
    command = [sys.executable, str(script), "--pairwise", "--one-isa"]
    env = {**os.environ, "TWOTOWER_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["isa"] == isa
    assert result["collections"]["comparisons"] > 1500
    assert result["random_corpora"]["comparisons"] > 4000


@pytest.fixture(scope="module")
def mixed():
    """20,000 documents of 100 terms: a common term has negative weights in some documents, and is not rare."""
    random = np.random.default_rng(0)
    mask = random.random((20_000, 100)) < 0.6 / np.arange(1, 101)
    weights = random.lognormal(0, 1, mask.sum()).astype(np.float32)
    indices = np.nonzero(mask)[1]
    weights[(indices == 1) & (random.random(len(indices)) < 0.5)] *= -1
    return SparseIndex.build((np.concatenate([[0], mask.sum(1).cumsum()]), indices, weights))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "query",
    [
        {0: 1.0, 1: 1.0, 50: 2.0},
        {0: 1.0, 1: -1.0, 50: 2.0},
        {0: -1.0, 2: -0.5},
        {1: 1.0},
        {99: -3.0, 1: 2.0},
        {t: 0.01 * (t + 1) for t in range(60)},
        {t: (-1.0) ** t for t in range(100)},
        {0: 2.0**50, 3: 1e-45},
    ],
)
def test_negative_weights_stay_exact(mixed, algorithm, query):
    for k in (1, 10, 1000, 20_000):
        for where in (None, np.arange(20_000) % 3 == 0):
            expected = mixed.profile([query], k, algorithm="exhaustive", where=where)[0]
            hits, profile = mixed.profile([query], k, algorithm=algorithm, where=where)
            assert np.array_equal(hits.docs, expected.docs)
            assert np.array_equal(hits.scores, expected.scores)
            assert algorithm == "auto" or profile.algorithms == {algorithm: 1}


def test_maxscore_looks_up_common_terms_of_little_weight(mixed):
    query = {0: 0.01, 97: 1.0, 2: 0.01, 98: 1.0, 3: 0.01}
    profile = mixed.profile([query], 10, algorithm="maxscore")[1]
    assert 0 < profile.postings_scored < profile.postings / 10
    assert profile.windows_pruned > 0


def test_more_terms_than_the_bounds_take_go_to_the_oracle():
    random = np.random.default_rng(1)
    dense = random.random((50, 1100)).astype(np.float32)
    index = SparseIndex.build([dict(enumerate(row)) for row in dense.tolist()])
    query = dict(enumerate(random.random(1100).tolist()))
    hits, profile = index.profile([query], 5, algorithm="maxscore")
    assert profile.algorithms == {"exhaustive": 1}
    expected = dense.astype(np.float64) @ np.array(list(query.values())).astype(np.float32)
    assert hits.docs[0].tolist() == np.argsort(-expected)[:5].tolist()
