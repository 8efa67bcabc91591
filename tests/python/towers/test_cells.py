"""The written-out GRU and LSTM against torch's, and packed order against a plain loop."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from twotower.text import Vocabulary
from twotower.towers import TwoTower
from twotower.towers.gru import gru_states
from twotower.towers.lstm import lstm_states
from twotower.towers.packing import Packing

CELLS = {"gru": (nn.GRU, gru_states), "lstm": (nn.LSTM, lstm_states)}
LENGTHS = [[1], [3], [2, 5, 1, 5], [1, 1, 1], [7, 1, 2, 2, 9]]


def packed(lengths, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return pack_sequence(
        [torch.randn(n, width, generator=generator, dtype=torch.float64) for n in sorted(lengths)[::-1]]
    )


@pytest.mark.parametrize("cell", sorted(CELLS))
@pytest.mark.parametrize("lengths", LENGTHS)
def test_states_and_gradients_are_those_of_torch(cell, lengths):
    torch.manual_seed(0)
    make, read = CELLS[cell]
    cells = make(3, 4, dtype=torch.float64)
    sequence = packed(lengths, 3)
    inputs = sequence.data.clone().requires_grad_()
    ours = read(cells, inputs, sequence.batch_sizes.tolist(), 0)
    theirs = cells(sequence._replace(data=inputs))[0].data
    torch.testing.assert_close(ours, theirs)
    direction = torch.randn_like(ours)
    wanted = [inputs, *cells.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad(ours, wanted, direction), torch.autograd.grad(theirs, wanted, direction)
    )


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_gradient_is_that_of_finite_differences(cell):
    torch.manual_seed(0)
    make, read = CELLS[cell]
    cells = make(2, 3, dtype=torch.float64)
    sequence = packed([3, 1, 2], 2)
    inputs = sequence.data.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: read(cells, x, sequence.batch_sizes.tolist(), 0), (inputs,))


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_two_layers_both_ways_have_the_gradients_of_torch(cell):
    options = {"cell": cell, "bidirectional": True, "layers": 2, "dim": 3, "hidden": 4}
    tower = TwoTower.rnn(Vocabulary(["a", "b", "c"]), "plain", **options).query_tower.double()
    texts = [[0, 1, 2, 1], [2], [1, 0]]
    ids, offsets = torch.tensor([term for text in texts for term in text]), torch.tensor([0, 4, 5, 7])
    packing = Packing.of(offsets[:-1], offsets.diff())
    inputs = tower.embedding.weight.detach()[ids[packing.positions]].requires_grad_()
    ours = tower._states(inputs, packing)
    theirs = tower.cells(packing.sequence(inputs))[0].data
    torch.testing.assert_close(ours, theirs)
    wanted = [inputs, *tower.cells.parameters()]
    direction = torch.randn_like(ours)
    torch.testing.assert_close(
        torch.autograd.grad(ours, wanted, direction), torch.autograd.grad(theirs, wanted, direction)
    )


@pytest.mark.parametrize("lengths", LENGTHS)
def test_packed_order_by_a_plain_loop(lengths):
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    packing = Packing.of(torch.tensor(starts), torch.tensor(lengths))
    order = sorted(range(len(lengths)), key=lambda text: -lengths[text])
    places = [(text, step) for step in range(max(lengths)) for text in order if step < lengths[text]]
    assert packing.positions.tolist() == [starts[text] + step for text, step in places]
    assert packing.mirror.tolist() == [places.index((text, lengths[text] - 1 - step)) for text, step in places]
    assert packing.sizes.tolist() == [sum(n > step for n in lengths) for step in range(max(lengths))]
    assert packing.order.tolist() == order
    assert packing.rank.tolist() == [places.index((text, 0)) for text in range(len(lengths))]
    assert packing.last.tolist() == [places.index((text, n - 1)) for text, n in enumerate(lengths)]
    assert packing.places()[packing.positions].tolist() == list(range(len(places)))
