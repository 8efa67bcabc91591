"""Dense search by leading components: what it finds, what it refuses."""

import numpy as np
import pytest

import twotower as tt
from small_models import WORDS
from twotower.errors import InvalidInputError

TEXTS = [" ".join(WORDS[i : i + 4]) for i in range(15)]


@pytest.fixture(scope="module")
def model():
    return tt.TwoTower.average(tt.Vocabulary(WORDS), "plain", dim=8)


@pytest.mark.parametrize("dim", [2, 5, 8])
def test_is_search_by_the_cut_vectors_and_not_by_the_whole_ones(model, dim):
    dense = tt.Dense(model, tt.FlatIndex.build(model.encode_documents(TEXTS, dim=dim)), dim=dim)
    whole = [model.encode_queries(WORDS), model.encode_documents(TEXTS)]
    cut = [side[:, :dim] / np.linalg.norm(side[:, :dim], axis=1, keepdims=True) for side in whole]
    expected = cut[0] @ cut[1].T
    hits = dense.search(WORDS, k=15)
    np.testing.assert_allclose(hits.scores, -np.sort(-expected), atol=1e-6)
    np.testing.assert_allclose(dense.score(WORDS, hits.docs), hits.scores, atol=1e-6)
    np.testing.assert_array_equal(dense.encode_documents(TEXTS), dense.index.vectors)
    if dim < 8:
        assert np.abs(hits.scores - -np.sort(-(whole[0] @ whole[1].T))).max() > 0.05


def test_a_dim_that_does_not_fit_is_refused(model):
    index = tt.FlatIndex.build(model.encode_documents(TEXTS, dim=4))
    with pytest.raises(InvalidInputError, match=r"8 dimensions, the index holds 4: .* or give dim=4 if they were cut"):
        tt.Dense(model, index)
    with pytest.raises(InvalidInputError, match="dim asks for vectors of 5 dimensions, the index holds 4"):
        tt.Dense(model, index, dim=5)
    for dim in (0, 9, 2.5, "4"):
        with pytest.raises(InvalidInputError, match="dim"):
            tt.Dense(model, index, dim=dim)
    with pytest.raises(InvalidInputError, match="dim is 9: give 1 to 8"):
        tt.Dense(model, tt.FlatIndex.build(np.ones((1, 9), np.float32)), dim=9)
