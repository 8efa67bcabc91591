"""The bag of the core against torch's EmbeddingBag, autograd and differences in float64; every ISA, any number of threads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

import twotower as tt
from twotower.errors import InvalidInputError
from twotower.towers.bag import Bag, bag_mean
from twotower.towers.native import bag_gradient, distinct_rows

DIMS = [1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 95, 100, 256, 300]


def bags(seed, n_rows=50, n_bags=40):
    """Bags of 0 to 30 terms, with duplicates and empty ones at both ends."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, 31, n_bags)
    lengths[[0, n_bags // 2, -1]] = 0
    ids = torch.from_numpy(generator.integers(0, n_rows, lengths.sum()))
    offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]))
    weights = torch.from_numpy(generator.random(lengths.sum()).astype(np.float32))
    return ids, offsets, weights


def by_hand(table, ids, offsets, weights):
    """The definition, in float64 and plain loops."""
    means = torch.zeros(len(offsets) - 1, table.shape[1], dtype=torch.float64)
    for b in range(len(means)):
        terms = range(int(offsets[b]), int(offsets[b + 1]))
        total = sum(float(weights[t]) for t in terms)
        for t in terms:
            if total > 0:
                means[b] += float(weights[t]) / total * table[ids[t]].double()
    return means


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_means_and_gradients_are_those_of_the_definition_and_of_torch(dim, weighted, dtype):
    ids, offsets, weights = bags(dim)
    table = torch.randn(50, dim, generator=torch.Generator().manual_seed(dim)).to(dtype).requires_grad_()
    outer = torch.randn(len(offsets) - 1, dim, generator=torch.Generator().manual_seed(1)).to(dtype)
    means = bag_mean(table, ids, offsets, weights if weighted else None)
    means.backward(outer)
    exact_table = table.detach().double().requires_grad_()
    ones = torch.ones(len(ids))
    totals = torch.zeros(len(offsets) - 1, dtype=torch.float64)
    bag_of = torch.repeat_interleave(torch.arange(len(offsets) - 1), offsets.diff())
    totals.index_add_(0, bag_of, (weights if weighted else ones).double())
    shares = (weights if weighted else ones).double() / totals[bag_of]
    exact = functional.embedding_bag(
        ids, exact_table, offsets, mode="sum", include_last_offset=True, per_sample_weights=shares
    )
    exact.backward(outer.double())
    np.testing.assert_allclose(
        exact.detach(), by_hand(table.detach(), ids, offsets, weights if weighted else ones), atol=1e-12
    )
    tolerance = 3e-6 if dtype == torch.float32 else 2**-7  # bfloat16: one rounding of the result, 8 bits
    assert means.dtype == table.grad.dtype == dtype
    np.testing.assert_allclose(means.detach().float(), exact.detach(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(table.grad.float(), exact_table.grad, rtol=tolerance, atol=tolerance)
    if not weighted:
        plain = functional.embedding_bag(ids, table.detach().float(), offsets, mode="mean", include_last_offset=True)
        np.testing.assert_allclose(means.detach().float(), plain, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("weighted", [False, True])
def test_tables_and_batches_of_many_blocks_are_whole(weighted):
    n_rows, n_bags = 1_000, 400  # the core takes 256 rows and 32 bags at a time
    ids, offsets, weights = bags(5, n_rows, n_bags)
    table = torch.randn(n_rows, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    outer = torch.randn(n_bags, 3, generator=torch.Generator().manual_seed(1))
    means = bag_mean(table, ids, offsets, weights if weighted else None)
    means.backward(outer)
    given = weights if weighted else torch.ones(len(ids))
    np.testing.assert_allclose(means.detach(), by_hand(table.detach(), ids, offsets, given), atol=1e-5)
    expected = torch.zeros(n_rows, 3, dtype=torch.float64)
    for b in range(n_bags):
        places = slice(int(offsets[b]), int(offsets[b + 1]))
        shares = given[places].double() / given[places].double().sum()
        expected.index_add_(0, ids[places], shares[:, None] * outer[b].double())
    np.testing.assert_allclose(table.grad, expected, atol=1e-5)


def test_the_gradient_is_that_of_differences_in_float64():
    ids, offsets, weights = bags(3, n_rows=6, n_bags=6)
    offsets = offsets[1:]  # now the first bag has terms
    table = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    outer = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    found = bag_gradient(outer, ids, offsets, weights, 6)
    step = 1e-4
    for v in range(6):
        for d in range(3):
            ends = []
            for sign in (1, -1):
                moved = table.double()
                moved[v, d] += sign * step
                ends.append(float((by_hand(moved, ids, offsets, weights) * outer).sum()))
            assert float(found[v, d]) == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-5)


def test_empty_bags_and_weights_of_zero_give_zero_and_no_gradient():
    table = torch.ones(3, 4, requires_grad=True)
    means = bag_mean(table, torch.tensor([0, 1]), torch.tensor([0, 0, 2, 2]), torch.zeros(2))
    means.sum().backward()
    assert (means == 0).all()
    assert (table.grad == 0).all()
    assert bag_mean(table, torch.tensor([], dtype=torch.int64), torch.tensor([0])).shape == (0, 4)


@pytest.mark.parametrize(
    ("ids", "offsets", "weights", "words"),
    [
        ([3], [0, 1], None, "ids\\[0\\] is 3"),
        ([-1], [0, 1], None, "ids\\[0\\] is -1"),
        ([0, 1], [0, 1], None, "end with the number of ids, 2"),
        ([0, 1], [0, 2, 1, 2], None, "fall after bag 1"),
        ([0], [0, 1], [float("nan")], "weights\\[0\\]"),
        ([0], [0, 1], [-1.0], "weights\\[0\\]"),
    ],
)
def test_bad_bags_are_refused(ids, offsets, weights, words):
    given = None if weights is None else torch.tensor(weights)
    with pytest.raises(InvalidInputError, match=words):
        bag_mean(torch.ones(3, 4), torch.tensor(ids), torch.tensor(offsets), given)


def test_a_frozen_table_has_no_gradient():
    bag = Bag(3, 4, frozen=True)
    assert not bag(torch.tensor([0, 1]), torch.tensor([0, 2])).requires_grad


def test_distinct_rows_are_those_of_torch():
    ids = torch.randint(0, 1000, (5000,), generator=torch.Generator().manual_seed(0))
    rows, places = distinct_rows(ids, 1000)
    expected = torch.unique(ids, return_inverse=True)
    assert torch.equal(rows, expected[0])
    assert torch.equal(places, expected[1])
    for one in (-1, 900, 950):
        with pytest.raises(InvalidInputError, match=f"id {one} names no row of 900"):
            distinct_rows(torch.tensor([0, one]), 900)


def fingerprint():
    """A digest of means and gradients over all sizes, printed by the subprocesses below."""
    import hashlib

    digest = hashlib.sha256()
    for dim in DIMS:
        ids, offsets, weights = bags(dim)
        table = torch.randn(50, dim, generator=torch.Generator().manual_seed(dim))
        for dtype in (torch.float32, torch.bfloat16):
            for given in (None, weights):
                whole = torch.cat([torch.zeros(1, dim), table]).to(dtype)[1:]  # begins at an odd address
                digest.update(bag_mean(whole, ids, offsets, given).float().numpy().tobytes())
        digest.update(bag_gradient(table[:40].contiguous(), ids, offsets, weights, 50).numpy().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("isa", tt.backend().isas)
def test_every_isa_and_number_of_threads_gives_the_same_bits(isa, threads):
    code = f"import torch; torch.set_num_threads({threads}); import test_bag; print(test_bag.fingerprint())"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "TWOTOWER_ISA": isa, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.stdout.strip() == fingerprint()
